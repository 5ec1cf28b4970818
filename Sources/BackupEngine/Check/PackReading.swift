internal import Platform

/// Reads packs in full on several threads, each pack on one.
enum PackReading {
    /// What the threads share.
    private struct State: Sendable {
        var next = 0
        var done = 0
        var bytes: UInt64 = 0
        var running = 0
        var problems: [(pack: Digest, phrases: [Phrase])] = []
        var failure: RepositoryError?
    }

    struct Result {
        let packs: Int
        let bytes: UInt64
        /// In the order of the packs' IDs.
        let problems: [(pack: Digest, phrases: [Phrase])]
    }

    static func run(
        _ store: ObjectStore, _ packs: [IndexedPack], threads count: Int, cancellation: CancellationFlag, _ progress: (CheckProgress) -> Void
    ) throws(RepositoryError) -> Result {
        let reading = Monitor(State())
        let began = Monotonic.nanoseconds()
        let total = packs.reduce(0) { $0 + $1.file.sizeBytes }
        var threads: [WorkerThread] = []
        do throws(SystemError) {
            for _ in 0..<max(1, min(count, packs.count)) {
                reading.change { $0.running += 1 }
                threads.append(
                    try WorkerThread(name: "check-read") {
                        work(store, packs, reading, cancellation)
                        reading.change { $0.running -= 1 }
                    })
            }
        } catch {
            reading.change { state in
                state.failure = .storage(error)
                state.running -= 1
            }
        }
        var isRunning = true
        while isRunning {
            isRunning = reading.wait(seconds: 0.25, { $0.running == 0 ? true : nil }) == nil
            let (done, bytes) = reading.read { ($0.done, $0.bytes) }
            progress(
                CheckProgress(
                    stage: .data, done: done, total: packs.count, bytesDone: bytes, bytesTotal: total,
                    secondsElapsed: Double(Monotonic.nanoseconds() - began) / 1e9))
        }
        for thread in threads { thread.join() }
        let result = reading.read { $0 }
        if let failure = result.failure { throw failure }
        try cancellation.check()
        return Result(packs: result.done, bytes: result.bytes, problems: result.problems.sorted { $0.pack < $1.pack })
    }

    private static func work(
        _ store: ObjectStore, _ packs: [IndexedPack], _ reading: Monitor<State>, _ cancellation: CancellationFlag
    ) {
        do throws(RepositoryError) {
            var verifier = try PackVerifier(store: store)
            while true {
                let number: Int? = reading.read { state in
                    guard state.failure == nil, state.next < packs.count, !cancellation.isCancelled else { return nil }
                    state.next += 1
                    return state.next - 1
                }
                guard let number else { return }
                let pack = packs[number]
                let problems = verifier.problems(of: pack.file, indexed: pack.entries)
                reading.read { state in
                    state.done += 1
                    state.bytes += pack.file.sizeBytes
                    if !problems.isEmpty { state.problems.append((pack.file.id, problems)) }
                }
            }
        } catch {
            reading.change { $0.failure = error }
        }
    }
}
