internal import ArgumentParser
internal import ControlAPI
internal import IncidentCore
internal import Ledger
internal import Platform

struct HoldExportCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "export-holds",
        abstract: help(
            "Danh sách các bản đang giữ, ký bằng khóa của sổ cái, cho phía lưu trữ.",
            "The held snapshots, signed with the ledger's key, for the storage side."),
        discussion: help("Xem docs/append-only.md.", "See docs/append-only.md."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Option(name: [.customShort("o"), .long], help: ArgumentHelp(help("Ghi vào tệp này.", "Write it to this file."))) var output: String?

    func execute(_ interface: Interface) async throws -> Int32 {
        let answer: TextAnswer = try await ControlClient(daemon, interface).get(Route.holdExport)
        if let output {
            try DurableFiles.replace(absolutePath(FilePath(output)), Array(answer.text.utf8), mode: 0o644)
        } else if interface.isJSON {
            interface.line(try jsonText(answer))
        } else {
            interface.line(answer.text.trimmedLine)
        }
        return .success
    }
}

struct HoldVerifyCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify-holds",
        abstract: help(
            "Kiểm tra chữ ký của một danh sách, không cần sentineld, và in danh sách ra.",
            "Check the signature of such a list, without a daemon, and print it."))
    @OptionGroup var common: CommonOptions
    @Argument(help: ArgumentHelp(help("Tệp danh sách.", "File with the list."))) var file: String
    @Option(
        help: ArgumentHelp(
            help("Khóa kiểm chứng in trên phiếu khôi phục.", "The verification key that is printed on the recovery sheet.")))
    var key: String

    func execute(_ interface: Interface) async throws -> Int32 {
        let verifier = try NoteVerifier(vkey: key)
        let bytes = try DurableFiles.read(absolutePath(FilePath(file)), limit: SignedNote.sizeLimitBytes)
        guard let note = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure(vi: "'\(file)' không phải văn bản UTF-8", en: "'\(file)' is no UTF-8 text", .damaged)
        }
        let text: String
        do {
            text = try HoldList.verify(note, key: verifier)
        } catch let error as any ExplainedError {
            throw CommandFailure(vi: error.message.vi, en: error.message.en, hint: error.hint, .damaged)
        }
        interface.line(interface.isJSON ? try jsonText(TextAnswer(text: text)) : text.trimmedLine)
        return .success
    }
}
