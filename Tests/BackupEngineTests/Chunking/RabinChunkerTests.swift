import Platform
import TestSupport
import Testing

@testable import BackupEngine

@Suite struct RabinChunkerTests {
    /// The polynomial of the vector made with stock restic 0.14.
    static let polynomial: UInt64 = 0x25_b468_838d_cb75

    /// Lengths of the chunks of `bytes`, read in pieces of `readBytes`, and their digests.
    static func chunks(_ bytes: [UInt8], polynomial: UInt64, readBytes: Int) throws -> [(length: Int, id: Digest)] {
        let tables = try #require(RabinTables(polynomial: polynomial))
        var buffer = ChunkBuffer(rule: .rabin(tables))
        var position = 0
        var result: [(length: Int, id: Digest)] = []
        try unsafe buffer.forEachChunk { (target) throws(CryptoError) -> Int in
            let count = min(min(readBytes, target.count), bytes.count - position)
            for index in 0..<count { unsafe target[index] = bytes[position + index] }
            position += count
            return count
        } emit: { (chunk) throws(CryptoError) -> Void in
            result.append((length: chunk.count, id: try SHA256.hash(unsafe Array(chunk))))
        }
        return result
    }

    /// 6 MiB: SHA-256 of the little-endian numbers 0..<196608, one after the other.
    static func vector() throws -> [UInt8] {
        var hasher = try SHA256()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(6 << 20)
        for number in 0..<196_608 as Range<UInt32> {
            try hasher.update((0..<4).map { UInt8(truncatingIfNeeded: number >> UInt32(8 * $0)) })
            try hasher.finish().append(to: &bytes)
        }
        return bytes
    }

    @Test(arguments: [1 << 20, 4096, 65_537, 700_001])
    func `the vector of restic 0.14 is cut at the same places, however it is read`(readBytes: Int) throws {
        let bytes = try Self.vector()
        #expect(try SHA256.hash(bytes).hex == "b196069f4472db7f32fde5834ed7e63569a321c07957d17ddb65feb663ed67fb")
        let chunks = try Self.chunks(bytes, polynomial: Self.polynomial, readBytes: readBytes)
        #expect(chunks.map(\.length) == [1_247_758, 1_653_163, 672_496, 1_265_980, 1_452_059])
        #expect(chunks.map { String($0.id.hex.prefix(8)) } == ["6cb9fb2a", "5e604839", "ccf5935b", "27f08458", "29425944"])
    }

    @Test func `zeros are cut at the minimum`() throws {
        let chunks = try Self.chunks([UInt8](repeating: 0, count: 1_600_000), polynomial: Self.polynomial, readBytes: 100_000)
        #expect(chunks.map(\.length) == [524_288, 524_288, 524_288, 27_136])
        #expect(chunks[0].id.hex == "07854d2fef297a06ba81685e660c332de36d5d18d546927d30daad6d7fda1541")
    }

    @Test func `an empty file has no chunk and a small one has one`() throws {
        #expect(try Self.chunks([], polynomial: Self.polynomial, readBytes: 100).isEmpty)
        #expect(try Self.chunks([1], polynomial: Self.polynomial, readBytes: 100).map(\.length) == [1])
        let bytes = [UInt8](repeating: 7, count: 524_287)
        #expect(try Self.chunks(bytes, polynomial: Self.polynomial, readBytes: 524_288).map(\.length) == [524_287])
    }

    @Test func `a stream without a cut ends at the maximum`() throws {
        // A constant byte gives a constant digest once the window is full; 1 happens to be no cut for this polynomial.
        let chunks = try Self.chunks([UInt8](repeating: 1, count: 20 << 20), polynomial: Self.polynomial, readBytes: 1 << 20)
        #expect(chunks.map(\.length) == [8 << 20, 8 << 20, 4 << 20])
    }

    @Test func `known polynomials are judged as restic judges them`() {
        for polynomial in [0x25_b468_838d_cb75, 0x3D_A335_8B4D_C173, 0b111, 0b1011] as [UInt64] {
            #expect(ChunkerPolynomial.isIrreducible(polynomial))
        }
        // x^53, x^2 + 1 = (x + 1)^2, a product of two cubics, 0 and 1.
        for polynomial in [1 << 53, 0b101, ChunkerPolynomial.product(0b1011, 0b1101, modulo: 1 << 40), 0, 1] as [UInt64] {
            #expect(!ChunkerPolynomial.isIrreducible(polynomial))
        }
    }

    @Test func `random polynomials have degree 53 and are irreducible`() throws {
        var seen: Set<UInt64> = []
        for _ in 0..<20 {
            let polynomial = try ChunkerPolynomial.random()
            #expect(ChunkerPolynomial.degree(of: polynomial) == 53)
            #expect(ChunkerPolynomial.isIrreducible(polynomial))
            seen.insert(polynomial)
        }
        #expect(seen.count == 20)
    }
}
