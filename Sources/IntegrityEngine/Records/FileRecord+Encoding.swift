internal import Platform

/// The canonical bytes of a record: one record has exactly one encoding, so equal bytes mean equal records and a hash over them means something.
///
/// Version 1, all numbers big-endian:
/// ```
/// row        = path-length u32, path, attributes
/// attributes = version u8 (1), kind u8 (FileStatus.Kind), permissions u16, uid u32, gid u32, size u64,
///              mtime seconds i64, nanoseconds u32, ctime seconds i64, nanoseconds u32,
///              inode u64, links u64, device u64, special device u64,
///              extended attributes: u8 0 none | 1, 32 bytes | 2, reason u8
///              content:             u8 0 none | 1, 32 bytes | 2, reason u8
///              link target: length u32, bytes
/// ```
extension FileRecord {
    package static let encodingVersion: UInt8 = 1
    /// Paths can be longer than PATH_MAX when they are walked, not typed.
    package static let maximumPathBytes = 64 * 1024
    package static let maximumLinkTargetBytes = 64 * 1024

    /// Path and attributes.
    package var canonicalBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(path.bytes.count + 180 + linkTarget.count)
        appendCanonical(to: &bytes)
        return bytes
    }

    func appendCanonical(to bytes: inout [UInt8]) {
        bytes.append(string: path.bytes)
        appendAttributes(to: &bytes)
    }

    /// Everything but the path: what the database keeps beside its key.
    var attributeBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(176 + linkTarget.count)
        appendAttributes(to: &bytes)
        return bytes
    }

    private func appendAttributes(to bytes: inout [UInt8]) {
        bytes.append(Self.encodingVersion)
        bytes.append(kind.rawValue)
        bytes.append(number: permissions)
        bytes.append(number: uid)
        bytes.append(number: gid)
        bytes.append(number: sizeBytes)
        for moment in [modified, changed] {
            bytes.append(number: UInt64(bitPattern: moment.seconds))
            bytes.append(number: UInt32(bitPattern: moment.nanoseconds))
        }
        bytes.append(number: inode)
        bytes.append(number: links)
        bytes.append(number: device)
        bytes.append(number: specialDevice)
        switch extendedAttributes {
        case .none: bytes.append(0)
        case .sha256(let digest):
            bytes.append(1)
            bytes.append(contentsOf: digest.bytes)
        case .notRead(let reason):
            bytes.append(2)
            bytes.append(reason.rawValue)
        }
        switch content {
        case .none: bytes.append(0)
        case .sha256(let digest):
            bytes.append(1)
            bytes.append(contentsOf: digest.bytes)
        case .notHashed(let reason):
            bytes.append(2)
            bytes.append(reason.rawValue)
        }
        bytes.append(string: linkTarget)
    }

    /// Decodes one row and nothing else.
    ///
    /// - Throws: ``IntegrityError`` `.corrupt` for anything that ``canonicalBytes`` would not write.
    package init(canonicalBytes: [UInt8]) throws(IntegrityError) {
        do throws(DecodingProblem) {
            var reader = ByteReader(canonicalBytes)
            try self.init(canonical: &reader)
            if reader.remaining != 0 { throw DecodingProblem(what: "\(reader.remaining) bytes too many") }
        } catch {
            throw .corrupt(Phrase(vi: "bản ghi tệp", en: "file record"), error.what)
        }
    }

    init(canonical reader: inout ByteReader) throws(DecodingProblem) {
        let path = try reader.string(limit: Self.maximumPathBytes)
        if path.first != FilePath.slash || path.contains(0) { throw DecodingProblem(what: "a path that is none") }
        try self.init(path: FilePath(bytes: path), attributes: &reader)
    }

    init(path: FilePath, attributeBytes: [UInt8]) throws(DecodingProblem) {
        var reader = ByteReader(attributeBytes)
        try self.init(path: path, attributes: &reader)
        if reader.remaining != 0 { throw DecodingProblem(what: "\(reader.remaining) bytes too many") }
    }

    private init(path: FilePath, attributes reader: inout ByteReader) throws(DecodingProblem) {
        let version = try reader.byte()
        if version != Self.encodingVersion { throw DecodingProblem(what: "version \(version)") }
        guard let kind = FileStatus.Kind(rawValue: try reader.byte()) else { throw DecodingProblem(what: "unknown kind") }
        self.path = path
        self.kind = kind
        permissions = try reader.number(UInt16.self)
        if permissions > 0o7777 { throw DecodingProblem(what: "permissions out of range") }
        uid = try reader.number(UInt32.self)
        gid = try reader.number(UInt32.self)
        sizeBytes = try reader.number(UInt64.self)
        modified = try Self.timestamp(&reader)
        changed = try Self.timestamp(&reader)
        inode = try reader.number(UInt64.self)
        links = try reader.number(UInt64.self)
        device = try reader.number(UInt64.self)
        specialDevice = try reader.number(UInt64.self)
        switch try Self.hash(&reader) {
        case .none: extendedAttributes = .none
        case .sha256(let digest): extendedAttributes = .sha256(digest)
        case .notHashed(let reason): extendedAttributes = .notRead(reason)
        }
        content = try Self.hash(&reader)
        linkTarget = Array(try reader.string(limit: Self.maximumLinkTargetBytes))
    }

    private static func timestamp(_ reader: inout ByteReader) throws(DecodingProblem) -> Timestamp {
        let seconds = Int64(bitPattern: try reader.number(UInt64.self))
        let nanoseconds = try reader.number(UInt32.self)
        if nanoseconds > 999_999_999 { throw DecodingProblem(what: "nanoseconds out of range") }
        return Timestamp(seconds: seconds, nanoseconds: Int32(nanoseconds))
    }

    private static func hash(_ reader: inout ByteReader) throws(DecodingProblem) -> Content {
        switch try reader.byte() {
        case 0: return .none
        case 1:
            guard let digest = Digest(try reader.take(Digest.byteCount)) else { throw DecodingProblem(what: "digest") }
            return .sha256(digest)
        case 2:
            guard let reason = NotHashedReason(rawValue: try reader.byte()) else {
                throw DecodingProblem(what: "unknown reason")
            }
            return .notHashed(reason)
        default: throw DecodingProblem(what: "unknown kind of hash")
        }
    }
}
