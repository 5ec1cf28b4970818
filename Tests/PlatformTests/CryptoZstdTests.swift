internal import Platform
internal import TestSupport
internal import Testing

@Suite struct `Zstd frames` {
    /// What restic's encoder makes of one byte: no content size, no checksum, a raw block.
    private let frameWithoutSize: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x00, 0x09, 0x00, 0x00, 0x41]

    @Test(arguments: [0, 1, 255, 256, 65536, 1_000_003])
    func `what was compressed comes back`(_ count: Int) throws {
        let plain = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 3) }
        var compressor = try ZstdCompressor()
        var decompressor = try ZstdDecompressor()
        let frame = try compressor.compress(plain)
        #expect(try decompressor.decompress(frame, limit: count) == plain)
        #expect(try decompressor.decompress(frame + frame, limit: 2 * count) == plain + plain)
    }

    @Test func `a frame without content size opens`() throws {
        var decompressor = try ZstdDecompressor()
        #expect(try decompressor.decompress(frameWithoutSize, limit: 1) == [0x41])
        var output: [UInt8] = [0, 0]
        let count = try unsafe output.withUnsafeMutableBytes { output in
            try unsafe frameWithoutSize.withUnsafeBytes { try unsafe decompressor.decompress($0, into: output) }
        }
        #expect(count == 1 && output == [0x41, 0])
    }

    @Test func `more than the limit is refused, with or without a declared size`() throws {
        var compressor = try ZstdCompressor()
        var decompressor = try ZstdDecompressor()
        let bomb = try compressor.compress([UInt8](repeating: 0, count: 10_000_000))
        #expect(bomb.count < 2000)
        for (frame, limit) in [(bomb, 1_000_000), (frameWithoutSize, 0)] {
            let error = #expect(throws: ZstdError.self) { try decompressor.decompress(frame, limit: limit) }
            #expect(error?.reason == .tooLarge)
        }
        // A refused frame leaves nothing behind for the next one.
        #expect(try decompressor.decompress(frameWithoutSize, limit: 1) == [0x41])
    }

    @Test func `a cut or foreign frame is damaged`() throws {
        var compressor = try ZstdCompressor()
        var decompressor = try ZstdDecompressor()
        let frame = try compressor.compress(Array("abcabcabcabcabcabc".utf8))
        for bytes in [Array(frame.dropLast()), Array(frame.prefix(3)), [1, 2, 3, 4, 5, 6, 7, 8]] {
            let error = #expect(throws: ZstdError.self) { try decompressor.decompress(bytes, limit: 1000) }
            #expect(error?.reason == .damaged)
        }
    }

    @Test func `mutated frames never crash and never exceed the limit`() throws {
        var compressor = try ZstdCompressor()
        var random = SeededRandom(for: "zstd corpus")
        let corpus = [
            frameWithoutSize, try compressor.compress(random.bytes(1000)),
            try compressor.compress((0..<5000).map { UInt8(truncatingIfNeeded: $0 * $0) }),
        ]
        try fuzz("zstd", corpus: corpus, iterations: 1000) { input in
            var decompressor = try ZstdDecompressor()
            if let output = try? decompressor.decompress(input, limit: 100_000) { #expect(output.count <= 100_000) }
        }
    }
}

@Suite struct `Threads of our own` {
    @Test func `a bounded queue passes everything on in order and ends when closed`() throws {
        let queue = BoundedQueue<Int>(capacity: 2)
        let received = Monitor<[Int]>([])
        let consumer = try WorkerThread(name: "consumer") {
            while let element = queue.pop() { received.change { $0.append(element) } }
        }
        for number in 0..<1000 { #expect(queue.push(number)) }
        queue.close()
        consumer.join()
        #expect(received.read { $0 } == Array(0..<1000))
        #expect(!queue.push(1))
    }

    @Test func `waiting with a limit ends without a change`() {
        let monitor = Monitor(0)
        let began = Monotonic.nanoseconds()
        let result: Int? = monitor.wait(seconds: 0.05) { _ in nil }
        #expect(result == nil)
        #expect(Monotonic.nanoseconds() - began >= 40_000_000)
    }
}
