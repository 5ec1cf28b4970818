internal import Glibc
internal import Platform

/// An input on which the fuzzed code failed, and how to repeat it.
package struct FuzzFailure: Error, CustomStringConvertible {
    package let description: String
}

/// Feeds mutated inputs to `body`, which must end without trapping, without looping and only with errors it expects.
///
/// Run `i` has its own generator, seeded from the printed seed and `i`, so `SENTINEL_TEST_SEED=… SENTINEL_FUZZ_START=i` repeats it alone.
/// `SENTINEL_FUZZ_TRACE=1` prints each run before it starts, which names the run that trapped. `SENTINEL_FUZZ_KEEP=DIR` holds the input
/// of the present run in a file named for the test, and keeps it when the run fails or never ends: a new file for the corpus.
///
/// - Parameters:
///   - corpus: Valid inputs; each is first run as it is.
///   - iterations: Runs in a normal test; ten times as many with `SENTINEL_TEST_FULL=1`. With `SENTINEL_FUZZ_SECONDS=n`
///     (`make fuzz`) runs go on for n seconds instead.
///   - limitSeconds: A single run that takes longer is a failure.
///   - body: Throws only for a failure of the test.
package func fuzz(
    _ name: String, corpus: [[UInt8]], iterations: Int = 2000, limitSeconds: Double = 10,
    _ body: ([UInt8]) throws -> Void
) throws {
    let seed = SeededRandom(for: name).seed
    let seconds = environmentValue("SENTINEL_FUZZ_SECONDS").flatMap { UInt64($0) }
    let start = environmentValue("SENTINEL_FUZZ_START").flatMap { Int($0) }
    let isTraced = environmentValue("SENTINEL_FUZZ_TRACE") == "1"
    let kept = environmentValue("SENTINEL_FUZZ_KEEP").map { FilePath($0) / "\(name.replacing(" ", with: "-"))-\(seed)" }
    let total = start.map { $0 + 1 } ?? (isFullTest ? iterations * 10 : iterations)
    let deadline = seconds.map { Monotonic.nanoseconds() + $0 * 1_000_000_000 }

    func run(_ input: [UInt8], _ label: String) throws {
        if isTraced { printToStandardError("\(name): \(label), \(input.count) bytes") }
        if let kept { try overwrite(kept, input) }
        let began = Monotonic.nanoseconds()
        do {
            try body(input)
        } catch {
            throw failure("threw \(error)", input, label)
        }
        let elapsed = Double(Monotonic.nanoseconds() - began) / 1e9
        if elapsed > limitSeconds { throw failure("took \(elapsed) s", input, label) }
    }
    func failure(_ what: String, _ input: [UInt8], _ label: String) -> FuzzFailure {
        let shown = input.prefix(512).map { padded(String($0, radix: 16), 2) }.joined()
        return FuzzFailure(
            description: "\(name): \(label) of seed \(seed) \(what); input of \(input.count) bytes: \(shown)")
    }

    for (index, input) in corpus.enumerated() { try run(input, "corpus \(index)") }
    var index = start ?? 0
    while deadline.map({ Monotonic.nanoseconds() < $0 }) ?? (index < total) {
        var random = SeededRandom(seed: seed &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15)
        let original = corpus.randomElement(using: &random) ?? []
        let input = Mutations.mutated(original, corpus: corpus, using: &random)
        try run(input, "run \(index)")
        index += 1
    }
    if let kept { try DurableFiles.remove(kept) }
}

/// Not forced to disk: it is to outlive this process only.
private func overwrite(_ path: FilePath, _ bytes: [UInt8]) throws {
    let file = try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
    try file.writeAll(bytes, path: path)
}

private func padded(_ text: String, _ width: Int) -> String {
    String(repeating: "0", count: max(0, width - text.count)) + text
}
