package import Platform

extension Configuration {
    /// Larger config files are refused.
    package static let maximumBytes = 1 << 20

    /// Reads and checks a config file.
    ///
    /// - Parameter checkOwner: True for the installed service: the file must belong to root and nobody else may write to it.
    /// - Throws: All problems at once.
    package static func load(path: FilePath, checkOwner: Bool) throws(ConfigError) -> Configuration {
        let bytes: [UInt8]
        do throws(DocumentFileError) {
            bytes = try DocumentFile.read(path, limit: maximumBytes, checkOwner: checkOwner)
        } catch {
            throw ConfigError([error.problem])
        }
        let configuration = try parse(bytes, name: path.description)
        if checkOwner {
            let programs = configuration.backup.jobs.flatMap(\.streams).compactMap { $0.argv.first.map { FilePath($0) } }
            let problems = programs.compactMap(ProgramTrust.problem).map { problem in
                DocumentProblem(
                    .unsafeOwner, file: path.description, position: nil, problem: problem,
                    hint: Phrase(vi: "đổi chủ và quyền: chown root:root, chmod go-w", en: "chown root:root, chmod go-w"))
            }
            if !problems.isEmpty { throw ConfigError(problems) }
        }
        return configuration
    }

    /// Checks the text of a config file.
    ///
    /// - Parameter name: The name of the file for messages.
    /// - Throws: All problems at once.
    package static func parse(_ bytes: [UInt8], name: String) throws(ConfigError) -> Configuration {
        let root: YAMLNode
        do throws(YAMLError) {
            root = try YAMLDocument.parse(bytes, file: name, limits: YAMLLimits(byteCount: maximumBytes))
        } catch {
            throw ConfigError([DocumentProblem(error)])
        }
        let problems = DocumentProblems(file: name)
        let configuration = read(DocumentValue(node: root, path: "", problems: problems), digest: digest(of: bytes, problems))
        problems.resolveReferences()
        guard problems.isEmpty, let configuration else { throw ConfigError(problems.sorted) }
        return configuration
    }

    private static func digest(of bytes: [UInt8], _ problems: DocumentProblems) -> Digest? {
        do throws(CryptoError) {
            return try SHA256.hash(bytes)
        } catch {
            problems.report(.unreadable, at: nil, error.message, hint: error.hint)
            return nil
        }
    }

    private static func read(_ root: DocumentValue, digest: Digest?) -> Configuration? {
        guard case .mapping = root.node.value, var section = root.section() else {
            root.problems.report(
                .wrongType, at: root.position,
                Phrase(vi: "tệp cấu hình phải gồm các khóa 'tên: giá trị'", en: "a config file must be a mapping of keys"))
            return nil
        }
        let site = section.required("site").flatMap(Site.read)
        let team = section.optional("team").flatMap(Team.read) ?? Team(people: [], roles: [:])
        let assets = section.optional("assets").map(Asset.readAll) ?? []
        let integrity =
            section.optional("integrity").flatMap(IntegritySettings.read)
            ?? IntegritySettings(watch: [], rescan: IntegritySettings.standardRescan)
        let health = section.optional("health").flatMap(HealthSettings.read) ?? HealthSettings(checks: [])
        let backup = section.optional("backup").flatMap(BackupSettings.read) ?? BackupSettings(repositories: [], jobs: [])
        let drills = section.optional("drills").map(DrillSettings.readAll) ?? []
        let notify = section.optional("notify").flatMap(NotifySettings.read) ?? NotifySettings(channels: [], routes: [])
        let control = section.optional("control").flatMap(ControlSettings.read) ?? .standard
        section.finish()
        guard let site, let digest else { return nil }
        return Configuration(
            site: site, team: team, assets: assets, integrity: integrity, health: health, backup: backup, drills: drills,
            notify: notify, control: control, digest: digest)
    }
}

extension Site {
    static func read(_ value: DocumentValue) -> Site? {
        guard var section = value.section() else { return nil }
        let name = section.required("name")?.line()
        let code = section.required("code").flatMap(siteCode)
        let language = section.optional("language").map { $0.choice(Language.self) } ?? .vi
        let timezone = section.optional("timezone").map(zone) ?? "Asia/Ho_Chi_Minh"
        section.finish()
        guard let name, let code, let language, let timezone else { return nil }
        return Site(name: name, code: code, language: language, timezone: timezone)
    }

    /// 2 to 12 capital letters and digits: it stands in front of every incident number and is read out on the telephone.
    private static func siteCode(_ value: DocumentValue) -> String? {
        guard let text = value.string() else { return nil }
        let isValid = (2...12).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) }
        if isValid { return text }
        value.report(
            .wrongValue, Phrase(vi: "mã '\(value.excerpt(text))' không hợp lệ", en: "'\(value.excerpt(text))' is no valid code"),
            hint: Phrase(vi: "dùng 2 đến 12 chữ in hoa không dấu và chữ số, ví dụ DK01", en: "use 2 to 12 capital letters and digits, such as DK01"))
        return nil
    }

    private static func zone(_ value: DocumentValue) -> String? {
        guard let text = value.string() else { return nil }
        if CivilTime.isKnownZone(text) { return text }
        value.report(
            .wrongValue,
            Phrase(vi: "hệ thống không có múi giờ '\(value.excerpt(text))'", en: "this system knows no time zone '\(value.excerpt(text))'"),
            hint: Phrase(
                vi: "ví dụ Asia/Ho_Chi_Minh; xem 'timedatectl list-timezones' (gói tzdata)",
                en: "for example Asia/Ho_Chi_Minh; see 'timedatectl list-timezones' (package tzdata)"))
        return nil
    }
}

extension Asset {
    static func readAll(_ value: DocumentValue) -> [Asset] {
        (value.named() ?? []).compactMap { name, value in
            value.problems.declare(.asset, name)
            return read(name, value)
        }
    }

    private static func read(_ name: String, _ value: DocumentValue) -> Asset? {
        guard var section = value.section() else { return nil }
        let title = section.required("name")?.line()
        let owner = section.optional("owner")?.line()
        let operatedBy = section.optional("operator")?.line()
        let level = section.optional("level")?.integer(1...5)
        let isPolice = section.optional("police")?.boolean() ?? false
        let holdsPersonalData = section.optional("personalData")?.boolean() ?? false
        section.finish()
        guard let title else { return nil }
        return Asset(
            name: name, title: title, owner: owner, operatedBy: operatedBy, level: level, isPolice: isPolice,
            holdsPersonalData: holdsPersonalData)
    }
}

extension ControlSettings {
    static func read(_ value: DocumentValue) -> ControlSettings? {
        guard var section = value.section() else { return nil }
        let readers = section.optional("readers").map(group) ?? standard.readers
        let responders = section.optional("responders").map(group) ?? standard.responders
        let administrators = section.optional("administrators").map(group) ?? standard.administrators
        section.finish()
        guard let readers, let responders, let administrators else { return nil }
        return ControlSettings(readers: readers, responders: responders, administrators: administrators)
    }

    /// A group name as `groupadd` takes it: lower case, at most 32 characters.
    private static func group(_ value: DocumentValue) -> String? {
        guard let text = value.string() else { return nil }
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        let isValid =
            text.utf8.count <= 32 && text.utf8.first.map { letters.contains($0) || $0 == 0x5F } == true
            && text.utf8.allSatisfy { letters.contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F || $0 == 0x2D }
        if isValid { return text }
        value.report(
            .wrongValue,
            Phrase(vi: "'\(value.excerpt(text))' không phải tên nhóm người dùng", en: "'\(value.excerpt(text))' is no name of a group"),
            hint: Phrase(vi: "dùng chữ thường không dấu, chữ số, - và _", en: "use lower-case letters, digits, - and _"))
        return nil
    }
}
