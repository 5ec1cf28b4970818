internal import Platform

/// A pack that still takes blobs, in memory. A value: finishing it hands the bytes on without a copy.
struct OpenPack: Sendable {
    private(set) var bytes: [UInt8] = []
    private(set) var entries: [PackEntry] = []

    /// A finished pack.
    struct Finished: Sendable {
        let id: Digest
        var bytes: [UInt8]
        let entries: [PackEntry]
    }

    init() {}

    /// - Parameter memory: An array of no further use, for its capacity.
    init(memory: consuming [UInt8]) {
        memory.removeAll(keepingCapacity: true)
        bytes = memory
    }

    var isEmpty: Bool { entries.isEmpty }

    /// True when a blob of `length` stored bytes still has an offset of 32 bits and an entry in the header.
    func hasRoom(for length: Int) -> Bool {
        entries.count < PackHeader.entryLimit && bytes.count + length <= Int(UInt32.max) - PackHeader.sizeLimitBytes
    }

    mutating func append(_ handle: BlobHandle, _ sealed: UnsafeRawBufferPointer, uncompressedLength: UInt32) {
        entries.append(
            PackEntry(
                type: handle.type, id: handle.id, offset: UInt32(bytes.count), length: UInt32(sealed.count),
                uncompressedLength: uncompressedLength))
        unsafe bytes.append(contentsOf: sealed)
    }

    /// Takes over the blobs of another pack.
    mutating func append(_ other: consuming OpenPack) {
        let start = UInt32(bytes.count)
        for entry in other.entries {
            entries.append(
                PackEntry(
                    type: entry.type, id: entry.id, offset: start + entry.offset, length: entry.length,
                    uncompressedLength: entry.uncompressedLength))
        }
        bytes += other.bytes
    }

    /// Adds the header and proves that the pack holds what it says, in the very memory that is written afterwards:
    /// each blob opens, decompresses and has its hash, and the header reads back.
    ///
    /// - Throws: `.corrupt` when the memory of this machine, or one of the libraries, has changed a bit.
    consuming func finish(with context: WorkerContext) throws(RepositoryError) -> Finished {
        do {
            let entries = entries
            if FaultPoint.flips("blob.sealed"), let last = bytes.indices.last { bytes[last / 2] ^= 1 }
            for entry in entries { try verify(entry, with: context) }
            let blobBytes = UInt64(bytes.count)
            let sealedHeader = try context.seal(PackHeader.encode(entries))
            var bytes = bytes
            self.bytes = []
            bytes += sealedHeader
            bytes += PackHeader.lengthField(sealedHeaderBytes: sealedHeader.count)
            let start =
                try bytes.count - PackHeader.lengthFieldBytes
                - PackHeader.sealedHeaderBytes(lengthField: Array(bytes.suffix(4)), packSize: UInt64(bytes.count))
            let readBack = try context.open(Array(bytes[start..<bytes.count - PackHeader.lengthFieldBytes]))
            guard try PackHeader.decode(readBack, blobBytes: blobBytes) == entries else {
                throw PackHeaderError("đọc lại khác với đã ghi", "reads back differently")
            }
            return Finished(id: try context.hash(bytes), bytes: bytes, entries: entries)
        } catch let error as CryptoError {
            throw .crypto(error)
        } catch let error as RepositoryError {
            throw error
        } catch {
            throw RepositoryError(
                .corrupt, Phrase(vi: "kiểm tra phần đầu của pack trước khi ghi thất bại", en: "verification of a pack header before writing failed"),
                cause: error)
        }
    }

    private func verify(_ entry: PackEntry, with context: WorkerContext) throws(RepositoryError) {
        do {
            try unsafe bytes.withUnsafeBytes { bytes in
                // In bounds: append() made the entry for exactly these bytes.
                let sealed = unsafe UnsafeRawBufferPointer(rebasing: bytes[Int(entry.offset)..<Int(entry.offset) + Int(entry.length)])
                try unsafe context.verifyBlob(entry.handle, sealed, uncompressedLength: entry.uncompressedLength)
            }
        } catch let error as CryptoError {
            throw .crypto(error)
        } catch {
            throw RepositoryError(
                .corrupt,
                Phrase(
                    vi: "kiểm tra \(entry.type.name) \(entry.id.short) trước khi ghi thất bại",
                    en: "verification of \(entry.type.name) \(entry.id.short) before writing failed"),
                hint: Phrase(
                    vi: "bộ nhớ của máy có thể bị lỗi: kiểm tra RAM trước khi sao lưu tiếp",
                    en: "the memory of this machine may be faulty: test it before the next backup"),
                cause: error)
        }
    }
}
