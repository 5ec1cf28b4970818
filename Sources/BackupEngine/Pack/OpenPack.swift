internal import Platform

/// A pack that still takes blobs, in memory. A value: finishing it hands the bytes on without a copy.
struct OpenPack: Sendable {
    private(set) var bytes: [UInt8] = []
    private(set) var entries: [PackEntry] = []

    /// A pack is finished when its blobs reach this size.
    static let targetBytes = 16 << 20
    /// Address space taken at once, so that the last blob and the header cause no copy; memory only as it is filled.
    private static let reservedBytes = targetBytes + (10 << 20)

    var isEmpty: Bool { entries.isEmpty }
    var isFull: Bool { bytes.count >= Self.targetBytes || entries.count >= PackHeader.entryLimit }

    /// True when a blob of `length` stored bytes still has offsets of 32 bits.
    func hasRoom(for length: Int) -> Bool { bytes.count + length <= Int(UInt32.max) - PackHeader.sizeLimitBytes }

    mutating func append(_ handle: BlobHandle, _ sealed: UnsafeRawBufferPointer, uncompressedLength: UInt32) {
        if bytes.isEmpty { bytes.reserveCapacity(max(Self.reservedBytes, sealed.count)) }
        entries.append(
            PackEntry(
                type: handle.type, id: handle.id, offset: UInt32(bytes.count), length: UInt32(sealed.count),
                uncompressedLength: uncompressedLength))
        unsafe bytes.append(contentsOf: sealed)
    }

    /// Adds the header, reading it back before it is trusted.
    ///
    /// - Returns: The whole pack file.
    consuming func finish(with context: WorkerContext) throws(RepositoryError) -> [UInt8] {
        do {
            let header = PackHeader.encode(entries)
            let sealedHeader = try context.seal(header)
            let lengthField = PackHeader.lengthField(sealedHeaderBytes: sealedHeader.count)
            var bytes = bytes
            self.bytes = []
            let blobBytes = UInt64(bytes.count)
            bytes += sealedHeader
            bytes += lengthField
            let start =
                try bytes.count - PackHeader.lengthFieldBytes
                - PackHeader.sealedHeaderBytes(lengthField: Array(bytes.suffix(4)), packSize: UInt64(bytes.count))
            let readBack = try context.open(Array(bytes[start..<bytes.count - PackHeader.lengthFieldBytes]))
            guard try PackHeader.decode(readBack, blobBytes: blobBytes) == entries else {
                throw PackHeaderError("đọc lại khác với đã ghi", "reads back differently")
            }
            return bytes
        } catch let error as CryptoError {
            throw .crypto(error)
        } catch {
            throw RepositoryError(
                .corrupt, Phrase(vi: "kiểm tra phần đầu của pack trước khi ghi thất bại", en: "verification of a pack header before writing failed"),
                cause: error)
        }
    }
}
