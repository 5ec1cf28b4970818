internal import IncidentCore
internal import Platform
internal import Synchronization

/// The beginning of every process but the parent: give up rights, then do the one job.
enum RoleMain {
    /// - Returns: The exit status of the process.
    static func run(_ role: ProcessRole, isSystem: Bool) async -> Int32 {
        FaultPoint.role.withLock { $0 = String(role.rawValue.prefix { $0 != "-" }) }
        do {
            var mode = Privileges.Mode.unprivileged
            if isSystem {
                guard let account = try UserDatabase.account(named: Privileges.serviceUser) else {
                    throw DaemonError(
                        message: Phrase(vi: "không có người dùng hệ thống 'sentinel'", en: "there is no system user 'sentinel'"),
                        hint: Phrase(
                            vi: "chạy 'systemd-sysusers packaging/sysusers.d/sentinel.conf' hoặc cài lại gói",
                            en: "run 'systemd-sysusers packaging/sysusers.d/sentinel.conf' or install the package again"))
                }
                mode = .system(account)
            }
            try Privileges(role: role, mode: mode).apply()
            // Ctrl-C in a terminal and a liveness probe of `restic unlock` are the parent's business, not ours.
            if role != .exec { _ = try SignalWatcher([.interrupt, .hangup]) }
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
