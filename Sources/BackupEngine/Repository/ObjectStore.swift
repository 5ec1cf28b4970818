internal import Platform

/// The sealed files of a repository: reads and writes them whole, and blobs one by one. Knows no index.
struct ObjectStore: Sendable {
    let backend: any Backend
    let contexts: ContextPool
    let configuration: RepositoryConfiguration

    /// Larger blobs than this are refused on both ways: memory is taken for them before they are checked.
    static let blobLimitBytes = 1 << 30
    /// For snapshots and locks; index files have their own limit.
    static let documentLimitBytes = 64 << 20

    private var isCompressing: Bool { configuration.version >= 2 }

    // MARK: Index, snapshot and lock files

    /// The plaintext of an unpacked file: `0x02` and zstd frames, or JSON as it is.
    ///
    /// - Throws: `.missing`, `.storage`, or `.corrupt` when the file is not what its name says or does not open.
    func loadDocument(_ type: FileType, _ id: Digest, limit: Int = documentLimitBytes) throws(RepositoryError) -> [UInt8] {
        try contexts.use { (context) throws(RepositoryError) in
            do {
                let sealed = try loadVerified(type, id, limit: limit, context)
                return try Self.decodeDocument(try context.open(sealed), limit: limit, context)
            } catch let error as RepositoryError {
                throw error
            } catch {
                throw .corrupt(
                    Phrase(vi: "\(type.label) \(id.hex) bị hỏng", en: "\(type.label) \(id.hex) is damaged"), cause: error)
            }
        }
    }

    /// A whole file whose content has the hash that is its name. A mismatch is looked at twice: the first may be the cable's.
    private func loadVerified(
        _ type: FileType, _ id: Digest, limit: Int, _ context: WorkerContext
    ) throws -> [UInt8] {
        for _ in 0..<2 {
            let bytes = try backend.load(type, id, limit: limit)
            if try context.hash(bytes) == id { return bytes }
        }
        throw BlobMismatch.hash
    }

    /// True when the content of a small file has the hash that is its name.
    func isIntact(_ type: FileType, _ id: Digest) throws(RepositoryError) -> Bool {
        let bytes = try backend.load(type, id, limit: Self.documentLimitBytes)
        return try contexts.use { (context) throws(RepositoryError) in
            do throws(CryptoError) {
                return try context.hash(bytes) == id
            } catch {
                throw .crypto(error)
            }
        }
    }

    static func decodeDocument(_ plaintext: [UInt8], limit: Int, _ context: WorkerContext) throws -> [UInt8] {
        switch plaintext.first {
        case nil, UInt8(ascii: "{"), UInt8(ascii: "["): plaintext
        case 2: try context.decompress(Array(plaintext.dropFirst()), limit: limit)
        default: throw BlobMismatch.length
        }
    }

    /// Seals and stores an unpacked file, reading it back in memory first.
    ///
    /// - Parameter announce: Hears the name before the file is stored.
    func saveDocument(
        _ type: FileType, _ plaintext: [UInt8], announce: (Digest) -> Void = { _ in }
    ) throws(RepositoryError) -> Digest {
        try contexts.use { (context) throws(RepositoryError) in
            let sealed: [UInt8]
            let id: Digest
            do {
                sealed = try context.seal(isCompressing ? [2] + (try context.compress(plaintext)) : plaintext)
                let opened = try Self.decodeDocument(try context.open(sealed), limit: max(plaintext.count, 1), context)
                guard opened == plaintext else { throw BlobMismatch.hash }
                id = try context.hash(sealed)
            } catch {
                throw RepositoryError(
                    .corrupt,
                    Phrase(vi: "kiểm tra \(type.label) trước khi ghi thất bại", en: "verification of a new \(type.label) file failed"),
                    cause: error)
            }
            announce(id)
            try backend.save(type, id, sealed)
            return id
        }
    }

    // MARK: Blobs

    /// Reads one copy of a blob. One that does not open is read a second time, past every cache: the first may be the line's fault.
    ///
    /// - Throws: `.missing`, `.storage`, `.unsupported` for a blob over the limit, `.corrupt` when the copy is damaged.
    func loadBlob(_ handle: BlobHandle, pack: Digest, _ record: BlobRecord) throws(RepositoryError) -> [UInt8] {
        guard record.length <= Self.blobLimitBytes, record.uncompressedLength <= Self.blobLimitBytes else {
            throw RepositoryError(
                .unsupported, Phrase(vi: "blob \(handle.id.short) quá lớn", en: "blob \(handle.id.short) is too large"))
        }
        do throws(RepositoryError) {
            return try loadBlobOnce(handle, pack: pack, record, directly: handle.type == .data)
        } catch {
            if error.code != .corrupt { throw error }
            return try loadBlobOnce(handle, pack: pack, record, directly: true)
        }
    }

    private func loadBlobOnce(
        _ handle: BlobHandle, pack: Digest, _ record: BlobRecord, directly: Bool
    ) throws(RepositoryError) -> [UInt8] {
        try contexts.use { (context) throws(RepositoryError) in
            do {
                return try unsafe context.decodeBlob(
                    handle, storedLength: Int(record.length), uncompressedLength: Int(record.uncompressedLength)
                ) { (buffer) throws(RepositoryError) in
                    let offset = UInt64(record.offset)
                    if directly {
                        try unsafe backend.read(.pack, pack, offset: offset, into: buffer)
                    } else {
                        try unsafe backend.readTree(pack, offset: offset, into: buffer)
                    }
                }
            } catch let error as RepositoryError {
                throw error
            } catch {
                throw .corrupt(
                    Phrase(
                        vi: "\(handle.type.name) \(handle.id.hex) trong pack \(pack.hex) bị hỏng",
                        en: "\(handle.type.name) \(handle.id.hex) in pack \(pack.hex) is damaged"),
                    cause: error)
            }
        }
    }

    /// The blobs of a pack as its own header lists them.
    func loadPackHeader(_ pack: StoredFile) throws(RepositoryError) -> [PackEntry] {
        guard pack.sizeBytes >= UInt64(PackHeader.lengthFieldBytes) else {
            throw .corrupt(
                Phrase(
                    vi: "pack \(pack.id.hex) chỉ có \(pack.sizeBytes) byte", en: "pack \(pack.id.hex) has only \(pack.sizeBytes) bytes"))
        }
        do {
            let field = try readPart(
                pack, offset: pack.sizeBytes - UInt64(PackHeader.lengthFieldBytes), count: PackHeader.lengthFieldBytes)
            let length = try PackHeader.sealedHeaderBytes(lengthField: field, packSize: pack.sizeBytes)
            let blobBytes = pack.sizeBytes - UInt64(length + PackHeader.lengthFieldBytes)
            let sealed = try readPart(pack, offset: blobBytes, count: length)
            return try contexts.use { (context) throws(RepositoryError) in
                do {
                    return try PackHeader.decode(try context.open(sealed), blobBytes: blobBytes)
                } catch {
                    throw .corrupt(
                        Phrase(vi: "phần đầu của pack \(pack.id.hex) bị hỏng", en: "the header of pack \(pack.id.hex) is damaged"),
                        cause: error)
                }
            }
        } catch let error as RepositoryError {
            throw error
        } catch {
            throw .corrupt(
                Phrase(vi: "phần đầu của pack \(pack.id.hex) bị hỏng", en: "the header of pack \(pack.id.hex) is damaged"),
                cause: error)
        }
    }

    private func readPart(_ pack: StoredFile, offset: UInt64, count: Int) throws -> [UInt8] {
        guard pack.sizeBytes >= UInt64(PackHeader.smallestPackBytes) else {
            throw PackHeaderError("tệp quá ngắn: \(pack.sizeBytes) byte", "file too short: \(pack.sizeBytes) bytes")
        }
        var bytes = [UInt8](repeating: 0, count: count)
        try unsafe bytes.withUnsafeMutableBytes { buffer in
            try unsafe backend.read(.pack, pack.id, offset: offset, into: buffer)
        }
        return bytes
    }
}
