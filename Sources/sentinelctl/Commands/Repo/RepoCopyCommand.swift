internal import ArgumentParser
internal import BackupEngine
internal import ControlAPI
internal import Platform
internal import RemoteStorage

struct RepoCopyCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: help("Chép bản sao lưu từ kho khác vào kho này.", "Copy snapshots from another repository into this one."),
        discussion: help(
            "Không nêu mã: mọi bản khớp --host, --tag, --path. Bản đã chép được nhận ra và bỏ qua.",
            "Without IDs: all snapshots that match --host, --tag, --path. Those that were copied before are recognised and skipped."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var from: SourceRepositoryOptions
    @OptionGroup var selection: SnapshotFilterOptions
    @Argument(help: ArgumentHelp(help("Mã các bản sao lưu của kho nguồn.", "IDs of snapshots of the source."))) var snapshots: [String] = []

    private struct Line: Encodable {
        let message_type: String
        let source_snapshot_id, snapshot_id: String
    }
    private struct Summary: Encodable {
        let message_type = "summary"
        let copied, skipped: Int
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        let interruption = Interruption()
        let source = try await from.open(reachedLike: repository)
        let target = try await repository.open()
        let sourceLock = try source.lock(exclusive: false)
        defer { sourceLock.release() }
        let lock = try target.lock(exclusive: false)
        defer { lock.release() }
        let selected = try source.findSnapshots(snapshots, filter: selection.filter)
        var (copied, skipped) = (0, 0)
        var failure: (any Error)?
        try target.copy(
            selected, from: source, known: selection.filter, cancellation: interruption.flag,
            progress: { interface.progress("\(interface("chép gói", "copying packs")): \($0.packsDone)/\($0.packsTotal)") },
            event: { event in
                interface.endProgress()
                do {
                    switch event {
                    case .copied(let snapshot, let id):
                        copied += 1
                        try show("copied", snapshot, id, interface("đã chép", "copied"), interface)
                    case .present(let snapshot, let id):
                        skipped += 1
                        try show("skipped", snapshot, id, interface("đã có", "already there"), interface)
                    }
                } catch {
                    failure = error
                }
            })
        interface.endProgress()
        if let failure { throw failure }
        interface.line(
            interface.isJSON
                ? try jsonText(Summary(copied: copied, skipped: skipped))
                : interface("Đã chép \(copied) bản, \(skipped) bản đã có sẵn.", "Copied \(copied) snapshots, \(skipped) were there already."))
        return .success
    }

    private func show(_ type: String, _ snapshot: Snapshot, _ id: Digest, _ word: String, _ interface: Interface) throws {
        if interface.isJSON {
            interface.line(try jsonText(Line(message_type: type, source_snapshot_id: snapshot.id.hex, snapshot_id: id.hex)))
        } else {
            interface.line("\(snapshot.id.short) -> \(id.short)  \(CivilTime(local: snapshot.time).display)  \(word)")
        }
    }
}

/// The repository that is copied from: restic's `--from-*` options and RESTIC_FROM_* variables.
struct SourceRepositoryOptions: ParsableArguments {
    @Option(help: ArgumentHelp(help("Kho nguồn (hoặc RESTIC_FROM_REPOSITORY).", "The source (or RESTIC_FROM_REPOSITORY)."))) var fromRepo: String?
    @Option(help: ArgumentHelp(help("Tệp ghi tên kho nguồn (hoặc RESTIC_FROM_REPOSITORY_FILE).", "File with its name (or RESTIC_FROM_REPOSITORY_FILE).")))
    var fromRepositoryFile: String?
    @Option(help: ArgumentHelp(help("Tệp mật khẩu của kho nguồn (hoặc RESTIC_FROM_PASSWORD_FILE).", "File with its password (or RESTIC_FROM_PASSWORD_FILE).")))
    var fromPasswordFile: String?
    @Option(
        help: ArgumentHelp(
            help(
                "Lệnh in mật khẩu của kho nguồn (hoặc RESTIC_FROM_PASSWORD_COMMAND).",
                "Command that prints it (or RESTIC_FROM_PASSWORD_COMMAND).")))
    var fromPasswordCommand: String?
    @Option(help: ArgumentHelp(help("Khóa thử trước (hoặc RESTIC_FROM_KEY_HINT).", "Key to try first (or RESTIC_FROM_KEY_HINT)."))) var fromKeyHint: String?
    @Flag(help: ArgumentHelp(help("Kho nguồn có mật khẩu rỗng.", "The source has an empty password."))) var fromInsecureNoPassword = false

    private func name() throws -> String {
        if let file = fromRepositoryFile ?? (fromRepo == nil ? environmentValue("RESTIC_FROM_REPOSITORY_FILE") : nil) {
            return String(decoding: PasswordText.trimmed(try DurableFiles.read(FilePath(file), limit: 64 << 10)), as: UTF8.self)
        }
        return fromRepo ?? environmentValue("RESTIC_FROM_REPOSITORY") ?? ""
    }

    private func password() async throws -> [UInt8] {
        if fromInsecureNoPassword { return [] }
        if let file = fromPasswordFile ?? (fromPasswordCommand == nil ? environmentValue("RESTIC_FROM_PASSWORD_FILE") : nil) {
            return PasswordText.trimmed(try DurableFiles.read(FilePath(file), limit: 64 << 10))
        }
        if let command = fromPasswordCommand ?? environmentValue("RESTIC_FROM_PASSWORD_COMMAND") {
            return PasswordText.trimmed(try await PasswordText.output(of: command))
        }
        if let password = environmentValue("RESTIC_FROM_PASSWORD") { return Array(password.utf8) }
        return try PasswordText.ask(help("Mật khẩu kho nguồn: ", "Password of the source: "))
    }

    /// - Parameter target: Its connection and lock options hold for the source too.
    func open(reachedLike target: RepositoryOptions) async throws -> Repository {
        let name = try name()
        guard !name.isEmpty else {
            throw CommandFailure(
                vi: "chưa nêu kho nguồn", en: "no source repository was named",
                hint: Phrase(vi: "dùng --from-repo hoặc đặt RESTIC_FROM_REPOSITORY", en: "use --from-repo or set RESTIC_FROM_REPOSITORY"))
        }
        let storage = try Storage.open(try RepositoryLocation(name), try target.connection.access(isQuiet: target.quiet))
        let opened = try Repository.open(
            in: storage, password: try await password(),
            keyHint: fromKeyHint ?? environmentValue("RESTIC_FROM_KEY_HINT"))
        opened.lockPolicy = target.locking.policy(isQuiet: target.quiet)
        return opened
    }
}
