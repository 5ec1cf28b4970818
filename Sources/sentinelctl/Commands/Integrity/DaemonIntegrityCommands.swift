internal import ArgumentParser
internal import ControlAPI
internal import FoundationEssentials
internal import Platform

struct ScanCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan", abstract: help("Quét lại ngay bây giờ.", "Scan again now."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions

    func execute(_ interface: Interface) async throws -> Int32 {
        let client = ControlClient(daemon, interface)
        let run = try await RunFollower(client: client, interface: interface).follow(client.post(Route.scan, [String: String]()))
        interface.line(interface.isJSON ? run.result ?? "{}" : interface("Đã quét xong.", "Scan finished."))
        return .success
    }
}

struct ChangesCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "changes",
        abstract: help("Những gì khác mốc chuẩn, theo lần quan sát cuối.", "What differs from the baseline, as last observed."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions

    func execute(_ interface: Interface) async throws -> Int32 {
        try showChanges(try await ControlClient(daemon, interface).get(Route.changes), interface)
        return .success
    }
}

struct AcceptCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept",
        abstract: help("Chấp nhận các thay đổi làm trạng thái phê duyệt mới.", "Accept changes as the new approved state."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Flag(help: ArgumentHelp(help("Tất cả các thay đổi.", "All changes."))) var all = false
    @Option(help: ArgumentHelp(help("Vì sao chấp nhận (bắt buộc, ghi vào sổ cái).", "Why (required, goes into the ledger).")))
    var note: String
    @Argument(help: ArgumentHelp(help("Các đường dẫn, kể cả mọi thứ bên dưới.", "Paths, with everything below them.")))
    var paths: [String] = []

    func validate() throws {
        if all == !paths.isEmpty {
            throw ValidationError(help("nêu các đường dẫn, hoặc --all", "name paths, or --all"))
        }
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        let answer: AcceptAnswer = try await ControlClient(daemon, interface).post(
            Route.accept,
            AcceptChanges(
                pathsBase64: paths.map { Data($0.utf8).base64EncodedString() }, note: note, isBaseline: false))
        interface.line(
            interface.isJSON
                ? try jsonText(answer)
                : interface(
                    "Đã chấp nhận \(answer.rows) thay đổi (sự kiện số \(answer.sequence)).",
                    "Accepted \(answer.rows) changes (event \(answer.sequence))."))
        return .success
    }
}

struct CoverageCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "coverage",
        abstract: help("Mỗi đường dẫn được bảo đảm đến mức nào.", "Which guarantee each path has."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions

    func execute(_ interface: Interface) async throws -> Int32 {
        let answer: CoverageAnswer = try await ControlClient(daemon, interface).get(Route.coverage)
        if interface.isJSON {
            interface.line(try jsonText(answer))
            return .success
        }
        interface.table(
            [
                interface("Tên", "Name"), interface("Bảo đảm", "Guarantee"), interface("Thư mục", "Directories"), interface("Tệp", "Files"),
                interface("Đường dẫn", "Path"),
            ],
            answer.areas.map { area in
                let guarantee =
                    switch area.guarantee {
                    case "realtime": interface("tức thời", "real time")
                    case "rescan": interface("quét định kỳ", "periodic rescan")
                    default: interface("đang khởi động", "starting")
                    }
                return [area.name, guarantee, "\(area.directories)", "\(area.files)", area.path]
            })
        for blind in answer.blind {
            interface.line(
                interface(
                    "Khoảng mù: \(blind.path) từ \(blind.from) đến \(blind.to): \(blind.reason.vi)",
                    "Blind interval: \(blind.path) from \(blind.from) to \(blind.to): \(blind.reason.en)"))
        }
        return .success
    }
}
