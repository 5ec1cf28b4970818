package import BackupEngine
internal import NIOHTTP1
package import Platform
internal import Synchronization

/// A repository on a REST server, in restic's REST protocol. Blocking; for threads of our own.
///
/// Trusts no answer: lengths must match, and what was uploaded is asked for before ``save(_:_:_:)`` returns. Requests that
/// fail for a reason that may pass are tried again; see ``RetryPolicy``.
package final class RestRepository: Backend {
    package let description: String
    package let connections: Int

    private let client: RestClient
    private let access: StorageAccess
    /// True once the server has answered anything.
    private let hasAnswered = Atomic<Bool>(false)

    /// - Throws: `.invalidArgument` for options and certificates that cannot be used.
    package init(_ address: RestAddress, _ access: StorageAccess) throws(RepositoryError) {
        description = address.description
        self.access = access
        connections = try Self.connections(access, "rest.connections")
        client = try RestClient(address, access, connections: connections)
    }

    /// A server that a process of ours is; it ends with this value.
    init(_ rclone: RcloneServer, _ access: StorageAccess, description: String) throws(RepositoryError) {
        self.description = description
        self.access = access
        connections = try Self.connections(access, "rclone.connections")
        var access = access
        (access.user, access.password) = (rclone.user, rclone.password)
        (access.authorities, access.clientCertificate) = (nil, nil)
        client = try RestClient(access, connections: connections) { () throws(RestFailure) in try rclone.base() }
    }

    private static func connections(_ access: StorageAccess, _ name: String) throws(RepositoryError) -> Int {
        guard let option = access.options[name] else { return 5 }
        guard let number = Int(option), (1...64).contains(number) else {
            throw RepositoryError(.invalidArgument, Phrase(vi: "\(name) phải từ 1 đến 64", en: "\(name) must be from 1 to 64"))
        }
        return number
    }

    // MARK: Making and config

    package func create() throws(RepositoryError) {
        let what = Phrase(vi: "tạo kho", en: "making the repository")
        try attempting(what) { _ throws(RestFailure) in
            try succeed(RestRequest(method: .POST, path: "?create=true", what: what, body: []))
        }
    }

    package func loadConfiguration(limit: Int) throws(RepositoryError) -> [UInt8] {
        do throws(RepositoryError) {
            return try load("config", limit: limit, what: Phrase(vi: "đọc config", en: "reading config"))
        } catch {
            guard error.code == .missing else { throw error }
            throw RepositoryError(
                .noRepository, Phrase(vi: "không có kho sao lưu ở \(description)", en: "there is no repository at \(description)"),
                hint: Phrase(
                    vi: "kiểm tra địa chỉ, hoặc tạo kho bằng 'sentinelctl repo init'",
                    en: "check the address, or make a repository with 'sentinelctl repo init'"),
                cause: error)
        }
    }

    package func saveConfiguration(_ bytes: [UInt8]) throws(RepositoryError) {
        do throws(RepositoryError) {
            // rest-server refuses to replace a config, rclone does not.
            if try size(of: "config", what: Phrase(vi: "ghi config", en: "writing config")) != nil {
                throw RepositoryError(.exists, Phrase(vi: "config đã tồn tại", en: "config exists already"))
            }
            try save("config", bytes, what: Phrase(vi: "ghi config", en: "writing config"), replaces: false)
        } catch {
            guard error.code == .exists else { throw error }
            throw RepositoryError(
                .exists, Phrase(vi: "đã có kho sao lưu ở \(description)", en: "there is a repository at \(description) already"), cause: error)
        }
    }

    // MARK: Reading

    package func list(_ type: FileType) throws(RepositoryError) -> [StoredFile] {
        let what = Phrase(vi: "liệt kê \(type.rawValue)", en: "listing \(type.rawValue)")
        let answer = try attempting(what) { _ throws(RestFailure) -> RestAnswer? in
            let request = RestRequest(
                method: .GET, path: "\(type.rawValue)/", what: what, target: .collect(limit: RestListing.sizeLimitBytes), expectedBytes: 1 << 20)
            do throws(RestFailure) {
                return try whole(request)
            } catch {
                // A type that holds nothing may have no directory.
                if error.status == 404 { return nil }
                throw error
            }
        }
        guard let answer else { return [] }
        if answer.contentType == "application/vnd.x.restic.rest.v2" { return try RestListing.files(answer.body) }
        // The old protocol tells no sizes.
        var files: [StoredFile] = []
        for id in try RestListing.names(answer.body) {
            if let size = try size(of: "\(type.rawValue)/\(id.hex)", what: what) { files.append(StoredFile(id: id, sizeBytes: size)) }
        }
        return files
    }

    /// Size of a file in bytes; nil when there is none.
    private func size(of path: String, what: Phrase) throws(RepositoryError) -> UInt64? {
        try attempting(what) { _ throws(RestFailure) in try sizeOnce(of: path, what: what) }
    }

    private func sizeOnce(of path: String, what: Phrase) throws(RestFailure) -> UInt64? {
        let answer = try client.send(RestRequest(method: .HEAD, path: path, what: what))
        if answer.status == 404 { return nil }
        guard answer.isSuccess else { throw .status(answer.status, what: what) }
        guard let size = answer.announcedBytes, size >= 0 else { throw .lying("HEAD không có Content-Length", "HEAD without Content-Length") }
        return UInt64(size)
    }

    package func load(_ type: FileType, _ id: Digest, limit: Int) throws(RepositoryError) -> [UInt8] {
        try load("\(type.rawValue)/\(id.hex)", limit: limit, what: Phrase(vi: "đọc \(type.rawValue)/\(id.short)", en: "reading \(type.rawValue)/\(id.short)"))
    }

    private func load(_ path: String, limit: Int, what: Phrase) throws(RepositoryError) -> [UInt8] {
        try attempting(what) { _ throws(RestFailure) in
            let request = RestRequest(method: .GET, path: path, what: what, target: .collect(limit: limit), expectedBytes: 1 << 20)
            return try whole(request).body
        }
    }

    package func read(
        _ type: FileType, _ id: Digest, offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(RepositoryError) {
        if buffer.count == 0 { return }
        let what = Phrase(vi: "đọc \(type.rawValue)/\(id.short)", en: "reading \(type.rawValue)/\(id.short)")
        // What came before a connection was cut is not asked for again.
        var done = 0
        try attempting(what) { _ throws(RestFailure) in
            let first = offset + UInt64(done)
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = rest.count
            let request = unsafe RestRequest(
                method: .GET, path: "\(type.rawValue)/\(id.hex)", what: what,
                headers: [("Range", "bytes=\(first)-\(offset + UInt64(buffer.count) - 1)")], target: .fill(rest), expectedBytes: count)
            let answer = try client.send(request) { partial in
                if partial.status == 206, partial.range?.start == first { done += min(partial.receivedBytes, count) }
            }
            if answer.status == 416 { throw tooShort(type, id) }
            guard answer.isSuccess else { throw .status(answer.status, what: what, detail: detail(answer)) }
            if answer.status == 200, first == 0 {
                // The whole file instead of a part, and it was no longer than the part.
                done = answer.receivedBytes
            } else if answer.status != 206 || answer.range?.start != first {
                throw RestFailure(
                    Phrase(vi: "máy chủ không đọc được một phần của tệp", en: "the server does not serve parts of files"),
                    hint: Phrase(vi: "dùng rest-server, hoặc proxy giữ nguyên Range", en: "use rest-server, or a proxy that keeps Range"), isPermanent: true)
            }
            if done == buffer.count { return }
            if let total = answer.range?.total, total < offset + UInt64(buffer.count) { throw tooShort(type, id) }
            throw .lying("\(answer.receivedBytes) byte thay vì \(count)", "\(answer.receivedBytes) bytes instead of \(count)")
        }
    }

    private func tooShort(_ type: FileType, _ id: Digest) -> RestFailure {
        RestFailure(
            .corrupt(Phrase(vi: "\(type.rawValue)/\(id.short) ngắn hơn chỉ mục ghi", en: "\(type.rawValue)/\(id.short) is shorter than the index says")))
    }

    package func age(of type: FileType, _ id: Digest) throws(RepositoryError) -> Double? {
        let path = "\(type.rawValue)/\(id.hex)"
        let what = Phrase(vi: "hỏi tuổi \(type.rawValue)/\(id.short)", en: "asking the age of \(type.rawValue)/\(id.short)")
        return try attempting(what) { _ throws(RestFailure) -> Double? in
            let answer = try client.send(RestRequest(method: .HEAD, path: path, what: what))
            guard answer.isSuccess || answer.status == 404 else { throw .status(answer.status, what: what) }
            guard let now = answer.headers.first(name: "date").flatMap(HTTPDate.timestamp),
                let stored = answer.headers.first(name: "last-modified").flatMap(HTTPDate.timestamp)
            else { return nil }
            return now.seconds(since: stored)
        }
    }

    // MARK: Writing

    package func save(_ type: FileType, _ id: Digest, _ bytes: [UInt8]) throws(RepositoryError) {
        try save(
            "\(type.rawValue)/\(id.hex)", bytes, what: Phrase(vi: "ghi \(type.rawValue)/\(id.short)", en: "writing \(type.rawValue)/\(id.short)"),
            replaces: true)
    }

    /// Uploads a file, and believes it stored when the server says how long it is.
    ///
    /// - Parameter replaces: A file of this name with other content is damaged and gives way; else it is `.exists`.
    private func save(_ path: String, _ bytes: [UInt8], what: Phrase, replaces: Bool) throws(RepositoryError) {
        try attempting(what) { number throws(RestFailure) in
            // The answer to the attempt before may have been lost, and the file be there.
            if number > 1, try holds(path, bytes, what: what) { return }
            let answer = try client.send(RestRequest(method: .POST, path: path, what: what, body: bytes))
            if answer.status == 403 {
                try resolveRefusal(path, bytes, what: what, replaces: replaces, answer)
                return
            }
            guard answer.status == 200 || answer.status == 201 else { throw .status(answer.status, what: what, detail: detail(answer)) }
            guard let stored = try sizeOnce(of: path, what: what) else {
                throw .lying("nhận \(path) nhưng không lưu", "took \(path) and did not store it")
            }
            guard stored == UInt64(bytes.count) else {
                throw .lying("lưu \(stored) trong \(bytes.count) byte của \(path)", "stored \(stored) of \(bytes.count) bytes of \(path)")
            }
        }
    }

    /// True when the server has exactly these bytes under this name.
    private func holds(_ path: String, _ bytes: [UInt8], what: Phrase) throws(RestFailure) -> Bool {
        guard try sizeOnce(of: path, what: what) == UInt64(bytes.count) else { return false }
        let request = RestRequest(method: .GET, path: path, what: what, target: .compare(bytes), expectedBytes: bytes.count)
        let answer = try whole(request)
        return answer.isEqual && answer.receivedBytes == bytes.count
    }

    /// 403: the file is there already, or this user may not write.
    private func resolveRefusal(
        _ path: String, _ bytes: [UInt8], what: Phrase, replaces: Bool, _ answer: RestAnswer
    ) throws(RestFailure) {
        if try holds(path, bytes, what: what) { return }
        guard try sizeOnce(of: path, what: what) != nil else { throw .status(403, what: what, detail: detail(answer)) }
        guard replaces else {
            throw RestFailure(RepositoryError(.exists, Phrase(vi: "\(path) đã tồn tại", en: "\(path) exists already")))
        }
        // The name is the hash of the content: what is there is damaged.
        try succeed(RestRequest(method: .DELETE, path: path, what: what))
        try succeed(RestRequest(method: .POST, path: path, what: what, body: bytes))
        guard try holds(path, bytes, what: what) else { throw .lying("không giữ đúng \(path)", "did not keep \(path) as it was sent") }
    }

    package func remove(_ type: FileType, _ id: Digest) throws(RepositoryError) {
        let what = Phrase(vi: "xóa \(type.rawValue)/\(id.short)", en: "removing \(type.rawValue)/\(id.short)")
        try attempting(what) { _ throws(RestFailure) in
            do throws(RestFailure) {
                try succeed(RestRequest(method: .DELETE, path: "\(type.rawValue)/\(id.hex)", what: what))
            } catch {
                if error.status != 404 { throw error }
            }
        }
    }

    // MARK: Requests

    /// Sends a request that must succeed.
    private func succeed(_ request: RestRequest) throws(RestFailure) {
        let answer = try client.send(request)
        guard answer.isSuccess else { throw .status(answer.status, what: request.what, detail: detail(answer)) }
    }

    /// Sends a request whose answer must be whole, as long as announced.
    private func whole(_ request: RestRequest) throws(RestFailure) -> RestAnswer {
        let answer = try client.send(request)
        guard answer.isSuccess else { throw .status(answer.status, what: request.what, detail: detail(answer)) }
        guard answer.status == 200 else { throw .lying("HTTP \(answer.status) cho cả tệp", "HTTP \(answer.status) for a whole file") }
        if let announced = answer.announcedBytes, announced != answer.receivedBytes {
            throw .lying("\(answer.receivedBytes) trong \(announced) byte", "\(answer.receivedBytes) of \(announced) bytes")
        }
        return answer
    }

    /// The first line of what a server says beside a failure.
    private func detail(_ answer: RestAnswer) -> String {
        String(decoding: answer.body.prefix { $0 != 10 && $0 != 13 }, as: UTF8.self)
    }

    /// Runs `body` until it succeeds, fails for good, or the time is over.
    private func attempting<Result>(_ what: Phrase, _ body: (Int) throws(RestFailure) -> Result) throws(RepositoryError) -> Result {
        let began = Monotonic.nanoseconds()
        var generator = SystemRandomNumberGenerator()
        var number = 1
        while true {
            do throws(RestFailure) {
                let result = try body(number)
                hasAnswered.store(true, ordering: .relaxed)
                return result
            } catch {
                if error.status != nil { hasAnswered.store(true, ordering: .relaxed) }
                if error.isPermanent { throw inContext(error.error, attempts: 1) }
                let elapsed = Double(Monotonic.nanoseconds() - began) / 1e9
                let limit = hasAnswered.load(ordering: .relaxed) ? access.retry.totalSeconds : access.retry.firstContactSeconds
                let pause = access.retry.pauseSeconds(after: number, using: &generator)
                if elapsed + pause > limit { throw inContext(error.error, attempts: number) }
                let seconds = (pause * 10).rounded() / 10
                access.onRetry?(
                    Phrase(vi: "\(error.error.message.vi); thử lại sau \(seconds) giây", en: "\(error.error.message.en); trying again in \(seconds) s"))
                try wait(pause)
                number += 1
            }
        }
    }

    private func wait(_ seconds: Double) throws(RepositoryError) {
        let end = Monotonic.nanoseconds() + UInt64(seconds * 1e9)
        while true {
            try access.cancellation?.check()
            let now = Monotonic.nanoseconds()
            if now >= end { return }
            ThreadPriority.pause(nanoseconds: min(200_000_000, end - now))
        }
    }

    /// The same error, saying which repository, and how often it was tried.
    private func inContext(_ error: RepositoryError, attempts: Int) -> RepositoryError {
        guard error.code == .storage || error.code == .missing else { return error }
        let suffix =
            attempts > 1 ? Phrase(vi: " (đã thử \(attempts) lần)", en: " (after \(attempts) attempts)") : Phrase(verbatim: "")
        return RepositoryError(
            error.code,
            Phrase(
                vi: "\(description): \(error.message.vi)\(suffix.vi)", en: "\(description): \(error.message.en)\(suffix.en)"),
            hint: error.hint, cause: error.cause)
    }
}
