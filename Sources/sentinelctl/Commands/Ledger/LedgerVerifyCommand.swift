internal import ArgumentParser
internal import ControlAPI
internal import IncidentCore
internal import Ledger
internal import Platform

struct LedgerVerifyCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: help(
            "Kiểm chứng toàn bộ sổ cái; với --vkey cả khi sentineld không chạy.", "Verify the whole ledger; with --vkey also while sentineld is down."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Option(
        help: ArgumentHelp(
            help(
                "Khóa kiểm chứng in trên phiếu khôi phục: kiểm chứng trên bản sao, không hỏi sentineld.",
                "The verification key from the recovery sheet: verifies a copy, without asking sentineld.")))
    var vkey: String?
    @Option(
        help: ArgumentHelp(
            help("Tệp điểm chốt giữ ngoài máy này (lặp lại được), dùng với --vkey.", "A checkpoint file kept elsewhere (repeatable), with --vkey.")))
    var checkpoint: [String] = []

    func execute(_ interface: Interface) async throws -> Int32 {
        let answer: VerificationAnswer
        if let vkey {
            let notes = try checkpoint.map { String(decoding: try DurableFiles.read(FilePath($0), limit: 64 << 10), as: UTF8.self) }
            let report = try LedgerVerifier.verify(
                directory: daemon.layout.state, vkey: vkey, scratch: FilePath(environmentValue("TMPDIR") ?? "/tmp"), outsideCheckpoints: notes)
            answer = VerificationAnswer(report, key: vkey)
        } else {
            answer = try await ControlClient(daemon, interface).get(Route.ledgerVerify)
        }
        if interface.isJSON {
            interface.line(try jsonText(answer))
        } else {
            for problem in answer.problems { interface.warn("! \(interface(problem.vi, problem.en))") }
            interface.line(
                answer.isIntact
                    ? interface.green(interface("Sổ cái nguyên vẹn", "The ledger is intact"))
                    : interface.red(interface("Sổ cái có \(answer.problemCount) sai lệch", "The ledger has \(answer.problemCount) problems")))
            interface.line(
                interface(
                    "\(answer.events) sự kiện, \(answer.texts) văn bản (\(answer.redactedTexts) đã xóa), \(answer.checkpoints) điểm chốt, \(answer.batches) tệp lô.",
                    "\(answer.events) events, \(answer.texts) texts (\(answer.redactedTexts) erased), \(answer.checkpoints) checkpoints, \(answer.batches) batch files."
                ))
            interface.line("\(interface("Gốc", "Root")): \(answer.root)")
            interface.line("\(interface("Khóa kiểm chứng", "Verification key")): \(answer.verificationKey)")
        }
        return answer.isIntact ? .success : ControlAPI.ExitCode.damaged.rawValue
    }
}

struct LedgerEventsCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: help("Liệt kê sự kiện của sổ cái.", "List the events of the ledger."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Option(help: ArgumentHelp(help("Sau sự kiện số này.", "After this event."))) var after: Int64 = -1
    @Option(help: ArgumentHelp(help("Nhiều nhất bao nhiêu.", "At most so many."))) var limit = 100

    func execute(_ interface: Interface) async throws -> Int32 {
        let events: [EventAnswer] = try await ControlClient(daemon, interface).get("\(Route.ledgerEvents)?after=\(after)&limit=\(limit)")
        if interface.isJSON {
            interface.line(try jsonText(events))
        } else {
            interface.table(
                ["#", interface("Lúc", "When"), interface("Loại", "Kind"), interface("Về", "Subject"), interface("Ai", "Actor")],
                events.map { ["\($0.sequence)", timeText($0.moment), $0.kind, escapedForDisplay($0.subject), escapedForDisplay($0.actor)] })
        }
        return .success
    }
}

/// Measures the ledger on a directory of its own; for `make bench`.
struct LedgerBenchCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: help("Đo tốc độ ghi sổ cái.", "Measure appends to a ledger."), shouldDisplay: false)
    @OptionGroup var common: CommonOptions
    @Option(help: "Events.") var events = 1000
    @Option(help: "Events per commit.") var batch = 1
    @Option(help: "Directory; must be empty.") var directory: String

    private struct Result: Encodable {
        let events: Int
        let batch: Int
        let seconds: Double
        let eventsPerSecond: Double
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        let ledger = try Ledger.open(
            directory: FilePath(directory), key: .generate(), origin: "sentinel.local/bench", projections: [])
        let seconds = try await ledger.measureAppends(events, perCommit: batch)
        ledger.close()
        interface.line(try jsonText(Result(events: events, batch: batch, seconds: seconds, eventsPerSecond: Double(events) / seconds)))
        return .success
    }
}
