package import Platform

/// The observed state: what was last seen and reported. Unsigned; it decides what is news, never what is right.
extension BaselineStore {
    /// Takes states over, all or none, durably. A nil record removes the path.
    package func updateObserved(_ rows: [(path: FilePath, record: FileRecord?)]) throws {
        if rows.isEmpty { return }
        try database.read { database in
            try database.transaction {
                for row in rows { try Self.put(database, .observed, row.path, row.record) }
            }
        }
    }

    /// When the observed state was last known to be complete up to that moment; nil before the first watch.
    package func observedMoment() throws -> Timestamp? {
        try database.read { try Self.number($0, "observed_moment") }.map { Timestamp(millisecondsSinceEpoch: $0) }
    }

    package func setObservedMoment(_ moment: Timestamp) throws {
        try database.read { try Self.set($0, "observed_moment", number: moment.millisecondsSinceEpoch) }
    }

    /// True when the tree of a root has been taken over completely once: only then is something new there news.
    package func isAdopted(_ root: FilePath) throws -> Bool {
        try database.read { try Self.number($0, "adopted:" + hexText(root.bytes)) } != nil
    }

    package func setAdopted(_ root: FilePath) throws {
        try database.read {
            try Self.set($0, "adopted:" + hexText(root.bytes), number: Timestamp.now().millisecondsSinceEpoch)
        }
    }

    /// A page of observed paths: `area` itself and below, after `previous`, in tree order.
    func observedPaths(below area: FilePath, after previous: FilePath?, limit: Int) throws -> [FilePath] {
        let lower = previous.map { $0.treeKey + [0] } ?? area.treeKey
        let keys = try database.read { database in
            try database.all(
                "SELECT key FROM observed WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3",
                .blob(lower), .blob(area.treeKeysBelow.upperBound.bytes), SQLValue(limit)
            ) { $0.blob(0) }
        }
        return keys.compactMap { FilePath(treeKey: $0) }
    }
}
