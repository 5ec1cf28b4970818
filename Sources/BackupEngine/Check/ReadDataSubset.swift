package import Platform

/// Which packs `check` reads in full: restic's `--read-data-subset`.
package enum ReadDataSubset: Sendable, Hashable {
    case none, all
    /// Packs whose first byte, modulo `of`, is `number` - 1: n runs with the numbers 1 to n read everything once.
    case bucket(number: Int, of: Int)
    /// A random share, above 0 and at most 100.
    case percent(Double)
    /// Random packs of about so many bytes together.
    case bytes(UInt64)

    /// One byte tells the buckets apart.
    private static let bucketLimit = 256

    /// Reads `n/t`, `x%`, or a size such as `50M` (units of 1024, as restic has them).
    ///
    /// - Throws: `.invalidArgument`.
    package init(_ text: String) throws(RepositoryError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 2, let number = Int(parts[0]), let total = Int(parts[1]) {
            guard number >= 1, number <= total, total <= Self.bucketLimit else {
                throw Self.refused(text, "n/t: 1 <= n <= t <= \(Self.bucketLimit)")
            }
            self = .bucket(number: number, of: total)
            return
        }
        if text.hasSuffix("%") {
            guard let percent = Double(text.dropLast()), percent > 0, percent <= 100 else { throw Self.refused(text, "0 < x% <= 100") }
            self = .percent(percent)
            return
        }
        guard let bytes = Self.bytes(text), bytes > 0 else { throw Self.refused(text, "n/t, x%, 50M") }
        self = .bytes(bytes)
    }

    private static func refused(_ text: String, _ wanted: String) -> RepositoryError {
        let shown = escapedForDisplay(text)
        return RepositoryError(
            .invalidArgument, Phrase(vi: "phần dữ liệu cần đọc không hợp lệ: '\(shown)'", en: "not a part of the data: '\(shown)'"),
            hint: Phrase(vi: "dạng đúng: \(wanted)", en: "expected: \(wanted)"))
    }

    /// `1024`, `50K`, `1.5G`: a size with restic's units.
    package static func bytes(_ text: String) -> UInt64? {
        var digits = text[...]
        var scale = 1.0
        if let unit = digits.last?.uppercased(), let power = ["B": 0, "K": 1, "M": 2, "G": 3, "T": 4][unit] {
            digits = digits.dropLast()
            for _ in 0..<power { scale *= 1024 }
        }
        guard let value = Double(digits), value >= 0, value * scale < 9e18 else { return nil }
        return UInt64(value * scale)
    }

    /// The packs to read, in the order of `packs`.
    func select(from packs: [IndexedPack]) -> [IndexedPack] {
        switch self {
        case .none: return []
        case .all: return packs
        case .bucket(let number, let total):
            return packs.filter { Int($0.file.id.bytes.first ?? 0) % total == number - 1 }
        case .percent(let percent): return Self.draw(percent, from: packs)
        case .bytes(let bytes):
            let total = packs.reduce(0) { $0 + $1.file.sizeBytes }
            return Self.draw(total == 0 ? 100 : min(100, Double(bytes) / Double(total) * 100), from: packs)
        }
    }

    private static func draw(_ percent: Double, from packs: [IndexedPack]) -> [IndexedPack] {
        let count = packs.isEmpty ? 0 : max(1, Int(Double(packs.count) * percent / 100))
        return packs.indices.shuffled().prefix(count).sorted().map { packs[$0] }
    }
}

/// A pack that is there and in the index.
struct IndexedPack: Sendable {
    let file: StoredFile
    /// The blobs that the index puts into it, in the order of offsets.
    let entries: [PackEntry]
}

/// What `check` looks at.
package struct CheckOptions: Sendable {
    package var readData: ReadDataSubset
    /// Only these snapshots and what they need; all when empty. IDs come first, then the filter.
    package var snapshots: [Digest] = []
    package var filter: SnapshotFilter?
    /// Others may be adding to the repository meanwhile: packs that no index names yet are theirs, and are not mentioned.
    package var isShared = false
    /// Threads that read packs and trees; 0 for one per processor, or per connection of a remote repository.
    package var workerCount = 0

    package init(readData: ReadDataSubset = .none) { self.readData = readData }

    var isFiltered: Bool { !snapshots.isEmpty || filter != nil }
}
