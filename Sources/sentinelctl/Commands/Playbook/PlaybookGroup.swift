internal import ArgumentParser
internal import ControlAPI
internal import IncidentCore
internal import Platform

struct PlaybookGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "playbook", abstract: help("Kịch bản ứng phó: xem và thực hiện từng bước.", "Playbooks: look at them, and carry out their steps."),
        subcommands: [
            PlaybookListCommand.self, PlaybookShowCommand.self, PlaybookValidateCommand.self, StepStartCommand.self,
            StepDoneCommand.self, StepSkipCommand.self, PlaybookAttachCommand.self,
        ])
}

struct PlaybookListCommand: SentinelCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: help("Liệt kê kịch bản.", "List the playbooks."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions

    func execute(_ interface: Interface) async throws -> Int32 {
        let list: [PlaybookAnswer] = try await ControlClient(daemon, interface).get(Route.playbooks)
        if interface.isJSON {
            interface.line(try jsonText(list))
        } else {
            interface.table(
                [interface("Mã", "ID"), interface("Bản", "Version"), interface("Số bước", "Steps"), interface("Tên", "Title")],
                list.map { [$0.id, $0.version, "\($0.steps.count)", interface($0.title.vi, $0.title.en)] })
        }
        return .success
    }
}

struct PlaybookShowCommand: SentinelCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: help("In một kịch bản để đọc.", "Print a playbook to read."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Argument(help: ArgumentHelp(help("Mã kịch bản.", "ID of the playbook."))) var id: String

    func execute(_ interface: Interface) async throws -> Int32 {
        let playbook: PlaybookAnswer = try await ControlClient(daemon, interface).get(Route.playbook(pathComponent(id)))
        if interface.isJSON {
            interface.line(try jsonText(playbook))
            return .success
        }
        func say(_ text: BilingualText) -> String { interface(text.vi, text.en) }
        interface.line(interface.bold(say(playbook.title)))
        interface.line(say(playbook.description))
        for (index, step) in playbook.steps.enumerated() {
            interface.line()
            interface.line(interface.bold("\(index + 1). [\(say(step.phase))] \(say(step.title))") + (step.isMandatory ? " *" : ""))
            interface.line("   \(interface("Mã bước", "Step")): \(step.id)   \(interface("Ai làm", "Who")): \(say(step.role))")
            for line in say(step.instructions).split(separator: "\n", omittingEmptySubsequences: false) { interface.line("   \(line)") }
            if let evidence = step.evidence { interface.line("   \(interface("Bằng chứng", "Evidence")): \(say(evidence))") }
            if step.next.count > 1 { interface.line("   \(interface("Chọn bước tiếp", "Choose the next")): \(step.next.joined(separator: ", "))") }
        }
        interface.line()
        interface.line(say(playbook.legalNote))
        if let offline = playbook.offlineNote { interface.line(say(offline)) }
        return .success
    }
}

struct PlaybookValidateCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: help("Kiểm tra tệp kịch bản (không cần sentineld).", "Validate a playbook file (no daemon needed)."))
    @OptionGroup var common: CommonOptions
    @Argument(help: ArgumentHelp(help("Tệp YAML.", "YAML files."))) var files: [String]

    func execute(_ interface: Interface) async throws -> Int32 {
        for file in files {
            let playbook = try Playbook.parse(try read(FilePath(file)), name: FilePath(file).description)
            interface.line(
                interface.isJSON
                    ? try jsonText(PlaybookAnswer(playbook))
                    : interface(
                        "\(file): hợp lệ (\(playbook.id), \(playbook.steps.count) bước)", "\(file): valid (\(playbook.id), \(playbook.steps.count) steps)"))
        }
        return .success
    }
}

extension PlaybookValidateCommand {
    private static let limitBytes = 1 << 20

    private func read(_ path: FilePath) throws -> [UInt8] {
        if try FileStatus.of(path).sizeBytes > Self.limitBytes {
            throw CommandFailure(
                vi: "\(path): lớn hơn 1 MiB", en: "\(path): larger than 1 MiB",
                hint: Phrase(vi: "chia nhỏ kịch bản", en: "split the playbook"), .configuration)
        }
        return try DurableFiles.read(path, limit: Self.limitBytes)
    }
}

struct PlaybookAttachCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach", abstract: help("Áp dụng một kịch bản khác cho sự cố.", "Put another playbook to work on an incident."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Argument(help: ArgumentHelp(help("Số sự cố.", "Number of the incident."))) var incident: String
    @Argument(help: ArgumentHelp(help("Mã kịch bản.", "ID of the playbook."))) var playbook: String

    func execute(_ interface: Interface) async throws -> Int32 {
        let detail: IncidentDetail = try await ControlClient(daemon, interface).post(
            Route.attach(pathComponent(incident), pathComponent(playbook)), [String: String]())
        try show(detail, interface)
        return .success
    }
}
