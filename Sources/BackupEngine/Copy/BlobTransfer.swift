internal import Platform

/// Moves blobs out of packs into new packs, of the same repository or of another one, on several threads.
///
/// Every blob is opened and its hash compared before it is written. Within one repository the sealed bytes move as they are;
/// into another one, or when they are to be compressed, they are sealed anew.
struct BlobTransfer {
    /// One pack to read from.
    struct Job: Sendable {
        let pack: Digest
        /// In the order of offsets.
        let entries: [PackEntry]
    }

    let source: Repository
    /// Where other copies are found when one is damaged.
    let sourceIndex: BlobIndex
    let target: Repository
    let writer: PackWriter
    /// True where blobs that were stored plain shall be compressed.
    var compressesPlain = false
    /// Blobs that have no whole copy are left out and named, instead of ending the transfer.
    var skipsDamaged = false
    let cancellation: CancellationFlag

    /// Two processors open and hash, the others wait for the storage.
    private static let threadCount = 3
    /// Damaged blobs that are named.
    private static let damagedLimit = 10_000

    struct Result: Sendable {
        var packs = 0
        var blobs = 0
        /// Stored bytes.
        var bytes: UInt64 = 0
        var damaged: [BlobHandle] = []
    }

    private struct State: Sendable {
        var next = 0
        var running = 0
        var result = Result()
        var failure: RepositoryError?
    }

    private var isSameRepository: Bool { source === target }

    /// Moves everything and makes it durable: packs, then their index.
    ///
    /// - Parameter progress: Called on the calling thread.
    /// - Throws: `.corrupt` when a blob has no whole copy, unless those are skipped.
    func run(_ jobs: [Job], progress: (_ done: Int, _ total: Int) -> Void) throws(RepositoryError) -> Result {
        let state = Monitor(State())
        var threads: [WorkerThread] = []
        do throws(SystemError) {
            for _ in 0..<min(Self.threadCount, jobs.count) {
                state.change { $0.running += 1 }
                threads.append(
                    try WorkerThread(name: "blob-transfer") { [self] in
                        work(jobs, state)
                        state.change { $0.running -= 1 }
                    })
            }
        } catch {
            state.change { state in
                state.running -= 1
                state.failure = .storage(error)
            }
        }
        while state.wait(seconds: 0.25, { $0.running == 0 ? true : nil }) == nil {
            progress(state.read { $0.result.packs }, jobs.count)
        }
        for thread in threads { thread.join() }
        let end = state.read { $0 }
        if let failure = end.failure { throw failure }
        try writer.flush()
        progress(end.result.packs, jobs.count)
        return end.result
    }

    private func work(_ jobs: [Job], _ state: Monitor<State>) {
        do throws(RepositoryError) {
            var reader = PackBlobReader(store: source.store)
            while true {
                let number: Int? = state.change { state in
                    guard state.failure == nil, state.next < jobs.count else { return nil }
                    state.next += 1
                    return state.next - 1
                }
                guard let number else { return }
                try cancellation.check()
                if let failure = target.writer.failure { throw failure }
                let result = try move(jobs[number], &reader)
                state.change { state in
                    state.result.packs += 1
                    state.result.blobs += result.blobs
                    state.result.bytes += result.bytes
                    if state.result.damaged.count < Self.damagedLimit { state.result.damaged += result.damaged }
                }
            }
        } catch {
            state.change { if $0.failure == nil { $0.failure = error } }
        }
    }

    private func move(_ job: Job, _ reader: inout PackBlobReader) throws(RepositoryError) -> Result {
        var result = Result()
        var retries: [(PackEntry, RepositoryError)] = []
        try unsafe reader.read(job.pack, job.entries) { (entry, sealed) throws(RepositoryError) in
            do throws(RepositoryError) {
                result.bytes += UInt64(try unsafe move(entry, sealed))
                result.blobs += 1
            } catch {
                if error.code != .corrupt { throw error }
                retries.append((entry, error))
            }
        } failed: { (entries, error) throws(RepositoryError) in
            for entry in entries { retries.append((entry, error)) }
        }
        for (entry, error) in retries {
            if let bytes = try moveOtherCopy(of: entry) {
                result.bytes += UInt64(bytes)
                result.blobs += 1
            } else if skipsDamaged {
                result.damaged.append(entry.handle)
            } else {
                throw error
            }
        }
        return result
    }

    /// - Returns: Stored bytes.
    private func move(_ entry: PackEntry, _ sealed: UnsafeRawBufferPointer) throws(RepositoryError) -> Int {
        let isPlain = entry.uncompressedLength == 0
        let keepsForm = isSameRepository && !(compressesPlain && isPlain)
        guard entry.uncompressedLength <= ObjectStore.blobLimitBytes else {
            throw RepositoryError(.unsupported, Phrase(vi: "blob quá lớn", en: "the blob is too large"))
        }
        let plaintext: [UInt8]? = try source.store.contexts.use { (context) throws(RepositoryError) in
            do {
                if keepsForm {
                    try unsafe context.verifyBlob(entry.handle, sealed, uncompressedLength: entry.uncompressedLength)
                    return nil
                }
                return try unsafe context.decodeBlob(
                    entry.handle, storedLength: sealed.count, uncompressedLength: Int(entry.uncompressedLength)
                ) { (buffer) throws(RepositoryError) in unsafe buffer.copyMemory(from: sealed) }
            } catch {
                throw .corrupt(
                    Phrase(
                        vi: "\(entry.type.name) \(entry.id.hex) bị hỏng", en: "\(entry.type.name) \(entry.id.hex) is damaged"), cause: error)
            }
        }
        guard let plaintext else {
            try unsafe writer.add(entry.handle, sealed, uncompressedLength: entry.uncompressedLength)
            return sealed.count
        }
        return try store(entry.handle, plaintext)
    }

    /// - Returns: Stored bytes; nil when no copy is whole.
    private func moveOtherCopy(of entry: PackEntry) throws(RepositoryError) -> Int? {
        for record in sourceIndex.all(entry.handle) {
            do throws(RepositoryError) {
                let plaintext = try source.store.loadBlob(entry.handle, pack: sourceIndex.packID(record), record)
                return try store(entry.handle, plaintext)
            } catch {
                if error.code != .corrupt && error.code != .missing { throw error }
            }
        }
        return nil
    }

    /// Seals a blob for the target: compressed, also where that saves nothing when "stored plain" is what shall end.
    private func store(_ handle: BlobHandle, _ plaintext: [UInt8]) throws(RepositoryError) -> Int {
        let compresses = target.configuration.version >= 2
        if compresses && compressesPlain && !plaintext.isEmpty { return try storeCompressed(handle, plaintext) }
        let result: Swift.Result<Int, RepositoryError> = try target.store.contexts.use { (context) throws(RepositoryError) in
            try unsafe plaintext.withUnsafeBufferPointer { (buffer) throws(RepositoryError) in
                try unsafe context.encodeBlob(handle, UnsafeRawBufferPointer(buffer), compressing: compresses) { sealed, length in
                    Swift.Result { () throws(RepositoryError) in
                        try unsafe writer.add(handle, sealed, uncompressedLength: length)
                        return sealed.count
                    }
                }
            }
        }
        return try result.get()
    }

    private func storeCompressed(_ handle: BlobHandle, _ plaintext: [UInt8]) throws(RepositoryError) -> Int {
        try target.store.contexts.use { (context) throws(RepositoryError) in
            let sealed: [UInt8]
            do {
                sealed = try context.seal(try context.compress(plaintext))
                try unsafe sealed.withUnsafeBytes { buffer in
                    try unsafe context.verifyBlob(handle, buffer, uncompressedLength: UInt32(plaintext.count))
                }
            } catch {
                throw .corrupt(
                    Phrase(
                        vi: "kiểm tra \(handle.type.name) \(handle.id.short) trước khi ghi thất bại",
                        en: "verification of \(handle.type.name) \(handle.id.short) before writing failed"), cause: error)
            }
            try unsafe sealed.withUnsafeBufferPointer { (buffer) throws(RepositoryError) in
                try unsafe writer.add(handle, UnsafeRawBufferPointer(buffer), uncompressedLength: UInt32(plaintext.count))
            }
            return sealed.count
        }
    }
}
