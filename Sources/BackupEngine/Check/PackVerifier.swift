internal import Platform

/// Reads a pack from its first byte to its last and checks everything that can be checked about it.
///
/// For one thread; the memory of one segment and of the largest blob is used again for every pack.
struct PackVerifier: ~Copyable {
    private let store: ObjectStore
    private var segment = ScratchMemory()
    private var hasher: SHA256

    /// Blobs are read in runs of about this size: neither a call per blob nor a pack in memory.
    private static let segmentBytes = 1 << 20
    /// The largest end of a pack.
    private static let headerLimit = PackHeader.sizeLimitBytes + PackHeader.lengthFieldBytes
    /// A pack full of damage is described by its first few blobs.
    private static let problemLimit = 5

    init(store: ObjectStore) throws(RepositoryError) {
        do throws(CryptoError) {
            let hasher = try SHA256()
            self.store = store
            self.hasher = hasher
        } catch {
            throw .crypto(error)
        }
    }

    /// Everything wrong with a pack; a problem must show twice, as the first may be the bus's or the cable's.
    ///
    /// - Parameter indexed: The blobs that the index puts into this pack, in the order of offsets.
    mutating func problems(of pack: StoredFile, indexed: [PackEntry]) -> [Phrase] {
        if attempt(pack, indexed).isEmpty { return [] }
        return attempt(pack, indexed)
    }

    private mutating func attempt(_ pack: StoredFile, _ indexed: [PackEntry]) -> [Phrase] {
        var problems: [Phrase] = []
        // The index says where everything lies, the header included: the file is read once, from front to back.
        if Self.isGapless(indexed, within: pack.sizeBytes), PackHeader.packSize(of: indexed) == pack.sizeBytes {
            do throws(RepositoryError) {
                try readAll(pack, indexed, headerIsNext: true, &problems)
            } catch {
                problems.append(error.message)
            }
            return problems
        }
        var entries = indexed
        do throws(RepositoryError) {
            entries = try store.loadPackHeader(pack)
            if entries != indexed { problems.append(Self.differentHeader) }
        } catch {
            // Without a header the index still says where the blobs are.
            problems.append(error.message)
            if !Self.isGapless(indexed, within: pack.sizeBytes) { entries = [] }
        }
        do throws(RepositoryError) {
            try readAll(pack, entries, headerIsNext: false, &problems)
        } catch {
            problems.append(error.message)
        }
        return problems
    }

    private static let differentHeader = Phrase(
        vi: "chỉ mục và phần đầu của pack khác nhau", en: "the index and the header of the pack differ")

    private static func isGapless(_ entries: [PackEntry], within size: UInt64) -> Bool {
        var end: UInt64 = 0
        for entry in entries {
            guard UInt64(entry.offset) == end else { return false }
            end += UInt64(entry.length)
        }
        return end <= size
    }

    /// Hashes the whole file, and opens the blobs of `entries`, which lie back to back from 0.
    private mutating func readAll(
        _ pack: StoredFile, _ entries: [PackEntry], headerIsNext: Bool, _ problems: inout [Phrase]
    ) throws(RepositoryError) {
        // An attempt that ended early has left half a message behind.
        do throws(CryptoError) { _ = try hasher.finish() } catch { throw .crypto(error) }
        var offset: UInt64 = 0
        var next = 0
        while offset < pack.sizeBytes {
            // The blobs that fill one segment; a larger one is a segment of its own. After the last: the header.
            var end = next
            var count = 0
            while end < entries.count, count == 0 || count + Int(entries[end].length) <= Self.segmentBytes {
                count += Int(entries[end].length)
                end += 1
            }
            let isHeader = end == next && headerIsNext
            if end == next { count = Int(min(UInt64(isHeader ? Self.headerLimit : Self.segmentBytes), pack.sizeBytes - offset)) }
            guard count <= ObjectStore.blobLimitBytes else {
                throw RepositoryError(.unsupported, Phrase(vi: "blob quá lớn", en: "a blob is too large"))
            }
            let memory = unsafe segment.prepare(count)
            try unsafe store.backend.read(.pack, pack.id, offset: offset, into: memory)
            do throws(CryptoError) {
                try unsafe hasher.update(UnsafeRawBufferPointer(memory))
            } catch {
                throw .crypto(error)
            }
            if isHeader {
                try unsafe compareHeader(UnsafeRawBufferPointer(memory), blobBytes: offset, entries, &problems)
            } else {
                try unsafe verify(entries[next..<end], in: UnsafeRawBufferPointer(memory), from: offset, &problems)
            }
            offset += UInt64(count)
            next = end
        }
        do throws(CryptoError) {
            if try hasher.finish() != pack.id {
                problems.append(Phrase(vi: "nội dung không khớp tên (SHA-256)", en: "the content does not match the name (SHA-256)"))
            }
        } catch {
            throw .crypto(error)
        }
    }

    /// The end of a pack as it was read: sealed header and length field.
    private func compareHeader(
        _ memory: UnsafeRawBufferPointer, blobBytes: UInt64, _ indexed: [PackEntry], _ problems: inout [Phrase]
    ) throws(RepositoryError) {
        let tail = unsafe Array(memory)
        let isSame = try store.contexts.use { (context) throws(RepositoryError) -> Bool? in
            do {
                let length = try PackHeader.sealedHeaderBytes(
                    lengthField: Array(tail.suffix(PackHeader.lengthFieldBytes)), packSize: blobBytes + UInt64(tail.count))
                guard length + PackHeader.lengthFieldBytes == tail.count else { return nil }
                return try PackHeader.decode(try context.open(Array(tail.prefix(length))), blobBytes: blobBytes) == indexed
            } catch {
                return nil
            }
        }
        switch isSame {
        case true: break
        case false: problems.append(Self.differentHeader)
        default: problems.append(Phrase(vi: "phần đầu của pack bị hỏng", en: "the header of the pack is damaged"))
        }
    }

    private func verify(
        _ entries: ArraySlice<PackEntry>, in memory: UnsafeRawBufferPointer, from start: UInt64, _ problems: inout [Phrase]
    ) throws(RepositoryError) {
        if entries.isEmpty { return }
        let damaged = try store.contexts.use { (context) throws(RepositoryError) in
            var damaged: [PackEntry] = []
            for entry in entries {
                let first = Int(UInt64(entry.offset) - start)
                let sealed = unsafe UnsafeRawBufferPointer(rebasing: memory[first..<first + Int(entry.length)])
                guard entry.uncompressedLength <= ObjectStore.blobLimitBytes else {
                    damaged.append(entry)
                    continue
                }
                do {
                    try unsafe context.verifyBlob(entry.handle, sealed, uncompressedLength: entry.uncompressedLength)
                } catch {
                    damaged.append(entry)
                }
            }
            return damaged
        }
        for entry in damaged.prefix(max(0, Self.problemLimit - problems.count)) {
            problems.append(
                Phrase(
                    vi: "\(entry.type.name) \(entry.id.hex) ở byte \(entry.offset) bị hỏng",
                    en: "\(entry.type.name) \(entry.id.hex) at byte \(entry.offset) is damaged"))
        }
        if problems.isEmpty, !damaged.isEmpty { problems.append(Phrase(vi: "có blob hỏng", en: "damaged blobs")) }
    }
}
