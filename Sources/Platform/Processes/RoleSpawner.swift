internal import CLinux
internal import Glibc

/// Starts this same program as another process of the daemon.
///
/// Call it from the main thread: the kernel ends a child with the *thread* that started it (PR_SET_PDEATHSIG).
package struct RoleSpawner: Sendable {
    /// The first descriptor of ``spawn(arguments:environment:descriptors:)``; 0, 1 and 2 stay what they are here.
    package static let firstDescriptor: Int32 = 3

    private let executable: FilePath

    /// - Parameter executable: The running program itself, also when its file has been replaced by an upgrade.
    package init(executable: FilePath = "/proc/self/exe") { self.executable = executable }

    /// Starts a role: `sentineld --role <role>`, then `arguments`.
    package func spawn(
        _ role: ProcessRole, arguments: [String] = [], environment: [String: String], descriptors: [Int32]
    ) throws(SystemError) -> ChildProcess {
        try spawn(arguments: ["sentineld", "--role", role.rawValue] + arguments, environment: environment, descriptors: descriptors)
    }

    /// Starts the program.
    ///
    /// The child has every signal unblocked and at its default action, its own process group, and no descriptor but 0, 1, 2
    /// and those given. ``Privileges/parentVariable`` is added to its environment.
    ///
    /// - Parameters:
    ///   - arguments: All of argv, its name first.
    ///   - environment: The whole environment.
    ///   - descriptors: Open descriptors of this process; the child finds duplicates at 3, 4, 5…
    package func spawn(
        arguments: [String], environment: [String: String], descriptors: [Int32]
    ) throws(SystemError) -> ChildProcess {
        // Out of the way of 3, 4, 5… first, so that no dup2 lands on a descriptor that is still to be copied.
        let floor = Int(Self.firstDescriptor) + descriptors.count
        var copies: [Int32] = []
        defer { for copy in copies { close(copy) } }
        for descriptor in descriptors {
            copies.append(try systemCall("fcntl F_DUPFD_CLOEXEC") { sentinel_fcntl(descriptor, F_DUPFD_CLOEXEC, floor) })
        }

        var actions = unsafe posix_spawn_file_actions_t()
        try check("posix_spawn_file_actions_init", unsafe posix_spawn_file_actions_init(&actions))
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (index, copy) in copies.enumerated() {
            let target = Self.firstDescriptor + Int32(index)
            try check("posix_spawn_file_actions_adddup2", unsafe posix_spawn_file_actions_adddup2(&actions, copy, target))
        }
        // Ours are close-on-exec, but a library may forget; a role must not hold what was not given to it.
        try check(
            "posix_spawn_file_actions_addclosefrom_np",
            unsafe sentinel_close_from(&actions, Int32(floor)))

        var attributes = posix_spawnattr_t()
        try check("posix_spawnattr_init", unsafe posix_spawnattr_init(&attributes))
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        try check("posix_spawnattr_setsigmask", unsafe posix_spawnattr_setsigmask(&attributes, &signals))
        unsafe sigfillset(&signals)
        try check("posix_spawnattr_setsigdefault", unsafe posix_spawnattr_setsigdefault(&attributes, &signals))
        try check("posix_spawnattr_setpgroup", unsafe posix_spawnattr_setpgroup(&attributes, 0))
        let flags = Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP)
        try check("posix_spawnattr_setflags", unsafe posix_spawnattr_setflags(&attributes, flags))

        var variables = environment
        variables[Privileges.parentVariable] = String(getpid())
        var child: pid_t = 0
        let status = unsafe executable.withCString { path in
            unsafe withCStrings(arguments) { argv in
                unsafe withCStrings(variables.map { "\($0.key)=\($0.value)" }) { envp in
                    unsafe posix_spawn(&child, path, &actions, &attributes, argv, envp)
                }
            }
        }
        if status != 0 { throw SystemError("posix_spawn", status, path: executable) }
        return ChildProcess(pid: child)
    }

    private func check(_ call: String, _ status: Int32) throws(SystemError) {
        if status != 0 { throw SystemError(call, status) }
    }
}
