internal import ArgumentParser
internal import Glibc
internal import IncidentCore
internal import Platform

/// The one binary. Without `--role` it is the parent; with it, one of the processes that the parent starts.
///
/// A role gives up its rights before anything else. Rights belong to threads, so `main` is not async: an async one would go on
/// in a second thread, and the first would keep them all.
@main
enum Sentineld {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3, arguments[1] == "--role" else { return ParentCommand.main() }
        guard let role = ProcessRole(rawValue: arguments[2]) else { exit(ProcessExit.usage) }
        RoleMain.giveUpRights(role, isSystem: arguments.dropFirst(3).first == "system")
        // Detached: this thread only waits from here on.
        Task.detached { exit(await RoleMain.run(role)) }
        while true { pause() }
    }
}

/// Exit statuses of the daemon's own processes.
enum ProcessExit {
    static let success: Int32 = 0
    static let failure: Int32 = 1
    static let configuration: Int32 = 2
    static let usage: Int32 = 64
}

/// What `sentineld` takes on its command line.
struct ParentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sentineld",
        abstract: "Giám sát, sao lưu và ứng cứu sự cố / Monitoring, backups and incident response.",
        discussion: """
            Không có --state: chạy như dịch vụ hệ thống. / Without --state: runs as the system's service.
            SIGHUP đọc lại cấu hình, SIGTERM dừng sau khi hoàn tất việc dở. / SIGHUP reloads, SIGTERM drains and stops.

            EXIT STATUS: 0 stopped in order, 1 failed, 2 the configuration is wrong, 64 usage.
            """,
        version: "sentinel 0.1.0")

    @Option(help: "Tệp cấu hình. / The config file.")
    var config: String?

    @Option(help: "Chạy không cần root, mọi thứ nằm trong thư mục này. / Run without root, everything in this directory.")
    var state: String?

    @Option(help: "Thư mục kịch bản, lặp lại được. / A directory of playbooks, may be repeated.")
    var playbooks: [String] = []

    @Flag(help: "Chỉ kiểm tra cấu hình rồi thoát. / Check the configuration and exit.")
    var checkConfig = false

    func run() throws {
        let status = ParentStart(command: self).run()
        if status != 0 { throw ExitCode(status) }
    }
}
