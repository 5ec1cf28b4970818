internal import ArgumentParser

struct RepoGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repo",
        abstract: help("Kho sao lưu định dạng restic: làm việc trực tiếp.", "Repositories in restic's format, worked on directly."),
        discussion: help(
            "Dùng cùng biến môi trường với restic: RESTIC_REPOSITORY, RESTIC_PASSWORD, RESTIC_PASSWORD_FILE, RESTIC_PASSWORD_COMMAND.",
            "Takes restic's environment: RESTIC_REPOSITORY, RESTIC_PASSWORD, RESTIC_PASSWORD_FILE, RESTIC_PASSWORD_COMMAND."),
        subcommands: [
            RepoInitCommand.self, RepoBackupCommand.self, RepoSnapshotsCommand.self, RepoLsCommand.self,
            RepoRestoreCommand.self, RepoCheckCommand.self, RepoUnlockCommand.self,
        ])
}
