internal import Platform

/// Asks SQLite whether a restored database is sound.
enum SQLiteAssertion {
    /// Databases that one assertion may mean, at most.
    private static let matchLimit = 100
    private static let depthLimit = 200

    /// Checks every restored file that `path` names: exactly that path inside the snapshot, or all files that end with it.
    static func check(_ path: String, in restored: FilePath) -> DrillResult.Assertion {
        let name = "sqlite-integrity: \(escapedForDisplay(path))"
        func failed(_ detail: Phrase) -> DrillResult.Assertion { .init(name: name, isPassed: false, detail: detail) }
        do {
            let files = try matches(path, in: restored)
            if files.isEmpty {
                return failed(
                    Phrase(vi: "bản sao lưu không có cơ sở dữ liệu này", en: "the snapshot holds no such database"))
            }
            for file in files {
                let problems = try integrityProblems(of: file)
                if let first = problems.first {
                    let shown = escapedForDisplay(bounded(first, 200))
                    return failed(Phrase(vi: "SQLite báo hỏng: \(shown)", en: "SQLite reports damage: \(shown)"))
                }
            }
            return .init(
                name: name, isPassed: true,
                detail: Phrase(vi: "\(files.count) cơ sở dữ liệu nguyên vẹn", en: "\(files.count) databases are sound"))
        } catch {
            let failure = FailureText(error)
            return failed(failure.message)
        }
    }

    private static func integrityProblems(of file: FilePath) throws -> [String] {
        let database = try Database(file, access: .readOnly)
        let lines = try database.all("PRAGMA integrity_check(20)") { row throws(DatabaseError) in row.text(0) }
        return lines == ["ok"] ? [] : lines.isEmpty ? ["no answer"] : lines
    }

    private static func matches(_ path: String, in restored: FilePath) throws -> [FilePath] {
        let wanted = FilePath(path).components
        if wanted.isEmpty { return [] }
        let exact = wanted.reduce(restored) { $0.appending($1) }
        if try FileStatus.exists(exact), try FileStatus.ofLink(exact).kind == .file { return [exact] }
        if FilePath(path).isAbsolute { return [] }
        var found: [FilePath] = []
        var pending: [(path: FilePath, depth: Int)] = [(restored, 0)]
        while let next = pending.popLast() {
            for name in try directoryNames(next.path).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
                let entry = next.path.appending(name)
                switch try FileStatus.ofLink(entry).kind {
                case .directory where next.depth < depthLimit: pending.append((entry, next.depth + 1))
                case .file where entry.components.suffix(wanted.count).elementsEqual(wanted):
                    found.append(entry)
                    if found.count == matchLimit { return found }
                default: break
                }
            }
        }
        return found
    }
}
