internal import Glibc
internal import IncidentCore
internal import Platform
internal import Synchronization

/// The beginning of every process but the parent: give up rights, then do the one job.
enum RoleMain {
    /// Gives up what the role does not need, and ends the process when that fails: half given up is not given up.
    ///
    /// To be called on the only thread there is.
    static func giveUpRights(_ role: ProcessRole, isSystem: Bool) {
        FaultPoint.role.withLock { $0 = String(role.rawValue.prefix { $0 != "-" }) }
        do {
            var mode = Privileges.Mode.unprivileged
            if isSystem {
                guard let account = try UserDatabase.account(named: Privileges.serviceUser) else {
                    throw DaemonError(
                        message: Phrase(vi: "không có người dùng hệ thống 'sentinel'", en: "there is no system user 'sentinel'"),
                        hint: Phrase(
                            vi: "chép packaging/sysusers.d/sentinel.conf vào /usr/lib/sysusers.d rồi chạy 'systemd-sysusers'",
                            en: "copy packaging/sysusers.d/sentinel.conf to /usr/lib/sysusers.d and run 'systemd-sysusers'"))
                }
                mode = .system(account)
            }
            try Privileges(role: role, mode: mode).apply()
            // Ctrl-C in a terminal and a liveness probe of `restic unlock` are the parent's business, not ours.
            if role != .exec { _ = try SignalWatcher([.interrupt, .hangup]) }
        } catch {
            Journal.report(role.rawValue, error)
            exit(ProcessExit.failure)
        }
    }

    /// Does the one job.
    ///
    /// - Returns: The exit status of the process.
    static func run(_ role: ProcessRole) async -> Int32 {
        do {
            let channel = try Channel(owning: FileDescriptor(owning: RoleSpawner.firstDescriptor), sendLimitSeconds: 30)
            switch role {
            case .core: return await CoreProcess.run(channel)
            case .watch: return try WatchProcess.run(channel)
            case .backupJob, .restoreJob: return JobProcess.run(channel)
            case .exec: return await ExecProcess.run(channel)
            }
        } catch {
            Journal.report(role.rawValue, error)
            return ProcessExit.failure
        }
    }
}
