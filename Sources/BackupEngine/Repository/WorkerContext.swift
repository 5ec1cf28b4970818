internal import Platform
private import Synchronization

/// Everything one thread needs to encode and decode objects: OpenSSL and zstd contexts and memory, made once.
///
/// `@unchecked Sendable`: a context passes from thread to thread, but ``ContextPool`` gives it to one at a time.
final class WorkerContext: @unchecked Sendable {
    private var sealing: Sealing
    private var compressor: ZstdCompressor
    private var decompressor: ZstdDecompressor
    private var hasher: SHA256
    private var sealed = ScratchMemory()
    private var scratch = ScratchMemory()

    init(_ key: MasterKey, _ compression: Compression) throws(RepositoryError) {
        do {
            let sealing = try Sealing(key)
            let hasher = try SHA256()
            let compressor = try ZstdCompressor(compression.effort)
            let decompressor = try ZstdDecompressor()
            self.sealing = sealing
            self.hasher = hasher
            self.compressor = compressor
            self.decompressor = decompressor
        } catch let error as CryptoError {
            throw .crypto(error)
        } catch {
            throw RepositoryError(.storage, Phrase(vi: "không đủ bộ nhớ", en: "not enough memory"), cause: error)
        }
    }

    func trim() {
        sealed.trim()
        scratch.trim()
    }

    // MARK: Blobs

    /// A blob below this share saved is stored as it is: reading it back is faster, and the space is nearly the same.
    private static let leastSavingShare = 256

    /// Compresses if it pays, and seals. The proof that the result opens to what `handle` names comes with its pack.
    ///
    /// - Parameter body: Gets the sealed bytes, valid during the call, and the plaintext size, 0 for blobs stored plain.
    func encodeBlob<Result>(
        _ handle: BlobHandle, _ plaintext: UnsafeRawBufferPointer, compressing: Bool,
        _ body: (UnsafeRawBufferPointer, _ uncompressedLength: UInt32) -> Result
    ) throws(RepositoryError) -> Result {
        do {
            var content = unsafe plaintext
            var uncompressedLength: UInt32 = 0
            // Length 0 in a header means "not compressed": an empty blob can never be marked as compressed.
            // Uncompressed trees are legal, but stock prune would rewrite them every time.
            let isWorthwhile = unsafe handle.type == .tree || !Incompressible.seemsSo(plaintext)
            if compressing, plaintext.count > 0, isWorthwhile {
                let room = unsafe scratch.prepare(ZstdCompressor.bound(plaintext.count))
                let count = try unsafe compressor.compress(plaintext, into: room)
                let largest = plaintext.count - max(4, plaintext.count / Self.leastSavingShare)
                if handle.type == .tree || count <= largest {
                    unsafe content = UnsafeRawBufferPointer(rebasing: room[..<count])
                    uncompressedLength = UInt32(plaintext.count)
                }
            }
            let output = unsafe sealed.prepare(content.count + Sealing.overhead)
            try unsafe sealing.seal(content, into: output)
            return unsafe body(UnsafeRawBufferPointer(output), uncompressedLength)
        } catch let error as CryptoError {
            throw .crypto(error)
        } catch {
            throw RepositoryError(
                .storage,
                Phrase(
                    vi: "không nén được \(handle.type.name) \(handle.id.short)", en: "\(handle.type.name) \(handle.id.short) cannot be compressed"),
                cause: error)
        }
    }

    /// Makes sure that sealed bytes open to the blob that `handle` names.
    ///
    /// - Parameter uncompressedLength: As in the index; 0 for blobs stored plain.
    /// - Throws: `SealError`, `ZstdError` or ``BlobMismatch``.
    func verifyBlob(_ handle: BlobHandle, _ sealed: UnsafeRawBufferPointer, uncompressedLength: UInt32) throws {
        _ = try unsafe openBlob(handle, sealed, uncompressedLength: uncompressedLength)
    }

    /// Opens sealed bytes and checks that they hold the blob that `handle` names.
    ///
    /// - Parameter uncompressedLength: As in the index; 0 for blobs stored plain.
    /// - Returns: The plaintext, in memory of this context: valid until its next call.
    /// - Throws: `SealError`, `ZstdError` or ``BlobMismatch``.
    func openBlob(
        _ handle: BlobHandle, _ sealed: UnsafeRawBufferPointer, uncompressedLength: UInt32
    ) throws -> UnsafeRawBufferPointer {
        let contentCount = sealed.count - Sealing.overhead
        guard contentCount >= 0 else { throw SealError.tooShort }
        let plainCount = uncompressedLength == 0 ? contentCount : Int(uncompressedLength)
        let room = unsafe scratch.prepare(contentCount + (uncompressedLength == 0 ? 0 : plainCount))
        let content = unsafe UnsafeMutableRawBufferPointer(rebasing: room[..<contentCount])
        try unsafe sealing.open(sealed, into: content)
        var plaintext = UnsafeRawBufferPointer(content)
        if uncompressedLength != 0 {
            let output = unsafe UnsafeMutableRawBufferPointer(rebasing: room[contentCount...])
            let count = try unsafe decompressor.decompress(UnsafeRawBufferPointer(content), into: output)
            guard count == plainCount else { throw BlobMismatch.length }
            unsafe plaintext = UnsafeRawBufferPointer(output)
        }
        try unsafe hasher.update(plaintext)
        if try hasher.finish() != handle.id { throw BlobMismatch.hash }
        return unsafe plaintext
    }

    /// Reads sealed bytes through `read`, opens them and checks the hash.
    ///
    /// - Throws: `RepositoryError` from `read`; `SealError`, `ZstdError` or ``BlobMismatch`` for damaged bytes.
    func decodeBlob(
        _ handle: BlobHandle, storedLength: Int, uncompressedLength: Int,
        read: (UnsafeMutableRawBufferPointer) throws(RepositoryError) -> Void
    ) throws -> [UInt8] {
        guard storedLength >= Sealing.overhead else { throw SealError.tooShort }
        let stored = unsafe sealed.prepare(storedLength)
        try unsafe read(stored)
        let contentCount = storedLength - Sealing.overhead
        var plaintext = [UInt8](repeating: 0, count: uncompressedLength == 0 ? contentCount : uncompressedLength)
        if uncompressedLength == 0 {
            try unsafe plaintext.withUnsafeMutableBytes { output in try unsafe sealing.open(UnsafeRawBufferPointer(stored), into: output) }
        } else {
            let content = unsafe scratch.prepare(contentCount)
            try unsafe sealing.open(UnsafeRawBufferPointer(stored), into: content)
            let count = try unsafe plaintext.withUnsafeMutableBytes { output in
                try unsafe decompressor.decompress(UnsafeRawBufferPointer(content), into: output)
            }
            guard count == uncompressedLength else { throw BlobMismatch.length }
        }
        if try hash(plaintext) != handle.id { throw BlobMismatch.hash }
        return plaintext
    }

    // MARK: Whole files

    func hash(_ bytes: [UInt8]) throws(CryptoError) -> Digest {
        try hasher.update(bytes)
        return try hasher.finish()
    }

    func seal(_ plaintext: [UInt8]) throws(CryptoError) -> [UInt8] { try sealing.seal(plaintext) }
    func open(_ sealed: [UInt8]) throws(SealError) -> [UInt8] { try sealing.open(sealed) }
    func compress(_ bytes: [UInt8]) throws(ZstdError) -> [UInt8] { try compressor.compress(bytes) }
    func decompress(_ bytes: [UInt8], limit: Int) throws(ZstdError) -> [UInt8] {
        try decompressor.decompress(bytes, limit: limit)
    }
}

extension Compression {
    fileprivate var effort: ZstdEffort {
        switch self {
        // Trees and documents are compressed even so.
        case .off, .auto: .ordinary
        case .fastest: .level(1)
        case .better: .level(7)
        case .max: .level(19)
        }
    }
}

/// An authentic object that does not hold what its name promises.
enum BlobMismatch: Error, Equatable {
    case length
    case hash
}

/// Contexts waiting for a thread. It grows to the number of threads that work at the same time, and no further.
final class ContextPool: Sendable {
    private let key: MasterKey
    private let compression: Compression
    private let idle = Mutex<[WorkerContext]>([])

    init(_ key: MasterKey, _ compression: Compression = .auto) {
        self.key = key
        self.compression = compression
    }

    func use<Result>(_ body: (WorkerContext) throws(RepositoryError) -> Result) throws(RepositoryError) -> Result {
        let waiting = idle.withLock { $0.popLast() }
        let context: WorkerContext
        if let waiting { context = waiting } else { context = try WorkerContext(key, compression) }
        defer {
            context.trim()
            idle.withLock { $0.append(context) }
        }
        return try body(context)
    }
}
