internal import Platform
internal import Synchronization

/// Makes records: status, link target, extended attributes, hash. One per thread; its buffer and contexts are used again for each file.
struct RecordReader: ~Copyable {
    enum Outcome {
        case record(FileRecord, isReused: Bool, ScanFinding?)
        /// It could not even be looked at.
        case unexamined(ScanFinding)
        /// It is not there (any more).
        case missing
    }

    /// Bytes per read(2): large enough that the call costs nothing beside the hash, small enough for the second-level cache.
    private static let bufferBytes = 512 * 1024
    /// How often a file that changes under the hash is read.
    private static let attempts = 3
    /// A change time younger than this may get the same value again from the next write: kernels keep time in ticks of up to 10 ms.
    private static let clockTickNanoseconds: UInt64 = 20_000_000

    private var hasher: SHA256
    private var attributes: AttributeDigest
    private var buffer: [UInt8]
    private let rate: RateLimit?

    init(rate: RateLimit? = nil) throws(CryptoError) {
        let hasher = try SHA256()
        let attributes = try AttributeDigest()
        self.hasher = hasher
        self.attributes = attributes
        buffer = [UInt8](repeating: 0, count: Self.bufferBytes)
        self.rate = rate
    }

    /// - Parameters:
    ///   - entry: The path of the entry; its last component is looked up in `directory`.
    ///   - own: The entry itself when it is a directory that is open already.
    ///   - prior: A record whose hash may be used again when nothing has touched the file since.
    mutating func read(
        _ entry: FilePath, in directory: DirectoryHandle, kind: FileStatus.Kind, own: DirectoryHandle? = nil,
        prior: FileRecord? = nil, listingFailure: FileRecord.NotHashedReason? = nil
    ) throws(CryptoError) -> Outcome {
        do {
            // Regular files are opened at once: one call less for each.
            if kind == .file, prior == nil { return try readFile(entry, in: directory) }
            let status = try own.map { try $0.status() } ?? directory.status(of: entry)
            if let prior, prior.isReusable(for: status) {
                return .record(
                    FileRecord(
                        path: entry, status: status, linkTarget: prior.linkTarget,
                        extendedAttributes: prior.extendedAttributes,
                        content: listingFailure.map { .notHashed($0) } ?? prior.content),
                    isReused: true, nil)
            }
            if status.kind == .file { return try readFile(entry, in: directory) }
            return try readOther(entry, in: directory, status, own: own, listingFailure: listingFailure)
        } catch let error as CryptoError {
            throw error
        } catch {
            return Self.outcome(of: error, entry)
        }
    }

    private mutating func readOther(
        _ entry: FilePath, in directory: DirectoryHandle, _ status: FileStatus, own: DirectoryHandle? = nil,
        listingFailure: FileRecord.NotHashedReason? = nil
    ) throws -> Outcome {
        var record = FileRecord(path: entry, status: status)
        if status.kind == .symlink { record.linkTarget = try directory.linkTarget(of: entry) }
        if let listingFailure { record.content = .notHashed(listingFailure) }
        let finding = readAttributes(into: &record) { (reader) throws in
            if let own { return try reader.ofDescriptor(own.raw, path: entry) }
            return try reader.ofEntry(entry, in: directory)
        }
        return .record(record, isReused: false, finding)
    }

    private mutating func readFile(
        _ entry: FilePath, in directory: DirectoryHandle
    ) throws -> Outcome {
        var failure: SystemError?
        let opened = Self.open(entry, in: directory, &failure)
        if let error = failure {
            if error.isMissing { return .missing }
            // A link or socket may have taken the file's place: look at what it is now.
            let status = try directory.status(of: entry)
            if status.kind != .file { return try readOther(entry, in: directory, status) }
            var record = FileRecord(path: entry, status: status)
            record.content = .notHashed(Self.reason(error))
            record.extendedAttributes = .notRead(Self.reason(error))
            return .record(record, isReused: false, Self.finding(entry, error))
        }
        guard let file = opened else { return .missing }
        return try readOpen(file, entry)
    }

    private static func open(
        _ entry: FilePath, in directory: DirectoryHandle, _ failure: inout SystemError?
    ) -> FileDescriptor? {
        do throws(SystemError) {
            return try directory.openFile(entry)
        } catch {
            failure = error
            return nil
        }
    }

    private mutating func readOpen(_ file: borrowing FileDescriptor, _ entry: FilePath) throws -> Outcome {
        var status = try file.status(path: entry)
        if status.kind != .file {
            var record = FileRecord(path: entry, status: status)
            let finding = readAttributes(into: &record) { (reader) throws in
                try reader.ofDescriptor(file.raw, path: entry)
            }
            return .record(record, isReused: false, finding)
        }
        for _ in 0..<Self.attempts {
            waitForClockTick(after: status.changed)
            var record = FileRecord(path: entry, status: status)
            let finding = readAttributes(into: &record) { (reader) throws in
                try reader.ofDescriptor(file.raw, path: entry)
            }
            do throws(SystemError) {
                record.content = .sha256(try hash(file, entry))
            } catch {
                _ = try hasher.finish()  // what was hashed so far is no message
                record.content = .notHashed(Self.reason(error))
                return .record(record, isReused: false, Self.finding(entry, error))
            }
            let after = try file.status(path: entry)
            if after.sizeBytes == status.sizeBytes, after.modified == status.modified, after.changed == status.changed {
                return .record(record, isReused: false, finding)
            }
            status = after
        }
        var record = FileRecord(path: entry, status: status)
        record.content = .notHashed(.unstable)
        let finding = readAttributes(into: &record) { (reader) throws in try reader.ofDescriptor(file.raw, path: entry) }
        return .record(
            record, isReused: false,
            finding
                ?? ScanFinding(
                    kind: .unstable, path: entry,
                    message: Phrase(
                        vi: "tệp thay đổi trong khi đang băm, đã thử \(Self.attempts) lần",
                        en: "the file changed while it was hashed, \(Self.attempts) times")))
    }

    private mutating func hash(_ file: borrowing FileDescriptor, _ entry: FilePath) throws(SystemError) -> Digest {
        var offset: UInt64 = 0
        while true {
            let count = try unsafe buffer.withUnsafeMutableBufferPointer { (bytes) throws(SystemError) -> Int in
                try unsafe file.read(into: UnsafeMutableRawBufferPointer(bytes), at: offset, path: entry)
            }
            if count == 0 { break }
            do throws(CryptoError) {
                try unsafe buffer.withUnsafeBufferPointer { (bytes) throws(CryptoError) -> Void in
                    try unsafe hasher.update(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[..<count])))
                }
            } catch {
                throw .inputOutput("SHA256", path: entry)
            }
            offset += UInt64(count)
            rate?.spend(count)
        }
        do throws(CryptoError) {
            return try hasher.finish()
        } catch {
            throw .inputOutput("SHA256", path: entry)
        }
    }

    private mutating func readAttributes(
        into record: inout FileRecord, _ read: (inout AttributeDigest) throws -> Digest?
    ) -> ScanFinding? {
        do {
            record.extendedAttributes = try read(&attributes).map { .sha256($0) } ?? .none
            return nil
        } catch let error as SystemError {
            record.extendedAttributes = .notRead(Self.reason(error))
            return Self.finding(record.path, error)
        } catch {
            record.extendedAttributes = .notRead(.other)
            return ScanFinding(kind: .unreadable, path: record.path, message: Phrase(verbatim: "\(error)"))
        }
    }

    private func waitForClockTick(after changed: Timestamp) {
        let age = Timestamp.now().seconds(since: changed)
        if age >= 0, age * 1e9 < Double(Self.clockTickNanoseconds) {
            ThreadPriority.pause(nanoseconds: Self.clockTickNanoseconds - UInt64(age * 1e9))
        }
    }

    static func reason(_ error: SystemError) -> FileRecord.NotHashedReason {
        if error.isPermission { return .permission }
        return error.isInputOutput ? .inputOutput : .other
    }

    static func finding(_ path: FilePath, _ error: SystemError) -> ScanFinding {
        ScanFinding(kind: .unreadable, path: path, message: error.message)
    }

    private static func outcome(of error: any Error, _ entry: FilePath) -> Outcome {
        if let error = error as? SystemError {
            return error.isMissing ? .missing : .unexamined(finding(entry, error))
        }
        return .unexamined(ScanFinding(kind: .unreadable, path: entry, message: Phrase(verbatim: "\(error)")))
    }
}

/// A common limit on the bytes that all threads of a scan read in a second.
final class RateLimit: Sendable {
    private let bytesPerSecond: UInt64
    private let started = Monotonic.nanoseconds()
    private let spent = Atomic<UInt64>(0)

    init(bytesPerSecond: UInt64) { self.bytesPerSecond = max(1, bytesPerSecond) }

    /// Counts bytes that were read and sleeps as long as they came too early, at most a second.
    func spend(_ count: Int) {
        let total = spent.add(UInt64(count), ordering: .relaxed).newValue
        let due = UInt64(Double(total) / Double(bytesPerSecond) * 1e9)
        let elapsed = Monotonic.nanoseconds() - started
        if due > elapsed { ThreadPriority.pause(nanoseconds: min(1_000_000_000, due - elapsed)) }
    }
}
