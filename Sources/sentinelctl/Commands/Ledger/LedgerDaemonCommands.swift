internal import ArgumentParser
internal import ControlAPI
internal import Platform

struct LedgerCheckpointCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: help("Ký một điểm chốt mới và in ra cùng khóa kiểm chứng.", "Sign a new checkpoint; print it with the verification key."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions

    func execute(_ interface: Interface) async throws -> Int32 {
        let answer: CheckpointAnswer = try await ControlClient(daemon, interface).post(Route.ledgerCheckpoint, [String: String]())
        if interface.isJSON {
            interface.line(try jsonText(answer))
        } else {
            interface.line(answer.checkpoint)
            interface.line("\(interface("Khóa kiểm chứng", "Verification key")): \(answer.verificationKey)")
            interface.line(
                interface(
                    "Giữ một bản ngoài máy này (in ra, gửi thư): nó chứng minh sổ cái không bị viết lại.",
                    "Keep a copy outside this host (print it, mail it): it proves that the ledger was not rewritten."))
        }
        return .success
    }
}

struct LedgerProveCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "prove",
        abstract: help("In bằng chứng (tlog-proof) cho một sự kiện.", "Print the proof (tlog-proof) of one event."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Argument(help: ArgumentHelp(help("Số thứ tự sự kiện.", "Sequence number of the event."))) var sequence: Int64

    func execute(_ interface: Interface) async throws -> Int32 {
        let answer: TextAnswer = try await ControlClient(daemon, interface).get(Route.ledgerProof(sequence))
        interface.line(interface.isJSON ? try jsonText(answer) : answer.text)
        return .success
    }
}

struct LedgerRebuildCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild",
        abstract: help("Dựng lại các bảng suy diễn từ sự kiện.", "Rebuild the projections from the events."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions

    func execute(_ interface: Interface) async throws -> Int32 {
        let answer: TextAnswer = try await ControlClient(daemon, interface).post(Route.ledgerRebuild, [String: String]())
        interface.line(interface.isJSON ? try jsonText(answer) : interface("Đã dựng lại.", "Rebuilt."))
        return .success
    }
}

struct LedgerRedactCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "redact",
        abstract: help(
            "Xóa nội dung một trường văn bản; cần hai người khác nhau cùng yêu cầu.",
            "Erase one free-text field; two different people must ask for it."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Argument(help: ArgumentHelp(help("Số thứ tự sự kiện.", "Sequence number of the event."))) var sequence: Int64
    @Argument(help: ArgumentHelp(help("Tên trường.", "Name of the field."))) var field: String
    @Option(help: ArgumentHelp(help("Lý do.", "Reason."))) var reason: String

    func execute(_ interface: Interface) async throws -> Int32 {
        let answer: TextAnswer = try await ControlClient(daemon, interface).post(
            Route.ledgerRedact, RedactField(sequence: sequence, field: field, reason: reason))
        interface.line(
            interface.isJSON
                ? try jsonText(answer)
                : answer.text == "waiting"
                    ? interface("Đã ghi nhận; cần người thứ hai yêu cầu cùng nội dung.", "Recorded; a second person must ask for the same.")
                    : interface("Đã xóa nội dung; bằng chứng vẫn kiểm được.", "Erased; proofs still verify."))
        return .success
    }
}
