internal import Platform

/// A pack under construction. Its blobs are proven and handed to an upload as they come; only their list is kept.
///
/// `@unchecked Sendable`: ``PackWriter`` lets one thread at a time have it.
final class OpenPack: @unchecked Sendable {
    /// A pack that only waits for its name.
    struct Finished: Sendable {
        let id: Digest
        let upload: any Upload
        let entries: [PackEntry]
    }

    /// Smaller blobs are gathered to about this size before they are written: a call for each would cost more than the copy.
    static let gatheredBytes = 256 * 1024

    private let upload: any Upload
    private var hasher: SHA256
    private(set) var entries: [PackEntry] = []
    /// Bytes of all blobs.
    private(set) var blobBytes = 0
    /// Blobs that are not proven and written yet: the last entries.
    private var gathered: [UInt8] = []
    private var gatheredEntries = 0

    init(_ upload: any Upload) throws(RepositoryError) {
        self.upload = upload
        do throws(CryptoError) {
            hasher = try SHA256()
        } catch {
            throw .crypto(error)
        }
    }

    /// True when a blob of `length` stored bytes still has an offset of 32 bits and an entry in the header.
    func hasRoom(for length: Int) -> Bool {
        entries.count < PackHeader.entryLimit && blobBytes + length <= Int(UInt32.max) - PackHeader.sizeLimitBytes
    }

    /// Adds a blob.
    ///
    /// - Parameter isProven: It was opened and compared with its ID already, in this very memory; see ``prove(_:_:uncompressedLength:with:)``.
    func append(
        _ handle: BlobHandle, _ sealed: UnsafeRawBufferPointer, uncompressedLength: UInt32, isProven: Bool, with context: WorkerContext
    ) throws(RepositoryError) {
        let entry = PackEntry(
            type: handle.type, id: handle.id, offset: UInt32(blobBytes), length: UInt32(sealed.count), uncompressedLength: uncompressedLength)
        if isProven {
            try writeGathered(with: context)
            try unsafe write(sealed)
            entries.append(entry)
            blobBytes += sealed.count
            return
        }
        entries.append(entry)
        blobBytes += sealed.count
        if gathered.capacity == 0 { gathered.reserveCapacity(2 * Self.gatheredBytes) }
        unsafe gathered.append(contentsOf: sealed)
        gatheredEntries += 1
        if gathered.count >= Self.gatheredBytes { try writeGathered(with: context) }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(RepositoryError) {
        try unsafe upload.append(bytes)
        do throws(CryptoError) {
            try unsafe hasher.update(bytes)
        } catch {
            throw .crypto(error)
        }
    }

    /// Proves the gathered blobs and writes them from the same memory.
    private func writeGathered(with context: WorkerContext) throws(RepositoryError) {
        if gatheredEntries == 0 { return }
        let start = blobBytes - gathered.count
        let waiting = entries.suffix(gatheredEntries)
        try unsafe gathered.withUnsafeMutableBufferPointer { (gathered) throws(RepositoryError) -> Void in
            let memory = UnsafeMutableRawBufferPointer(gathered)
            for entry in waiting {
                // In bounds: append() made the entry for exactly these bytes.
                let first = Int(entry.offset) - start
                let sealed = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[first..<first + Int(entry.length)])
                try unsafe Self.prove(entry.handle, sealed, uncompressedLength: entry.uncompressedLength, with: context)
            }
            try unsafe write(UnsafeRawBufferPointer(memory))
        }
        gathered.removeAll(keepingCapacity: true)
        gatheredEntries = 0
    }

    /// Opens a sealed blob, decompresses it and compares its hash: what is written from this memory afterwards is what `handle` names.
    ///
    /// - Throws: `.corrupt` when the memory of this machine, or one of the libraries, has changed a bit.
    static func prove(
        _ handle: BlobHandle, _ sealed: UnsafeMutableRawBufferPointer, uncompressedLength: UInt32, with context: WorkerContext
    ) throws(RepositoryError) {
        if FaultPoint.flips("blob.sealed") { unsafe sealed[sealed.count / 2] ^= 1 }
        do {
            try unsafe context.verifyBlob(handle, UnsafeRawBufferPointer(sealed), uncompressedLength: uncompressedLength)
        } catch let error as CryptoError {
            throw .crypto(error)
        } catch {
            throw RepositoryError(
                .corrupt,
                Phrase(
                    vi: "kiểm tra \(handle.type.name) \(handle.id.short) trước khi ghi thất bại",
                    en: "verification of \(handle.type.name) \(handle.id.short) before writing failed"),
                hint: Phrase(
                    vi: "bộ nhớ của máy có thể bị lỗi: kiểm tra RAM trước khi sao lưu tiếp",
                    en: "the memory of this machine may be faulty: test it before the next backup"),
                cause: error)
        }
    }

    /// Takes over all blobs of another pack, which is given up. Each is read back and proven once more.
    func append(_ other: OpenPack, with context: WorkerContext) throws(RepositoryError) {
        try other.writeGathered(with: context)
        var memory = ScratchMemory()
        for entry in other.entries {
            let sealed = unsafe memory.prepare(Int(entry.length))
            try unsafe other.upload.read(into: sealed, at: UInt64(entry.offset))
            try unsafe Self.prove(entry.handle, sealed, uncompressedLength: entry.uncompressedLength, with: context)
            try unsafe append(
                entry.handle, UnsafeRawBufferPointer(sealed), uncompressedLength: entry.uncompressedLength, isProven: true, with: context)
        }
    }

    /// Writes the last blobs and the header, which is read back before it is trusted. Nothing may be added afterwards.
    func finish(with context: WorkerContext) throws(RepositoryError) -> Finished {
        try writeGathered(with: context)
        gathered = []
        do {
            var tail = try context.seal(PackHeader.encode(entries))
            let sealedBytes = tail.count
            tail += PackHeader.lengthField(sealedHeaderBytes: sealedBytes)
            let packSize = UInt64(blobBytes + tail.count)
            let length = try PackHeader.sealedHeaderBytes(lengthField: Array(tail.suffix(PackHeader.lengthFieldBytes)), packSize: packSize)
            let readBack = try context.open(Array(tail[..<length]))
            guard length == sealedBytes, try PackHeader.decode(readBack, blobBytes: UInt64(blobBytes)) == entries else {
                throw PackHeaderError("đọc lại khác với đã ghi", "reads back differently")
            }
            try unsafe tail.withUnsafeBufferPointer { (tail) throws(RepositoryError) in try unsafe write(UnsafeRawBufferPointer(tail)) }
            return Finished(id: try hasher.finish(), upload: upload, entries: entries)
        } catch let error as RepositoryError {
            throw error
        } catch let error as CryptoError {
            throw .crypto(error)
        } catch {
            throw RepositoryError(
                .corrupt, Phrase(vi: "kiểm tra phần đầu của pack trước khi ghi thất bại", en: "verification of a pack header before writing failed"),
                cause: error)
        }
    }
}
