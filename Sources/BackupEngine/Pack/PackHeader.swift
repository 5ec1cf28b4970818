internal import Platform

/// Why the header of a pack cannot be read.
struct PackHeaderError: ExplainedError, Equatable {
    let message: Phrase
    init(_ vi: String, _ en: String) { message = Phrase(vi: vi, en: en) }
}

/// The end of a pack file: a sealed list of its blobs, then the length of the sealed list (4 bytes, little-endian).
///
/// An entry is a type byte (0 data, 1 tree, 2 compressed data, 3 compressed tree), the stored length (4 bytes), for types
/// 2 and 3 the plaintext length (4 bytes), and SHA-256 of the plaintext. Offsets follow from the lengths: blobs lie back
/// to back from 0. See "Pack Format" in restic's design document.
enum PackHeader {
    static let plainEntryBytes = 37
    static let compressedEntryBytes = 41
    static let lengthFieldBytes = 4
    /// Largest sealed header; restic refuses more.
    static let sizeLimitBytes = 16 << 20
    /// So many entries always fit into the largest header.
    static let entryLimit = (sizeLimitBytes - Sealing.overhead) / compressedEntryBytes
    /// One blob, its header and the length field.
    static let smallestPackBytes = Sealing.overhead + Sealing.overhead + plainEntryBytes + lengthFieldBytes

    static func encode(_ entries: [PackEntry]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(entries.count * compressedEntryBytes)
        for entry in entries {
            let isCompressed = entry.uncompressedLength != 0
            bytes.append(entry.type.rawValue + (isCompressed ? 2 : 0))
            append(entry.length, to: &bytes)
            if isCompressed { append(entry.uncompressedLength, to: &bytes) }
            entry.id.append(to: &bytes)
        }
        return bytes
    }

    private static func append(_ value: UInt32, to bytes: inout [UInt8]) {
        for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift))) }
    }

    /// The length field that ends a pack.
    static func lengthField(sealedHeaderBytes: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        append(UInt32(sealedHeaderBytes), to: &bytes)
        return bytes
    }

    /// Reads the length field.
    ///
    /// - Parameter packSize: Size of the whole file in bytes.
    /// - Returns: Size of the sealed header, which fits into the pack together with at least one blob.
    static func sealedHeaderBytes(lengthField: [UInt8], packSize: UInt64) throws(PackHeaderError) -> Int {
        guard lengthField.count == lengthFieldBytes, packSize >= UInt64(smallestPackBytes) else {
            throw PackHeaderError("tệp quá ngắn: \(packSize) byte", "file too short: \(packSize) bytes")
        }
        let length = lengthField.reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length >= Sealing.overhead + plainEntryBytes, length <= sizeLimitBytes,
            UInt64(length + lengthFieldBytes + Sealing.overhead) <= packSize
        else {
            throw PackHeaderError(
                "độ dài phần đầu không hợp lệ: \(length) trong tệp \(packSize) byte",
                "invalid header length: \(length) in a file of \(packSize) bytes")
        }
        return length
    }

    /// Reads the opened header.
    ///
    /// - Parameter blobBytes: Bytes of the pack before its header, which the blobs must fill exactly.
    /// - Returns: Entries in file order; offsets ascend from 0 and leave no gap.
    static func decode(_ header: [UInt8], blobBytes: UInt64) throws(PackHeaderError) -> [PackEntry] {
        var entries: [PackEntry] = []
        entries.reserveCapacity(header.count / plainEntryBytes)
        var index = 0
        var offset: UInt64 = 0
        func number(at start: Int) -> UInt32 {
            header[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        func digest(endingAt end: Int) -> Digest? {
            unsafe header.withUnsafeBytes { header in
                unsafe Digest(raw: UnsafeRawBufferPointer(rebasing: header[end - Digest.byteCount..<end]))
            }
        }
        while index < header.count {
            let kind = header[index]
            guard kind < 4, let type = BlobType(rawValue: kind & 1) else {
                throw PackHeaderError("loại mục không biết: \(kind)", "unknown entry type \(kind)")
            }
            let entryBytes = kind < 2 ? plainEntryBytes : compressedEntryBytes
            let end = index + entryBytes
            guard end <= header.count, let id = digest(endingAt: end) else {
                throw PackHeaderError("mục cuối không đầy đủ", "incomplete last entry")
            }
            let length = number(at: index + 1)
            let uncompressedLength = kind < 2 ? 0 : number(at: index + 5)
            guard length >= UInt32(Sealing.overhead), offset + UInt64(length) <= min(blobBytes, UInt64(UInt32.max)),
                kind < 2 || uncompressedLength > 0
            else { throw PackHeaderError("độ dài blob không hợp lệ: \(length)", "invalid blob length \(length)") }
            entries.append(
                PackEntry(type: type, id: id, offset: UInt32(offset), length: length, uncompressedLength: uncompressedLength))
            offset += UInt64(length)
            index += entryBytes
        }
        guard offset == blobBytes else {
            throw PackHeaderError(
                "các blob dài \(offset) byte, tệp chứa \(blobBytes)", "blobs take \(offset) bytes, the file has \(blobBytes)")
        }
        return entries
    }

    /// Size of the pack file that holds exactly these blobs.
    static func packSize(of entries: some Sequence<PackEntry>) -> UInt64 {
        var size = UInt64(Sealing.overhead + lengthFieldBytes)
        for entry in entries { size += UInt64(entry.length) + UInt64(entry.headerEntryBytes) }
        return size
    }
}
