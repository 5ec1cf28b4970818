internal import ArgumentParser
internal import ControlAPI
internal import Platform

/// Options that every command takes.
struct CommonOptions: ParsableArguments {
    @Option(help: ArgumentHelp(help("Ngôn ngữ: vi hoặc en.", "Language: vi or en.")))
    var lang: Language?

    @Flag(help: ArgumentHelp(help("In JSON thay vì văn bản.", "Print JSON instead of text.")))
    var json = false

    var interface: Interface { Interface(language: lang ?? Interface.initialLanguage, isJSON: json) }
}

extension Language: ExpressibleByArgument {}

/// A command of `sentinelctl`: it returns its exit status or throws; printing the error is done here, once.
protocol SentinelCommand: AsyncParsableCommand {
    var common: CommonOptions { get }
    func execute(_ interface: Interface) async throws -> Int32
}

extension SentinelCommand {
    func run() async throws {
        let interface = common.interface
        let status: Int32
        do {
            status = try await execute(interface)
        } catch let exit as ArgumentParser.ExitCode {
            throw exit
        } catch {
            report(error, interface)
            throw ArgumentParser.ExitCode(exitStatus(of: error))
        }
        if status != 0 { throw ArgumentParser.ExitCode(status) }
    }
}

extension Int32 {
    static var success: Int32 { ControlAPI.ExitCode.success.rawValue }
}
