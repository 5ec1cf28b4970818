internal import ArgumentParser

struct RepoGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repo",
        abstract: help("Kho sao lưu định dạng restic: làm việc trực tiếp.", "Repositories in restic's format, worked on directly."),
        discussion: help(
            "Dùng cùng biến môi trường với restic: RESTIC_REPOSITORY, RESTIC_PASSWORD, RESTIC_PASSWORD_FILE, RESTIC_PASSWORD_COMMAND.",
            "Takes restic's environment: RESTIC_REPOSITORY, RESTIC_PASSWORD, RESTIC_PASSWORD_FILE, RESTIC_PASSWORD_COMMAND."),
        subcommands: writing + reading + maintaining)

    private static let writing: [any ParsableCommand.Type] = [
        RepoInitCommand.self,
        RepoBackupCommand.self,
        RepoRestoreCommand.self,
    ]

    private static let reading: [any ParsableCommand.Type] = [
        RepoSnapshotsCommand.self,
        RepoLsCommand.self,
        RepoFindCommand.self,
        RepoDiffCommand.self,
        RepoDumpCommand.self,
        RepoStatsCommand.self,
        RepoCatCommand.self,
        RepoListCommand.self,
        RepoCheckCommand.self,
    ]

    private static let maintaining: [any ParsableCommand.Type] = [
        RepoForgetCommand.self,
        RepoPruneCommand.self,
        RepoCopyCommand.self,
        RepoTagCommand.self,
        RepoRewriteCommand.self,
        RepoRepairGroup.self,
        RepoRecoverCommand.self,
        RepoKeyGroup.self,
        RepoUnlockCommand.self,
    ]
}
