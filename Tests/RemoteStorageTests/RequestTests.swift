import BackupEngine
import Platform
import TestSupport
import Testing

@testable import RemoteStorage

@Suite struct RequestTests {
    @Test func `pauses double up to their limit, and jitter stays within half of them`() {
        let policy = RetryPolicy()
        var random = SeededRandom(seed: 5)
        for (number, expected) in [(1, 1.0), (2, 2), (3, 4), (6, 32), (7, 60), (500, 60)] {
            for _ in 0..<50 {
                let pause = policy.pauseSeconds(after: number, using: &random)
                #expect(pause >= expected / 2 && pause <= expected * 1.5)
            }
        }
    }

    @Test func `a limit spreads bytes over time and forgives idle time once`() {
        let limit = RateLimit(bytesPerSecond: 1000)
        #expect(limit.delaySeconds(for: 500, now: 1_000_000_000) == 0)
        #expect(limit.delaySeconds(for: 500, now: 1_000_000_000) == 0.5)
        #expect(limit.delaySeconds(for: 500, now: 1_500_000_000) == 0.5)
        #expect(limit.delaySeconds(for: 500, now: 100_000_000_000) == 0)
    }

    @Test func `times in headers`() {
        #expect(HTTPDate.timestamp("Sun, 06 Nov 1994 08:49:37 GMT") == Timestamp(rfc3339: "1994-11-06T08:49:37Z"))
        for text in ["", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nox 1994 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 99:49:37 GMT"] {
            #expect(HTTPDate.timestamp(text) == nil)
        }
    }

    @Test func `lists of both versions`() throws {
        let a = String(repeating: "a", count: 64)
        let b = String(repeating: "b", count: 64)
        let files = try RestListing.files(
            Array("[{\"name\":\"\(b)\",\"size\":7},{\"size\":0,\"name\":\"\(a)\",\"x\":[1]},{\"name\":\"junk\",\"size\":1}]".utf8))
        #expect(files.map(\.id.hex) == [a, b] && files.map(\.sizeBytes) == [0, 7])
        #expect(try RestListing.names(Array("[\"\(a)\",\"\(a.uppercased())\",\"..\"]".utf8)).map(\.hex) == [a])
        #expect(try RestListing.files(Array("null\n".utf8)).isEmpty)
        for text in ["", "[", "{}", "[{\"name\":\"\(a)\"}]", "[{\"name\":\"\(a)\",\"size\":-1}]", "[] x", "<html>"] {
            #expect(failure { _ = try RestListing.files(Array(text.utf8)) }?.code == .storage, "\(text)")
        }
    }

    @Test func `mutated lists end in a list or an error`() throws {
        let id = String(repeating: "0f", count: 32)
        let corpus = ["[{\"name\":\"\(id)\",\"size\":123}]", "[\"\(id)\"]", "null", "[]", "[{\"name\":\"\\u0041\",\"size\":18446744073709551615}]"]
        try fuzz("REST lists", corpus: corpus.map { Array($0.utf8) }, iterations: 3000) { bytes in
            _ = try? RestListing.files(bytes)
            _ = try? RestListing.names(bytes)
        }
    }
}
