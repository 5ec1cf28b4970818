/// The bounds of a chunk in bytes, the same as restic's for both rules.
package enum ChunkSize {
    package static let minimum = 512 * 1024
    package static let maximum = 8 * 1024 * 1024
}

/// Where content may be cut: a property of the 64 bytes before a place, whatever came earlier.
///
/// So two readers who start at different places of a file agree on all cuts from the first one they share.
package enum CutRule: Sendable {
    case gear(GearTable)
    case rabin(RabinTables)

    package static let windowBytes = 64
    /// One of four stretches that are hashed side by side.
    static let laneBytes = 4096

    /// The first place where a cut is allowed.
    ///
    /// - Parameters:
    ///   - first: The first place to look at, 64 or more; place n lies before byte n.
    ///   - last: The last one, `bytes.count` at most.
    package func firstCut(in bytes: UnsafeRawBufferPointer, from first: Int, through last: Int) -> Int? {
        if first > last { return nil }
        switch self {
        case .gear(let table): return unsafe table.firstCut(in: bytes, from: first, through: last)
        case .rabin(let tables): return unsafe tables.firstCut(in: bytes, from: first, through: last)
        }
    }
}

/// Finds the ends of chunks in content of which more and more is known.
package struct Chunker {
    package let rule: CutRule
    /// So far into the chunk every place has been looked at.
    private var examined = 0

    package init(rule: CutRule) { self.rule = rule }

    /// The end of the chunk that starts at byte `start`: at least 512 KiB and at most 8 MiB after it.
    ///
    /// - Parameter bytes: All that is known; only `bytes[start...]` is looked at.
    /// - Returns: nil when the end does not lie within `bytes`. Call again with the same chunk and more bytes after it, or, where the
    ///   content ends, take what is left as the last chunk.
    package mutating func end(ofChunkAt start: Int, in bytes: UnsafeRawBufferPointer) -> Int? {
        let limit = min(bytes.count, start + ChunkSize.maximum)
        let first = start + max(ChunkSize.minimum, examined)
        if let cut = unsafe rule.firstCut(in: bytes, from: first, through: limit) {
            examined = 0
            return cut
        }
        if limit == start + ChunkSize.maximum {
            examined = 0
            return limit
        }
        examined = max(first, limit + 1) - start
        return nil
    }

    /// Forgets what was examined: another chunk comes next.
    package mutating func restart() { examined = 0 }
}
