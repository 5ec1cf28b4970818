internal import Platform

/// The two states that a baseline keeps.
package enum BaselineTable: String, Sendable {
    /// What people approved: changed by accept events only.
    case approved
    /// What was last seen and reported: changed by the watcher.
    case observed
}

/// The records of one table in tree order, a page at a time, on a connection of its own.
final class RecordCursor: RecordSource {
    private struct State {
        let database: Database
        var page: [FileRecord] = []
        var next = 0
        var lower: [UInt8]
        let upper: [UInt8]?
        var isLastPage = false
    }
    private static let pageRows: Int64 = 512
    private let sql: String
    private let state: Monitor<State>

    /// - Parameters:
    ///   - area: Only this path and what lies below it.
    ///   - isSnapshot: All pages show one moment of the table; else later pages show later changes.
    init(_ path: FilePath, _ table: BaselineTable, area: FilePath?, isSnapshot: Bool) throws(DatabaseError) {
        let database = try Database(path, access: .readOnly)
        if isSnapshot { try database.execute("BEGIN") }
        let upper = area.map { $0.treeKeysBelow.upperBound.bytes }
        sql =
            "SELECT key, record FROM \(table.rawValue) WHERE key >= ?1 \(upper == nil ? "" : "AND key < ?3 ")ORDER BY key LIMIT ?2"
        // The keys from the area's own up to the bound are the area and its tree, nothing else: see FilePath+Tree.
        state = Monitor(State(database: database, lower: area?.treeKey ?? [], upper: upper))
    }

    func next() throws -> FileRecord? {
        try state.read { state in
            if state.next == state.page.count {
                if state.isLastPage { return nil }
                try fill(&state)
                if state.page.isEmpty { return nil }
            }
            state.next += 1
            return state.page[state.next - 1]
        }
    }

    private func fill(_ state: inout State) throws {
        state.page.removeAll(keepingCapacity: true)
        state.next = 0
        var values: [SQLValue] = [.blob(state.lower), .integer(Self.pageRows)]
        if let upper = state.upper { values.append(.blob(upper)) }
        var rows = Int64(0)
        var page: [FileRecord] = []
        var lower = state.lower
        var problem: DecodingProblem?
        try state.database.query(sql, values) { row throws(DatabaseError) in
            rows += 1
            let key = row.blob(0)
            do throws(DecodingProblem) {
                page.append(try FileRecord(treeKey: key, attributeBytes: row.blob(1)))
            } catch {
                problem = error
            }
            lower = key
        }
        if let problem { throw IntegrityError.corrupt(Phrase(vi: "dòng cơ sở", en: "baseline row"), problem.what) }
        state.lower = lower + [0]  // the smallest key after the last one
        state.isLastPage = rows < Self.pageRows
        state.page = page
    }
}

extension FileRecord {
    init(treeKey: [UInt8], attributeBytes: [UInt8]) throws(DecodingProblem) {
        guard treeKey.first == 0, let path = FilePath(treeKey: treeKey) else {
            throw DecodingProblem(what: "a key that is no path")
        }
        try self.init(path: path, attributeBytes: attributeBytes)
    }
}
