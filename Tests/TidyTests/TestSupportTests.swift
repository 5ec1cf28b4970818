import Platform
import TestSupport
import Testing

@Suite struct TestSupportTests {
    @Test func `a seed repeats its numbers`() {
        var first = SeededRandom(seed: 7)
        var second = SeededRandom(seed: 7)
        #expect(first.bytes(100) == second.bytes(100))
        #expect(SeededRandom(seed: 8).seed == 8)
        var other = SeededRandom(seed: 8)
        #expect(first.next() != other.next())
    }

    @Test func `a temporary directory is gone afterwards, unreadable parts included`() throws {
        var kept: FilePath = "/"
        try withTemporaryDirectory { directory in
            kept = directory
            try DurableFiles.makeDirectories(directory / "a" / "b")
            try DurableFiles.create(directory / "a" / "b" / "f", [1, 2, 3])
            #expect(try FileStatus.exists(directory / "a" / "b" / "f"))
        }
        #expect(try !FileStatus.exists(kept))
    }

    @Test func `a process reports status, output and input`() async throws {
        let output = try await runProcess(
            ["/bin/sh", "-c", "cat; echo \"$X\" >&2; exit 3"], environment: ["X": "err"], input: Array("in".utf8))
        #expect(output.end == .exited(3))
        #expect(output.text == "in")
        #expect(output.errorText == "err\n")
    }

    @Test func `a process that hangs is killed with its children`() async throws {
        let output = try await runProcess(["/bin/sh", "-c", "echo $$; sleep 1000 & wait"], timeLimitSeconds: 0.3)
        #expect(output.isTimedOut)
        #expect(output.status == 137)
        let group = try #require(Int32(output.text.split(separator: "\n").first ?? ""))
        #expect(processes(inGroup: group).isEmpty)
    }

    @Test func `a working directory reaches the process`() async throws {
        try await withTemporaryDirectory { directory in
            let output = try await runProcess(["/bin/pwd"], directory: directory)
            #expect(output.text == "\(directory)\n")
        }
    }

    @Test func `the fuzz harness reports the input that failed`() throws {
        struct Refused: Error {}
        #expect(throws: FuzzFailure.self) {
            try fuzz("always failing", corpus: [[1, 2, 3]], iterations: 5) { _ in throw Refused() }
        }
        var inputs: Set<[UInt8]> = []
        try fuzz("collecting", corpus: [Array(0..<64)], iterations: 200) { inputs.insert($0) }
        #expect(inputs.count > 100)
    }
}
