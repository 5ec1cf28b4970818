package import Platform
internal import Synchronization

/// Measurements of free space, in `history.db`: unsigned and expiring, no part of the record.
package final class SpaceHistory: Sendable {
    /// Older measurements are dropped, and of one repository no more than so many are kept.
    private static let keptSeconds: Int64 = 60 * 86400
    private static let keptSamples = 2000

    private let database: Mutex<Database>

    /// - Parameter path: Made when it is missing; a damaged one is moved aside, for measurements come again.
    package init(_ path: FilePath) throws {
        database = Mutex(try Self.open(path))
    }

    private static func open(_ path: FilePath) throws -> sending Database {
        if isDamaged(path) {
            for suffix in ["", "-wal", "-shm"] { try DurableFiles.remove(FilePath(bytes: path.bytes + Array(suffix.utf8))) }
        }
        return try prepared(path)
    }

    /// Any other failure will be met again, and thrown, when it is opened for good.
    private static func isDamaged(_ path: FilePath) -> Bool {
        do throws(DatabaseError) {
            _ = try prepared(path)
            return false
        } catch {
            return error.isDamaged
        }
    }

    private static func prepared(_ path: FilePath) throws(DatabaseError) -> sending Database {
        let database = try Database(path, access: .create, isDurable: false)
        try database.execute(
            """
            CREATE TABLE IF NOT EXISTS space(
              repository TEXT NOT NULL, moment INTEGER NOT NULL, free INTEGER NOT NULL, total INTEGER NOT NULL,
              PRIMARY KEY (repository, moment)) STRICT, WITHOUT ROWID;
            """)
        return database
    }

    package func add(_ space: SpaceFacts, of repository: String, at moment: Timestamp) throws {
        try database.withLock { database in
            try database.run(
                "INSERT OR REPLACE INTO space(repository, moment, free, total) VALUES(?1,?2,?3,?4)", SQLValue(repository),
                SQLValue(moment.millisecondsSinceEpoch), SQLValue(space.freeBytes), SQLValue(space.totalBytes))
            try database.run(
                "DELETE FROM space WHERE repository=?1 AND moment < ?2", SQLValue(repository),
                SQLValue(moment.adding(seconds: -Self.keptSeconds).millisecondsSinceEpoch))
            try database.run(
                """
                DELETE FROM space WHERE repository=?1 AND moment <=
                  (SELECT moment FROM space WHERE repository=?1 ORDER BY moment DESC LIMIT 1 OFFSET ?2)
                """, SQLValue(repository), SQLValue(Self.keptSamples))
        }
    }

    /// The measurements of a repository, oldest first, and the newest in full.
    package func samples(of repository: String) throws -> (samples: [SpaceTrend.Sample], newest: SpaceFacts?) {
        try database.withLock { database in
            var newest: SpaceFacts?
            let samples = try database.all(
                "SELECT moment, free, total FROM space WHERE repository=?1 ORDER BY moment", SQLValue(repository)
            ) { row throws(DatabaseError) in
                (SpaceTrend.Sample(moment: Timestamp(millisecondsSinceEpoch: row.integer(0)), freeBytes: row.integer(1)), row.integer(2))
            }
            if let last = samples.last { newest = SpaceFacts(freeBytes: last.0.freeBytes, totalBytes: last.1) }
            return (samples.map(\.0), newest)
        }
    }
}
