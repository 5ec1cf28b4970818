import Platform
import TestSupport
import Testing

@testable import BackupEngine

@Suite struct GearChunkerTests {
    static let key = [UInt8](0..<32)

    static func lengths(_ bytes: [UInt8], _ rule: CutRule, readBytes: Int) throws -> [Int] {
        var buffer = ChunkBuffer(rule: rule)
        var position = 0
        var result: [Int] = []
        try unsafe buffer.forEachChunk { (target) throws(CryptoError) -> Int in
            let count = min(min(readBytes, target.count), bytes.count - position)
            for index in 0..<count { unsafe target[index] = bytes[position + index] }
            position += count
            return count
        } emit: { (chunk) throws(CryptoError) -> Void in
            result.append(chunk.count)
        }
        return result
    }

    /// Every place where the rule allows a cut, found one byte after the other from its definition.
    static func cuts(_ bytes: [UInt8], key: [UInt8]) throws -> [Int] {
        var cipher = try AES256CTR(key: key)
        var stream = [UInt8](repeating: 0, count: 2048)
        try unsafe stream.withUnsafeMutableBytes { stream in
            let zeros = [UInt8](repeating: 0, count: 16)
            try unsafe zeros.withUnsafeBytes { zeros in try unsafe cipher.apply(counter: zeros, UnsafeRawBufferPointer(stream), to: stream) }
        }
        var table = [UInt64](repeating: 0, count: 256)
        for (index, byte) in stream.enumerated() { table[index / 8] |= UInt64(byte) << UInt64(8 * (index % 8)) }
        var hash: UInt64 = 0
        var result: [Int] = []
        for (index, byte) in bytes.enumerated() {
            hash = hash << 1 &+ table[Int(byte)]
            if hash >> 44 == 0 { result.append(index + 1) }
        }
        return result
    }

    @Test(arguments: [1 << 20, 65_537, 700_001])
    func `the vector is cut at the same places, however it is read`(readBytes: Int) throws {
        let bytes = try RabinChunkerTests.vector()
        let lengths = try Self.lengths(bytes, .gear(GearTable(key: Self.key)), readBytes: readBytes)
        #expect(lengths.reduce(0, +) == bytes.count)
        var start = 0
        var expected: [Int] = []
        let places = try Self.cuts(bytes, key: Self.key)
        while start < bytes.count {
            let end = places.first { $0 >= start + ChunkSize.minimum } ?? bytes.count
            expected.append(min(end, start + ChunkSize.maximum, bytes.count) - start)
            start += expected[expected.count - 1]
        }
        #expect(lengths == expected)
    }

    @Test func `another key cuts elsewhere`() throws {
        let bytes = try RabinChunkerTests.vector()
        let one = try Self.lengths(bytes, .gear(GearTable(key: Self.key)), readBytes: 1 << 20)
        let other = try Self.lengths(bytes, .gear(GearTable(key: Self.key.reversed())), readBytes: 1 << 20)
        #expect(one != other)
    }

    @Test func `content without any cut is cut at the maximum`() throws {
        // The hash of a run of one byte is that byte's word, shifted and added up: constant after 64 bytes.
        let bytes = [UInt8](repeating: 7, count: 20 << 20)
        let lengths = try Self.lengths(bytes, .gear(GearTable(key: Self.key)), readBytes: 1 << 20)
        #expect(lengths.dropLast().allSatisfy { $0 == lengths[0] })
        #expect([ChunkSize.minimum, ChunkSize.maximum].contains(lengths[0]))
        #expect(lengths.reduce(0, +) == bytes.count)
    }
}

@Suite struct SegmentChunkerTests {
    /// Cuts `bytes` segment by segment; each guesses with only its own bytes, and then learns where its first chunk begins.
    static func ends(_ bytes: [UInt8], _ rule: CutRule, segment length: Int) -> [Int] {
        var result: [Int] = []
        var start = 0
        var base = 0
        while base < bytes.count {
            var chunker = SegmentChunker(rule: rule, length: length)
            unsafe bytes.withUnsafeBytes { all in
                var known = min(all.count, base + length)
                if base > 0 { unsafe chunker.guess(in: UnsafeRawBufferPointer(rebasing: all[base..<known])) }
                chunker.begin(at: start - base)
                while unsafe !chunker.advance(in: UnsafeRawBufferPointer(rebasing: all[base..<known]), isEnd: known == all.count) {
                    known = min(all.count, known + 100_003)
                }
            }
            result += chunker.ends.map { $0 + base }
            start = max(start, chunker.start + base)
            base += length
        }
        return result
    }

    @Test func `segments agree with cutting in order, for any content and both rules`() throws {
        var random = SeededRandom(for: "segments")
        let tables = try #require(RabinTables(polynomial: RabinChunkerTests.polynomial))
        for rule in [CutRule.rabin(tables), .gear(try GearTable(key: random.bytes(32)))] {
            for _ in 0..<3 {
                // Random parts and runs, which are cut at the maximum, in any order.
                var bytes: [UInt8] = []
                for _ in 0..<Int(random.next() % 4 + 1) {
                    let count = Int(random.next() % 9_000_000)
                    bytes += random.next() % 3 == 0 ? [UInt8](repeating: UInt8(truncatingIfNeeded: random.next()), count: count) : random.bytes(count)
                }
                var expected: [Int] = []
                for length in try GearChunkerTests.lengths(bytes, rule, readBytes: 1 << 20) { expected.append((expected.last ?? 0) + length) }
                for segment in [ChunkSize.maximum, 3_000_001, 700_000] {
                    #expect(Self.ends(bytes, rule, segment: segment) == expected)
                }
            }
        }
    }
}
