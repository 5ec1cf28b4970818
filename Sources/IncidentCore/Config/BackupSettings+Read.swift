internal import Platform

extension BackupSettings {
    static func read(_ value: DocumentValue) -> BackupSettings? {
        guard var section = value.section() else { return nil }
        let repositories = (section.optional("repositories")?.named() ?? []).compactMap { name, value in
            value.problems.declare(.repository, name)
            return RepositorySetting.read(name, value).map { (setting: $0, value: value) }
        }
        let jobs = (section.optional("jobs")?.named() ?? []).compactMap { name, value in
            value.problems.declare(.job, name)
            return BackupJobSetting.read(name, value).map { (setting: $0, value: value) }
        }
        section.finish()
        reportSharedPaths(repositories)
        let settings = repositories.map(\.setting)
        for job in jobs { reportSelfBackup(job.setting, job.value, settings) }
        return BackupSettings(repositories: settings, jobs: jobs.map(\.setting))
    }

    private static func reportSharedPaths(_ repositories: [(setting: RepositorySetting, value: DocumentValue)]) {
        for (index, later) in repositories.enumerated() {
            guard let earlier = repositories[..<index].first(where: { $0.setting.overlaps(later.setting) }) else { continue }
            let place =
                later.setting.path.map { Phrase(vi: "đường dẫn '\($0)'", en: "the path '\($0)'") }
                ?? Phrase(vi: "địa chỉ '\(later.setting.location)'", en: "the address '\(later.setting.location)'")
            later.value.report(
                .duplicate,
                Phrase(
                    vi: "\(place.vi) trùng hoặc lồng với kho '\(earlier.setting.name)'",
                    en: "\(place.en) is that of repository '\(earlier.setting.name)', or one lies in the other"))
        }
    }

    /// A repository that is part of what it stores would grow with every backup.
    private static func reportSelfBackup(_ job: BackupJobSetting, _ value: DocumentValue, _ repositories: [RepositorySetting]) {
        for repository in repositories {
            guard let place = repository.path else { continue }
            for source in job.sources {
                guard let path = source.paths.first(where: { place.isBelow($0) }),
                    !source.excludes.contains(where: { place.isBelow(FilePath($0)) })
                else { continue }
                value.report(
                    .contradiction,
                    Phrase(
                        vi: "nguồn '\(path)' chứa kho sao lưu '\(repository.name)' ('\(place)')",
                        en: "the source '\(path)' holds repository '\(repository.name)' ('\(place)')"),
                    hint: Phrase(
                        vi: "thêm exclude: [\"\(place)\"]", en: "add exclude: [\"\(place)\"]"))
            }
        }
    }
}

extension SecretReference {
    static func read(_ value: DocumentValue) -> SecretReference? {
        guard case .mapping = value.node.value, var section = value.section() else {
            // The text is not repeated: it may be the password itself.
            value.report(
                .wrongType, Phrase(vi: "mật khẩu không được ghi trong tệp cấu hình", en: "the password must not stand in the config"),
                hint: Phrase(verbatim: "{credential: NAME} | {file: /path}"))
            return nil
        }
        let credential = section.optional("credential")
        let file = section.optional("file")
        section.finish()
        switch (credential, file) {
        case (let credential?, nil): return credential.name().map { .credential($0) }
        case (nil, let file?): return file.absolutePath().map { .file($0) }
        default:
            value.report(
                credential == nil ? .missingKey : .contradiction,
                Phrase(vi: "cần đúng một trong hai khóa credential, file", en: "exactly one of credential, file is needed"))
            return nil
        }
    }
}

extension BackupJobSetting {
    static func read(_ name: String, _ value: DocumentValue) -> BackupJobSetting? {
        guard var section = value.section() else { return nil }
        let sources = section.required("sources")?.items(maximumCount: 100).map(readSources)
        let repositories = section.required("to")?.references(to: .repository)
        let schedule = section.optional("schedule")?.schedule()
        let retention = section.optional("keep").flatMap(Retention.read)
        let objectives = section.optional("objectives").flatMap(RecoveryObjectives.read)
        let asset = section.optional("asset")?.reference(to: .asset)
        section.finish()
        guard let sources, let repositories else { return nil }
        return BackupJobSetting(
            name: name, sources: sources.files, streams: sources.streams, repositories: repositories, schedule: schedule, retention: retention,
            objectives: objectives ?? RecoveryObjectives(recoveryPointSeconds: nil, recoveryTimeSeconds: nil), asset: asset)
    }
}

extension FileSource {
    static func read(_ value: DocumentValue) -> FileSource? {
        guard var section = value.section() else { return nil }
        let paths = section.required("files")?.items()?.compactMap { $0.absolutePath() }
        let excludes = section.optional("exclude")?.items()?.compactMap { $0.line(maximumCharacters: 1000) } ?? []
        section.finish()
        return paths.map { FileSource(paths: $0, excludes: excludes) }
    }
}

extension RecoveryObjectives {
    static func read(_ value: DocumentValue) -> RecoveryObjectives? {
        guard var section = value.section() else { return nil }
        let point = section.optional("rpo")?.durationSeconds()
        let time = section.optional("rto")?.durationSeconds()
        section.finish()
        return RecoveryObjectives(recoveryPointSeconds: point, recoveryTimeSeconds: time)
    }
}

extension DrillSettings {
    static func readAll(_ value: DocumentValue) -> [DrillSettings] {
        (value.named() ?? []).compactMap { name, value in
            guard var section = value.section() else { return nil }
            let job = section.required("job")?.reference(to: .job)
            let schedule = section.optional("schedule")?.schedule()
            let assertions = section.optional("assert")?.items(maximumCount: 100)?.compactMap(assertion) ?? []
            section.finish()
            return job.map { DrillSettings(name: name, job: $0, schedule: schedule, assertions: assertions) }
        }
    }

    private static func assertion(_ value: DocumentValue) -> Assertion? {
        guard var section = value.section() else { return nil }
        section.notAvailable("command")
        let database = section.has("command") ? section.optional("sqlite-integrity") : section.required("sqlite-integrity")
        let path = database?.relativePath()
        section.finish()
        return path.map { .sqliteIntegrity($0) }
    }
}
