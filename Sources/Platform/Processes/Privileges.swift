internal import CLinux
internal import Glibc

/// What a process of the daemon does first: give up every right its role does not need.
///
/// Capabilities and the parent-death signal belong to a thread, so this runs before a second one exists.
package struct Privileges: Sendable {
    /// Whether the role has a user of its own to change to.
    package enum Mode: Sendable {
        /// Started as root by the installed service: become `account`, keep exactly the role's capabilities.
        case system(Account)
        /// `--state DIR`: a plain child with the rights of its starter, less any capability the role does not need.
        case unprivileged
    }

    /// The name of the service's user.
    package static let serviceUser = "sentinel"
    /// The environment variable in which ``RoleSpawner`` tells a child the process id of its parent.
    package static let parentVariable = "SENTINEL_PARENT_PID"

    package let role: ProcessRole
    package let mode: Mode

    package init(role: ProcessRole, mode: Mode) {
        self.role = role
        self.mode = mode
    }

    /// Gives up the rights for good, then asks the kernel to end this process with its parent.
    ///
    /// In order: own network namespace (watch), bounding set, ambient set, groups, user, capabilities, no_new_privs, umask 077,
    /// parent-death signal. The signal comes last because a change of user clears it.
    ///
    /// - Parameter parentDeathSignal: SIGKILL, or SIGTERM for a role that has something to finish.
    /// - Throws: `SystemError` naming the call that failed; ESRCH from `getppid` when the parent is already gone.
    ///   The process must then end: it may hold some rights and not others.
    package func apply(parentDeathSignal: Int32 = SIGKILL) throws(SystemError) {
        switch mode {
        case .system(let account): try become(account)
        case .unprivileged: try keepOnlyRoleCapabilities()
        }
        try systemCall("prctl PR_SET_NO_NEW_PRIVS") { sentinel_set_no_new_privileges() }
        umask(0o077)
        try systemCall("prctl PR_SET_PDEATHSIG") { sentinel_set_parent_death_signal(parentDeathSignal) }
        // The parent may have died before the line above; then no signal will ever come.
        if let text = environmentValue(Self.parentVariable), Int32(text) != getppid() {
            throw SystemError("getppid", ESRCH)
        }
    }

    private func become(_ account: Account) throws(SystemError) {
        let mask = role.capabilities.rawValue
        if !role.hasNetwork { try systemCall("unshare CLONE_NEWNET") { sentinel_leave_network() } }
        try systemCall("prctl PR_SET_KEEPCAPS") { sentinel_keep_capabilities(mask == 0 ? 0 : 1) }
        try dropBoundingSet(except: mask)
        try systemCall("prctl PR_CAP_AMBIENT_CLEAR_ALL") { sentinel_clear_ambient() }
        try systemCall("setgroups") { setgroups(0, nil) }
        // As root, each sets the real, the effective and the saved id.
        try systemCall("setgid") { setgid(account.gid) }
        try systemCall("setuid") { setuid(account.uid) }
        try systemCall("capset") { sentinel_limit_capabilities(mask) }
        try systemCall("prctl PR_SET_KEEPCAPS") { sentinel_keep_capabilities(0) }
        // Believe the kernel, not the calls.
        if getuid() != account.uid || geteuid() != account.uid || getgid() != account.gid || getegid() != account.gid
            || sentinel_permitted_capabilities() != mask || (account.uid != 0 && setuid(0) == 0)
        {
            throw SystemError("setuid", EPERM, subject: account.name)
        }
    }

    private func keepOnlyRoleCapabilities() throws(SystemError) {
        // With --state, root stays root (a test machine, a rescue disk): the role then has what its starter has.
        if geteuid() == 0 { return }
        let permitted = sentinel_permitted_capabilities()
        if permitted == 0 { return }
        try systemCall("prctl PR_CAP_AMBIENT_CLEAR_ALL") { sentinel_clear_ambient() }
        try systemCall("capset") { sentinel_limit_capabilities(permitted & role.capabilities.rawValue) }
    }

    private func dropBoundingSet(except mask: UInt64) throws(SystemError) {
        for capability in Int32(0)..<64 where mask >> UInt64(capability) & 1 == 0 {
            if sentinel_drop_bounding(capability) == 0 { continue }
            let number = sentinel_errno()
            // The first number this kernel does not know ends the set.
            if number == EINVAL { return }
            throw SystemError("prctl PR_CAPBSET_DROP \(capability)", number)
        }
    }
}
