internal import Glibc
internal import Platform

extension BackupJobSetting {
    /// The sources of a job: each item is files with their exclusions, or one database or command.
    static func readSources(_ items: [DocumentValue]) -> (files: [FileSource], streams: [StreamSetting]) {
        var files: [FileSource] = []
        var streams: [StreamSetting] = []
        var taken: Set<FilePath> = []
        let kinds = StreamSetting.Kind.allCases
        for item in items {
            guard let section = item.section() else { continue }
            let names = ["files"] + kinds.map(\.rawValue)
            let given = names.filter { section.has($0) }
            if given.count > 1 {
                item.report(
                    .contradiction,
                    Phrase(
                        vi: "mỗi nguồn chỉ có một trong các khóa \(names.joined(separator: ", "))",
                        en: "a source has exactly one of \(names.joined(separator: ", "))"))
                continue
            }
            guard let kind = given.first.flatMap(StreamSetting.Kind.init(rawValue:)) else {
                if let source = FileSource.read(item) { files.append(source) }
                continue
            }
            guard let stream = StreamSetting.read(kind, item) else { continue }
            for path in stream.paths where !taken.insert(path).inserted {
                item.report(
                    .duplicate,
                    Phrase(vi: "'\(path)' đã có nguồn khác trong việc này", en: "'\(path)' is taken by another source of this job"),
                    hint: Phrase(
                        vi: "đặt 'name' khác; 'globals' chỉ ghi một lần cho mỗi việc", en: "give it another 'name'; 'globals' stands once in a job"))
            }
            streams.append(stream)
        }
        return (files, streams)
    }
}

extension StreamSetting {
    /// Dumps longer than this are a mistake in the configuration.
    private static let longestSeconds = 7 * 86400

    static func read(_ kind: Kind, _ value: DocumentValue) -> StreamSetting? {
        guard var section = value.section() else { return nil }
        let content = section.required(kind.rawValue)
        section.finish()
        guard let content else { return nil }
        switch kind {
        case .sqlite:
            guard let path = content.absolutePath(), let text = path.utf8 else { return nil }
            return StreamSetting(kind: .sqlite, name: text)
        case .postgresql, .mariadb: return database(kind, content)
        case .command: return command(content)
        }
    }

    /// `{database: D, name: N, socket: /path | host: H, port: P, user: U, password: …, globals: true, timeout: 2h}`
    private static func database(_ kind: Kind, _ value: DocumentValue) -> StreamSetting? {
        guard var section = value.section() else { return nil }
        var result = StreamSetting(kind: kind)
        let database = section.required("database")?.line()
        let name = section.optional("name").map { $0.name() }
        result.socket = section.optional("socket")?.absolutePath()?.utf8
        let host = section.optional("host")
        result.host = host?.line()
        result.port = section.optional("port")?.integer(1...65535)
        result.user = section.optional("user")?.line()
        switch section.optional("password").flatMap(SecretReference.read) {
        case .credential(let name): result.passwordCredential = name
        case .file(let path): result.passwordFile = path.utf8
        case nil: break
        }
        if kind == .postgresql { result.globals = section.optional("globals")?.boolean() ?? false }
        if let seconds = section.optional("timeout")?.durationSeconds(maximum: longestSeconds) { result.timeoutSeconds = seconds }
        section.finish()
        if result.socket != nil, let host {
            host.report(.contradiction, Phrase(vi: "chỉ dùng một trong hai: socket, host", en: "use either socket or host, not both"))
        }
        if let text = result.host, text.hasPrefix("/") {
            host?.report(.wrongValue, Phrase(vi: "'\(text)' là đường dẫn: dùng khóa 'socket'", en: "'\(text)' is a path: use the key 'socket'"))
        }
        guard let database else { return nil }
        result.database = database
        switch name {
        case .some(let given):
            guard let given else { return nil }
            result.name = given
        case nil:
            // The name of a file: a database called otherwise needs one.
            guard DocumentValue.isName(database) else {
                value.report(
                    .missingKey,
                    Phrase(
                        vi: "tên cơ sở dữ liệu '\(value.excerpt(database))' không làm tên tệp được, cần khóa 'name'",
                        en: "the database name '\(value.excerpt(database))' cannot name a file, the key 'name' is needed"),
                    hint: DocumentValue.nameHint)
                return nil
            }
            result.name = database
        }
        return result
    }

    /// `{argv: [/abs/prog, …], name: N, timeout: 10m, limit: 20GiB}`
    private static func command(_ value: DocumentValue) -> StreamSetting? {
        guard var section = value.section() else { return nil }
        var result = StreamSetting(kind: .command)
        let argv = section.required("argv")
        let words = argv?.items(maximumCount: 200)?.compactMap { $0.string(maximumCharacters: 4000) }
        let name = section.required("name")?.name()
        if let seconds = section.optional("timeout")?.durationSeconds(maximum: longestSeconds) { result.timeoutSeconds = seconds }
        let limit = section.optional("limit")
        if let text = limit?.string() {
            result.limitBytes = ByteSize.bytes(text)
            if result.limitBytes == nil {
                limit?.report(.wrongValue, Phrase(vi: "'\(text)' không phải dung lượng", en: "'\(text)' is no amount of storage"), hint: ByteSize.hint)
            }
        }
        section.finish()
        guard let words, let name, let program = words.first else { return nil }
        let path = FilePath(program)
        if !path.isAbsolute || path.components.contains(Array("..".utf8)) {
            argv?.report(
                .wrongValue, Phrase(vi: "'\(path)' không phải đường dẫn tuyệt đối", en: "'\(path)' is not an absolute path"),
                hint: Phrase(
                    vi: "không có shell: mục đầu là chương trình, mỗi mục sau là đúng một tham số",
                    en: "there is no shell: the first item is the program, each further one exactly one argument"))
            return nil
        }
        result.argv = words
        result.name = name
        return result
    }
}

/// Programs of the configuration that somebody else than root could replace.
enum ProgramTrust {
    /// - Returns: Why the program must not be run by the installed service; nil when only root can change it. A missing one harms nobody.
    static func problem(_ program: FilePath) -> Phrase? {
        guard let resolved = real(program) else { return nil }
        for start in [program, resolved] {
            var path = start
            while true {
                if let status = try? FileStatus.of(path), status.uid != 0 || status.permissions & 0o022 != 0 {
                    return Phrase(
                        vi: "người khác root sửa được '\(path)', nên không chạy '\(program)'",
                        en: "others than root may change '\(path)', so '\(program)' is not run")
                }
                if path.components.isEmpty { break }
                path = path.parent
            }
        }
        return nil
    }

    private static func real(_ path: FilePath) -> FilePath? {
        guard let text = unsafe path.withCString({ unsafe realpath($0, nil) }) else { return nil }
        defer { unsafe free(text) }
        return unsafe FilePath(String(cString: text))
    }
}
