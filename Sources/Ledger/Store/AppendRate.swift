internal import Platform

extension Ledger {
    /// Appends `count` small events and measures how long that takes; for benchmarks.
    ///
    /// - Parameters:
    ///   - perCommit: Events in one body.
    ///   - writers: Bodies at a time; those that wait together share a COMMIT.
    /// - Returns: Seconds until the last event was durable.
    package func measureAppends(_ count: Int, perCommit: Int = 1, writers: Int = 1) async throws -> Double {
        let start = Monotonic.nanoseconds()
        let bodies = (count + perCommit - 1) / max(1, perCommit)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<max(1, writers) {
                group.addTask {
                    for body in stride(from: writer, to: bodies, by: max(1, writers)) {
                        let events = min(perCommit, count - body * perCommit)
                        try await self.commit { transaction in
                            for index in 0..<events {
                                try transaction.append(
                                    EventDraft(
                                        kind: "bench.appended", subject: "bench", actor: .system("bench"),
                                        facts: ["index": JSONValue(body * perCommit + index)]))
                            }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        return Double(Monotonic.nanoseconds() - start) / 1e9
    }
}
