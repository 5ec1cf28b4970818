internal import CSQLite

/// An SQLite call that failed. Bound values never appear in it.
package struct DatabaseError: ExplainedError, Equatable {
    /// SQLite's extended result code.
    package let code: Int32
    package let detail: String
    package let path: FilePath

    package var message: Phrase {
        Phrase(
            vi: "cơ sở dữ liệu '\(path)': \(detail) (mã \(code))", en: "database '\(path)': \(detail) (code \(code))")
    }

    /// True when the file is no database, or a damaged one.
    package var isDamaged: Bool { code & 0xFF == SQLITE_NOTADB || code & 0xFF == SQLITE_CORRUPT }
    package var isBusy: Bool { code & 0xFF == SQLITE_BUSY || code & 0xFF == SQLITE_LOCKED }
    package var isFull: Bool { code & 0xFF == SQLITE_FULL }
    package var isConstraint: Bool { code & 0xFF == SQLITE_CONSTRAINT }
}

/// One connection to one SQLite file. Used by one thread at a time.
@safe package final class Database {
    package let path: FilePath
    private let connection: OpaquePointer  // sqlite3 *, never nil, closed in deinit
    private var cached: [String: StatementHandle] = [:]

    package enum Access: Sendable { case readOnly, readWrite, create }

    /// Opens a database.
    ///
    /// - Parameters:
    ///   - access: `create` makes a missing file; the others throw.
    ///   - isDurable: `synchronous=FULL` with a write-ahead log, so that a committed transaction survives power loss.
    package init(_ path: FilePath, access: Access, isDurable: Bool = true) throws(DatabaseError) {
        let flags: Int32 =
            switch access {
            case .readOnly: SQLITE_OPEN_READONLY
            case .readWrite: SQLITE_OPEN_READWRITE
            case .create: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            }
        var opened: OpaquePointer?
        let status = unsafe path.withCString {
            unsafe sqlite3_open_v2($0, &opened, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, nil)
        }
        guard status == SQLITE_OK, let connection = unsafe opened else {
            let detail = unsafe opened.map { unsafe String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            unsafe sqlite3_close_v2(opened)
            throw DatabaseError(code: status, detail: detail, path: path)
        }
        self.path = path
        unsafe self.connection = connection
        unsafe sqlite3_extended_result_codes(connection, 1)
        unsafe sqlite3_busy_timeout(connection, 5000)
        _ = unsafe sentinel_sqlite3_set_defensive(connection)
        try execute("PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=ON")
        if access != .readOnly {
            try execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=\(isDurable ? "FULL" : "NORMAL")")
        }
    }

    deinit {
        cached.removeAll()
        unsafe sqlite3_close_v2(connection)
    }

    /// Runs statements that take no values and give no rows.
    package func execute(_ sql: String) throws(DatabaseError) {
        let status = unsafe sqlite3_exec(connection, sql, nil, nil, nil)
        if status != SQLITE_OK { throw failure() }
    }

    /// Runs one statement with values bound to `?1`, `?2`, …; rows are ignored.
    package func run(_ sql: String, _ values: SQLValue...) throws(DatabaseError) {
        try query(sql, values) { _ throws(DatabaseError) in }
    }

    /// Runs one statement and calls `row` for each row of its result, in order. The statement is compiled once and kept.
    package func query(
        _ sql: String, _ values: [SQLValue] = [], _ row: (borrowing Row) throws(DatabaseError) -> Void
    ) throws(DatabaseError) {
        let handle = try statement(sql)
        let statement = unsafe handle.pointer
        handle.isBusy = true
        defer {
            unsafe sqlite3_reset(statement)
            unsafe sqlite3_clear_bindings(statement)
            handle.isBusy = false
        }
        for (index, value) in values.enumerated() {
            if unsafe value.bind(to: statement, at: Int32(index + 1)) != SQLITE_OK { throw failure() }
        }
        while true {
            switch unsafe sqlite3_step(statement) {
            case SQLITE_ROW: try row(unsafe Row(statement: statement))
            case SQLITE_DONE: return
            default: throw failure()
            }
        }
    }

    /// Runs one statement and makes a value of each row.
    package func all<Value>(
        _ sql: String, _ values: SQLValue..., read: (borrowing Row) throws(DatabaseError) -> Value
    ) throws(DatabaseError) -> [Value] {
        var result: [Value] = []
        try query(sql, values) { row throws(DatabaseError) in result.append(try read(row)) }
        return result
    }

    /// Runs one statement and makes a value of its first row, if there is one.
    package func first<Value>(
        _ sql: String, _ values: SQLValue..., read: (borrowing Row) throws(DatabaseError) -> Value
    ) throws(DatabaseError) -> Value? {
        var result: Value?
        try query(sql, values) { row throws(DatabaseError) in if result == nil { result = try read(row) } }
        return result
    }

    /// The key of the row inserted last.
    package var lastInsertedRow: Int64 { unsafe sqlite3_last_insert_rowid(connection) }
    /// Rows changed by the last statement.
    package var changedRows: Int { Int(unsafe sqlite3_changes(connection)) }
    /// True between BEGIN and COMMIT.
    package var isInTransaction: Bool { unsafe sqlite3_get_autocommit(connection) == 0 }

    /// Runs `body` in one transaction, rolled back when it throws.
    package func transaction<Value>(_ body: () throws -> Value) throws -> Value {
        try execute("BEGIN IMMEDIATE")
        do {
            let value = try body()
            try execute("COMMIT")
            return value
        } catch {
            if isInTransaction { try execute("ROLLBACK") }
            throw error
        }
    }

    /// Copies the whole database, consistent even while others write, with SQLite's online backup.
    package func copy(to target: Database) throws(DatabaseError) {
        guard let backup = unsafe sqlite3_backup_init(target.connection, "main", connection, "main") else {
            throw target.failure()
        }
        var status = SQLITE_OK
        repeat {
            status = unsafe sqlite3_backup_step(backup, 1024)
            if status == SQLITE_BUSY || status == SQLITE_LOCKED { sqlite3_sleep(10) }
        } while status == SQLITE_OK || status == SQLITE_BUSY || status == SQLITE_LOCKED
        unsafe sqlite3_backup_finish(backup)
        if status != SQLITE_DONE { throw target.failure() }
    }

    private func statement(_ sql: String) throws(DatabaseError) -> StatementHandle {
        if let handle = cached[sql], !handle.isBusy { return handle }
        var prepared: OpaquePointer?
        let status = unsafe sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard status == SQLITE_OK, let pointer = unsafe prepared else { throw failure() }
        let handle = unsafe StatementHandle(pointer)
        if cached[sql] == nil { cached[sql] = handle }
        return handle
    }

    private func failure() -> DatabaseError {
        unsafe DatabaseError(
            code: sqlite3_extended_errcode(connection), detail: String(cString: sqlite3_errmsg(connection)), path: path)
    }
}

/// A compiled statement: finalised exactly once.
@safe private final class StatementHandle {
    let pointer: OpaquePointer
    var isBusy = false
    init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }
    deinit { unsafe sqlite3_finalize(pointer) }
}
