internal import Platform

/// "Did you mean": the known word nearest to an unknown one.
enum Suggestion {
    /// The nearest of `candidates`, or nil when none is near: at most one edit for each three characters, so that two names of
    /// one letter are never taken for each other.
    static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        let folded = fold(word)
        guard !folded.isEmpty, folded.count <= 64 else { return nil }
        var best: (word: String, distance: Int)?
        for candidate in candidates {
            let distance = editDistance(folded, fold(candidate))
            guard distance <= folded.count / 3 else { continue }
            // Equal distances: the alphabet decides, so that the same file always gives the same message.
            if let known = best, (known.distance, known.word) <= (distance, candidate) { continue }
            best = (candidate, distance)
        }
        return best?.word
    }

    static func hint(for word: String, among candidates: some Sequence<String>) -> Phrase? {
        guard let match = nearest(to: word, among: candidates) else { return nil }
        let name = escapedForDisplay(match)
        return Phrase(vi: "có phải ý bạn là '\(name)'?", en: "did you mean '\(name)'?")
    }

    /// `personal_data`, `personal-data` and `personalData` are the same slip.
    private static func fold(_ word: String) -> [UInt8] {
        word.lowercased().utf8.filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: " ") }
    }

    /// Insertions, deletions, substitutions, and swaps of neighbours (optimal string alignment).
    static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        var current = last
        for row in 1...left.count {
            current[0] = row
            for column in 1...right.count {
                let cost = left[row - 1] == right[column - 1] ? 0 : 1
                current[column] = min(last[column] + 1, current[column - 1] + 1, last[column - 1] + cost)
                if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
                    current[column] = min(current[column], beforeLast[column - 2] + 1)
                }
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
