internal import CSQLite
internal import Glibc

/// Copies of SQLite databases that other processes have open.
package enum LiveDatabase {
    /// Pages between two looks at the clock and at a cancellation: 8 MiB of the usual size.
    private static let stepPages: Int32 = 2048
    /// A writer that does not use a write-ahead log makes a copy start again; after so often it has to wait instead.
    private static let restartLimit = 3
    private static let rawAttempts = 5

    /// Once per process; harmless for every other connection.
    private static let hasEffectiveAccess = sentinel_sqlite3_use_effective_access() == SQLITE_OK

    /// The files that SQLite keeps beside a database.
    package static func companions(of path: FilePath) -> [FilePath] { ["-wal", "-shm", "-journal"].map { FilePath(bytes: path.bytes + Array($0.utf8)) } }

    /// Copies a database as of one moment, whatever others write meanwhile, and writes nothing next to it.
    ///
    /// With a write-ahead log nobody waits for anybody. Without one the copy gives way to writers three times, then holds its read lock
    /// to the end. A database that nobody has open but that cannot be opened without writing beside it (a log or journal left by a
    /// crash, or no right to write) is copied with that log, and recovered in `directory`.
    ///
    /// - Parameters:
    ///   - path: Without symbolic links on the way.
    ///   - directory: A private directory on a file system with room for the database.
    ///   - patienceSeconds: How long to wait for locks before giving up.
    /// - Returns: The finished copy at its beginning, a file without a name.
    /// - Throws: SQLITE_BUSY when the patience is over, SQLITE_INTERRUPT after a cancellation, and what SQLite says.
    package static func copy(
        _ path: FilePath, in directory: FilePath, patienceSeconds: Double, _ isCancelled: () -> Bool
    ) throws(DatabaseError) -> FileDescriptor {
        let deadline = Deadline(afterSeconds: patienceSeconds)
        // Without it databases of others are still copied, but only while nobody writes to them.
        _ = hasEffectiveAccess
        // An orderly closed database in WAL mode has no log; opening it would make one.
        let isWriteAhead = try isWriteAhead(path)
        let hasLog = try exists(companions(of: path)[0])
        if !isWriteAhead || hasLog {
            do throws(DatabaseError) {
                return try copyOpen(path, holding: isWriteAhead, in: directory, deadline, isCancelled)
            } catch {
                let primary = error.code & 0xFF
                if error.code == SQLITE_CANTOPEN | 6 << 8 /* SQLITE_CANTOPEN_SYMLINK */ || (primary != SQLITE_CANTOPEN && primary != SQLITE_READONLY) {
                    throw error
                }
            }
        }
        return try copyClosed(path, in: directory, deadline, isCancelled)
    }

    // MARK: By SQLite's backup interface

    /// - Parameter isHolding: Take the read lock at once. No other descriptor of the file may be closed in this process from here on:
    ///   that would drop the locks of SQLite.
    private static func copyOpen(
        _ path: FilePath, holding isHolding: Bool, in directory: FilePath, _ deadline: Deadline, _ isCancelled: () -> Bool
    ) throws(DatabaseError) -> FileDescriptor {
        let source = try Connection(path, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW)
        try source.run("PRAGMA trusted_schema=OFF")
        let (target, descriptor) = try makeTarget(in: directory, for: path)
        let file = FileDescriptor(owning: descriptor)
        try patiently(path, deadline, isCancelled) { () throws(DatabaseError) in try source.run("PRAGMA schema_version") }
        var isHolding = isHolding
        if isHolding { try hold(source, path, deadline, isCancelled) }
        guard let backup = unsafe sqlite3_backup_init(target.handle, "main", source.handle, "main") else { throw target.failure() }
        var isFinished = false
        defer { if !isFinished { unsafe sqlite3_backup_finish(backup) } }
        var remaining = Int32.max
        var restarts = 0
        var blocked = deadline
        while true {
            if isCancelled() { throw interrupted(path) }
            let status = unsafe sqlite3_backup_step(backup, stepPages)
            switch status {
            case SQLITE_DONE:
                isFinished = true
                if unsafe sqlite3_backup_finish(backup) != SQLITE_OK { throw target.failure() }
                return file
            case SQLITE_OK:
                let left = unsafe sqlite3_backup_remaining(backup)
                if left >= remaining && !isHolding {
                    restarts += 1
                    if restarts >= restartLimit {
                        try hold(source, path, deadline, isCancelled)
                        isHolding = true
                    }
                }
                remaining = left
                // Progress: the patience is for waiting, not for working.
                blocked = Deadline(afterSeconds: max(1, deadline.remainingSeconds))
            case SQLITE_BUSY, SQLITE_LOCKED:
                if blocked.isPast { throw busy(path) }
                sqlite3_sleep(10)
            default: throw DatabaseError(code: status, detail: unsafe String(cString: sqlite3_errstr(status)), path: path)
            }
        }
    }

    /// Takes a read lock that lasts until the connection is closed: the database stays as it is, for this connection.
    private static func hold(
        _ source: Connection, _ path: FilePath, _ deadline: Deadline, _ isCancelled: () -> Bool
    ) throws(DatabaseError) {
        try source.run("BEGIN")
        try patiently(path, deadline, isCancelled) { () throws(DatabaseError) in try source.run("PRAGMA schema_version") }
    }

    private static func patiently(
        _ path: FilePath, _ deadline: Deadline, _ isCancelled: () -> Bool, _ body: () throws(DatabaseError) -> Void
    ) throws(DatabaseError) {
        while true {
            do throws(DatabaseError) {
                return try body()
            } catch {
                if !error.isBusy || deadline.isPast { throw error }
            }
            if isCancelled() { throw interrupted(path) }
            sqlite3_sleep(10)
        }
    }

    /// An empty database that loses its name as soon as it is open: nothing is left behind, however this process ends.
    ///
    /// - Returns: With a descriptor of its own, which is the caller's to close.
    private static func makeTarget(in directory: FilePath, for path: FilePath) throws(DatabaseError) -> (Connection, Int32) {
        do {
            let name = directory / "sqlite-\(hexText(try SecureRandom.bytes(12)))"
            let file = try FileDescriptor.open(name, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
            defer { unlink(name) }
            let target = try Connection(name, SQLITE_OPEN_READWRITE)
            // Without a journal and without fsync: a copy that was cut short is worth nothing anyway.
            try target.run("PRAGMA journal_mode=OFF")
            try target.run("PRAGMA synchronous=OFF")
            try target.run("PRAGMA locking_mode=EXCLUSIVE")
            return (target, file.release())
        } catch let error as DatabaseError {
            throw error
        } catch {
            throw unusable(path, error)
        }
    }

    private static func unlink(_ path: FilePath) { _ = unsafe path.withCString { unsafe Glibc.unlink($0) } }

    // MARK: Without opening it

    /// Copies a database that nobody writes to, with its log and journal, recovers that copy and copies it once more by SQLite.
    private static func copyClosed(
        _ path: FilePath, in directory: FilePath, _ deadline: Deadline, _ isCancelled: () -> Bool
    ) throws(DatabaseError) -> FileDescriptor {
        do {
            let scratch = directory / "sqlite-\(hexText(try SecureRandom.bytes(12)))"
            try DurableFiles.makeDirectories(scratch, mode: 0o700)
            let copy = scratch / "db"
            defer {
                for file in [copy] + companions(of: copy) { unlink(file) }
                _ = unsafe scratch.withCString { unsafe rmdir($0) }
            }
            var attempt = 0
            while try !copyFiles(path, to: copy, isCancelled) {
                attempt += 1
                if attempt == rawAttempts || deadline.isPast { throw busy(path) }
                usleep(200_000)
            }
            // Opening it for writing is what rolls back a journal and takes over a log.
            let recovery = try Connection(copy, SQLITE_OPEN_READWRITE)
            try recovery.run("PRAGMA schema_version")
            return try copyOpen(copy, holding: true, in: directory, Deadline(afterSeconds: 10), isCancelled)
        } catch let error as DatabaseError {
            throw DatabaseError(code: error.code, detail: error.detail, path: path)
        } catch {
            throw unusable(path, error)
        }
    }

    /// - Returns: False when something changed meanwhile; the copies are then worthless.
    private static func copyFiles(_ path: FilePath, to copy: FilePath, _ isCancelled: () -> Bool) throws -> Bool {
        let names = ["", "-wal", "-journal"].map { Array($0.utf8) }
        let parent = try FileDescriptor.openPath(path.parent)
        func states() throws(SystemError) -> [FileStatus?] {
            var result: [FileStatus?] = []
            for name in names {
                do throws(SystemError) {
                    result.append(try parent.statusOfEntry(path.name + name))
                } catch {
                    if !error.isMissing { throw error }
                    result.append(nil)
                }
            }
            return result
        }
        // Two changes within one tick of the file system's clock cannot be told apart: let the last one grow old.
        usleep(20_000)
        let before = try states()
        for (name, status) in zip(names, before) {
            let target = FilePath(bytes: copy.bytes + name)
            unlink(target)
            guard status != nil else { continue }
            let file = try parent.openEntryForReading(path.name + name, isDirectory: false)
            let output = try FileDescriptor.open(target, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
            defer { unsafe memory.deallocate() }
            while true {
                if isCancelled() { throw interrupted(path) }
                let count = try unsafe file.read(into: memory, path: path)
                if count == 0 { break }
                try unsafe output.writeAll(UnsafeRawBufferPointer(rebasing: memory[..<count]), path: target)
            }
        }
        return try zip(before, states()).allSatisfy { old, new in
            old?.inode == new?.inode && old?.sizeBytes == new?.sizeBytes && old?.modified == new?.modified && old?.changed == new?.changed
        }
    }

    // MARK: Particulars

    /// True when the header says that a write-ahead log is used; false for anything that is no database.
    private static func isWriteAhead(_ path: FilePath) throws(DatabaseError) -> Bool {
        do throws(SystemError) {
            // O_NOFOLLOW is SQLite's to check; this only looks. No lock of ours is on the file yet that closing it could drop.
            let file = try FileDescriptor.open(path, O_RDONLY | O_NONBLOCK)
            var header = [UInt8](repeating: 0, count: 20)
            let count = try unsafe header.withUnsafeMutableBufferPointer { (buffer) throws(SystemError) -> Int in
                try unsafe file.read(into: UnsafeMutableRawBufferPointer(buffer), path: path)
            }
            return count == 20 && header[18] == 2 && header[19] == 2
        } catch {
            throw unusable(path, error)
        }
    }

    private static func exists(_ path: FilePath) throws(DatabaseError) -> Bool {
        do throws(SystemError) {
            return try FileStatus.exists(path)
        } catch {
            throw unusable(path, error)
        }
    }

    private static func busy(_ path: FilePath) -> DatabaseError { DatabaseError(code: SQLITE_BUSY, detail: "database is locked", path: path) }
    private static func interrupted(_ path: FilePath) -> DatabaseError { DatabaseError(code: SQLITE_INTERRUPT, detail: "interrupted", path: path) }
    private static func unusable(_ path: FilePath, _ error: any Error) -> DatabaseError {
        DatabaseError(code: SQLITE_IOERR, detail: (error as? any ExplainedError)?.message.en ?? "\(error)", path: path)
    }

    /// A bare connection: no pragma that would change the file.
    @safe private final class Connection {
        let handle: OpaquePointer  // sqlite3 *, never nil, closed in deinit
        private let path: FilePath

        init(_ path: FilePath, _ flags: Int32) throws(DatabaseError) {
            var opened: OpaquePointer?
            let status = unsafe path.withCString { unsafe sqlite3_open_v2($0, &opened, flags | SQLITE_OPEN_NOMUTEX, nil) }
            guard status == SQLITE_OK, let handle = unsafe opened else {
                let detail = unsafe opened.map { unsafe String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
                let code = unsafe opened.map { unsafe sqlite3_extended_errcode($0) } ?? status
                unsafe sqlite3_close_v2(opened)
                throw DatabaseError(code: code, detail: detail, path: path)
            }
            unsafe self.handle = handle
            self.path = path
            unsafe sqlite3_extended_result_codes(handle, 1)
            unsafe sqlite3_busy_timeout(handle, 50)
        }

        deinit { unsafe sqlite3_close_v2(handle) }

        func run(_ sql: String) throws(DatabaseError) {
            if unsafe sqlite3_exec(handle, sql, nil, nil, nil) != SQLITE_OK { throw failure() }
        }

        func failure() -> DatabaseError {
            unsafe DatabaseError(code: sqlite3_extended_errcode(handle), detail: String(cString: sqlite3_errmsg(handle)), path: path)
        }
    }
}
