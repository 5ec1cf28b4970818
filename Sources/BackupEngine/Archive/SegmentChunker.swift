/// Cuts one segment of a large file on its own, and afterwards agrees with what came before it.
///
/// A cut depends on the last 64 bytes alone, apart from the bounds of a chunk. So a segment can be cut before anybody knows where its first
/// chunk really begins: once that is known, the true cuts are looked for only until one of them is a guessed one; from there on all are right.
/// The result is that of cutting the whole file in order. Places are counted from the start of the segment.
struct SegmentChunker {
    private var chunker: Chunker
    /// Chunks that begin below this belong to the segment.
    private let length: Int
    /// 0 and the cuts that follow if a chunk begins there, ascending.
    private var guesses: [Int] = [0]
    /// Where the next chunk begins.
    private(set) var start = 0
    /// The ends of the chunks that are settled.
    private(set) var ends: [Int] = []

    init(rule: CutRule, length: Int) {
        chunker = Chunker(rule: rule)
        self.length = length
    }

    /// Cuts as if a chunk began with the segment.
    mutating func guess(in bytes: UnsafeRawBufferPointer) {
        var start = 0
        while start < length, let end = unsafe chunker.end(ofChunkAt: start, in: bytes) {
            guesses.append(end)
            start = end
        }
        chunker.restart()
    }

    /// - Parameter start: Where the first chunk of this segment begins, which may lie beyond the segment.
    mutating func begin(at start: Int) { self.start = start }

    /// Settles the chunks that begin in this segment.
    ///
    /// - Parameters:
    ///   - bytes: From the start of the segment; the last chunk ends beyond it.
    ///   - isEnd: Nothing follows `bytes` in the file.
    /// - Returns: False when more bytes are needed.
    mutating func advance(in bytes: UnsafeRawBufferPointer, isEnd: Bool) -> Bool {
        while start < length {
            if let known = guesses.firstIndex(of: start), known + 1 < guesses.count {
                ends += guesses[(known + 1)...]
                start = guesses[guesses.count - 1]
                guesses = []
                continue
            }
            guard let end = unsafe chunker.end(ofChunkAt: start, in: bytes) else {
                if !isEnd { return false }
                if start < bytes.count {
                    ends.append(bytes.count)
                    start = bytes.count
                }
                return true
            }
            ends.append(end)
            start = end
        }
        return true
    }
}
