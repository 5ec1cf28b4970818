internal import ArgumentParser
internal import ControlAPI
internal import Platform

struct BaselineCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "baseline",
        abstract: help(
            "Lấy trạng thái hiện tại làm mốc chuẩn đã phê duyệt.", "Approve the present state as the baseline."),
        discussion: help(
            "Với --database TỆP và các đường dẫn: ghi mốc chuẩn riêng, không cần sentineld.",
            "With --database FILE and paths: a baseline of its own, without the daemon."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var standalone: StandaloneOptions
    @Option(help: ArgumentHelp(help("Ai phê duyệt và vì sao (ghi vào sổ cái).", "Who approved it and why (goes into the ledger).")))
    var note = ""

    func execute(_ interface: Interface) async throws -> Int32 {
        if let database = standalone.databasePath {
            let result = try StandaloneIntegrity(database: database, paths: standalone.filePaths).writeBaseline()
            interface.line(
                interface.isJSON
                    ? try jsonText(result)
                    : interface(
                        "Đã ghi mốc chuẩn: \(result.files) mục, \(result.unreadable) không đọc được.",
                        "Baseline written: \(result.files) entries, \(result.unreadable) unreadable."))
            return result.unreadable == 0 ? .success : ControlAPI.ExitCode.incomplete.rawValue
        }
        let client = ControlClient(daemon, interface)
        _ = try await RunFollower(client: client, interface: interface).follow(
            client.post(Route.scan, [String: String]()))
        let answer: AcceptAnswer = try await client.post(
            Route.accept, AcceptChanges(pathsBase64: [], note: note, isBaseline: true))
        interface.line(
            interface.isJSON
                ? try jsonText(answer)
                : interface(
                    "Mốc chuẩn đã phê duyệt: \(answer.rows) mục, gốc \(answer.root.prefix(16))…, sự kiện số \(answer.sequence).",
                    "Baseline approved: \(answer.rows) entries, root \(answer.root.prefix(16))…, event \(answer.sequence)."))
        return .success
    }
}

/// Options of the commands that work alone, on a database file of their own.
struct StandaloneOptions: ParsableArguments {
    @Option(help: ArgumentHelp(help("Tệp mốc chuẩn riêng (không cần sentineld).", "A baseline file of its own (no daemon needed).")))
    var database: String?

    @Argument(help: ArgumentHelp(help("Các thư mục cần quét, cùng với --database.", "Directories to scan, with --database.")))
    var paths: [String] = []

    var databasePath: FilePath? { database.map { FilePath($0) } }
    var filePaths: [FilePath] { paths.map { FilePath($0) } }

    func validate() throws {
        if database == nil, !paths.isEmpty {
            throw ValidationError(
                help(
                    "đường dẫn chỉ dùng cùng --database; các thư mục của dịch vụ nằm trong cấu hình",
                    "paths go with --database only; what the service watches stands in its configuration"))
        }
        if database != nil, paths.isEmpty {
            throw ValidationError(help("--database cần ít nhất một thư mục", "--database needs at least one directory"))
        }
    }
}
