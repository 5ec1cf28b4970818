internal import Glibc
internal import IncidentCore
internal import Platform
internal import Synchronization

/// Everything the parent does before its loop: read the configuration, claim the state directory, set the zone.
struct ParentStart {
    let command: ParentCommand

    private var layout: StateLayout { command.state.map { .directory(absolute($0)) } ?? .system }
    private var configurationPath: FilePath { command.config.map { absolute($0) } ?? layout.configuration }

    /// - Returns: The exit status of the daemon.
    func run() -> Int32 {
        let configuration: Configuration
        do {
            configuration = try Configuration.load(path: configurationPath, checkOwner: layout.isSystem)
            if command.checkConfig {
                _ = try PlaybookLibrary.load(directories: playbookDirectories)
            }
        } catch {
            complain(error)
            return ProcessExit.configuration
        }
        Journal.language.withLock { $0 = configuration.site.language }
        if command.checkConfig {
            print(configuration.site.language == .vi ? "cấu hình hợp lệ" : "configuration OK")
            return ProcessExit.success
        }
        do {
            try StateDirectories.prepare(layout)
            let claim = try StateClaim(layout)
            guard CivilTime.setZone(configuration.site.timezone) else {
                throw DaemonError(
                    message: Phrase(
                        vi: "hệ thống không có múi giờ '\(configuration.site.timezone)'", en: "the system has no time zone '\(configuration.site.timezone)'"),
                    hint: Phrase(vi: "cài gói tzdata", en: "install the package tzdata"))
            }
            let setup = RoleSetup(
                configurationPath: configurationPath.utf8 ?? "", stateDirectory: layout.isSystem ? nil : layout.state.utf8,
                playbookDirectories: playbookDirectories.compactMap(\.utf8), restarts: 0)
            let parent = try ParentProcess(setup: setup, configuration: configuration)
            let status = try parent.run()
            claim.release()
            return status
        } catch {
            Journal.report("parent", error)
            return ProcessExit.failure
        }
    }

    private var playbookDirectories: [FilePath] {
        command.playbooks.isEmpty ? layout.playbooks : command.playbooks.map { absolute($0) }
    }

    /// The configuration is wrong: said plainly on standard error, as `error:` and `hint:`.
    private func complain(_ error: any Error) {
        let language = Journal.language.withLock { $0 }
        let explained = error as? any ExplainedError
        var text = "\(language == .vi ? "lỗi" : "error"): \(explained?.message.text(language) ?? escapedForDisplay("\(error)"))\n"
        if let hint = explained?.hint { text += "\(language == .vi ? "gợi ý" : "hint"): \(hint.text(language))\n" }
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) }
    }

    /// Paths are made absolute at once: children and reloads must not depend on the working directory.
    private func absolute(_ path: String) -> FilePath {
        if path.hasPrefix("/") { return FilePath(path).normalised }
        guard let current = unsafe getcwd(nil, 0) else { return FilePath(path) }
        defer { unsafe free(current) }
        return (FilePath(unsafe String(cString: current)) / path).normalised
    }
}
