internal import Platform
internal import Synchronization

/// Holds the writer, so that it is used by one thread at a time, and ends when the ledger is closed.
final class WriterBox: Sendable {
    private let writer: Mutex<LedgerWriter?>
    /// Held as long as the writer may still write.
    private let lock: Mutex<FileLock?>
    private let latest = Mutex(LedgerStatistics())
    private let files: LedgerFiles
    /// The size that the checkpoint file names.
    private let publishedSize: Mutex<Int64>

    init(files: LedgerFiles, lock: consuming FileLock, signer: NoteSigner, projections: [any Projection]) throws {
        self.files = files
        self.lock = Mutex(lock)
        let database = try Database(files.database, access: .readWrite)
        let reserve = try LedgerReserve(path: files.reserve)
        let writer = try LedgerWriter(database: database, signer: signer, projections: projections, reserve: reserve)
        try writer.prepareProjections()
        writer.keepReserve()
        latest.withLock { $0 = writer.statistics }
        self.writer = Mutex(writer)
        publishedSize = Mutex(-1)
    }

    var statistics: LedgerStatistics { latest.withLock { $0 } }

    /// Runs a batch and tells its callers.
    func run(_ batch: [CommitRequest]) {
        let outcome = writer.withLock { writer -> [@Sendable () -> Void]? in
            guard let writer else { return nil }
            let told = writer.run(batch)
            let statistics = writer.statistics
            latest.withLock { $0 = statistics }
            return told
        }
        for tell in outcome ?? batch.map({ request in { request.fail(LedgerError.closed()) } }) { tell() }
        writer.withLock { writer in
            guard let writer else { return }
            writer.keepReserve()
            let statistics = writer.statistics
            latest.withLock { $0 = statistics }
        }
    }

    /// Writes the checkpoint file, unless it already names as many events.
    func publish(_ note: String, key: NoteVerifier) throws {
        let size = try Checkpoint(note: note, key: key).size
        try publishedSize.withLock { published in
            if size <= published { return }
            try DurableFiles.replace(files.checkpoint, Array(note.utf8), mode: 0o644)
            published = size
        }
    }

    /// Closes the connection, then lets others open the ledger.
    func close() {
        writer.withLock { $0 = nil }
        lock.withLock { $0 = nil }
    }
}
