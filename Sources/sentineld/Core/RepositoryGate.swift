/// Keeps an upkeep of a repository apart from the jobs that work on it: its exclusive lock would make them fail, and theirs it.
///
/// First come, first served; who works alone waits until the others are done, and nobody overtakes it.
actor RepositoryGate {
    private struct Waiter {
        let isAlone: Bool
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct Place {
        var shared = 0
        var isTaken = false
        var waiting: [Waiter] = []
    }

    private var places: [String: Place] = [:]

    /// Runs `body` while this process works on `repositories`.
    nonisolated func run<Value: Sendable>(
        _ repositories: [String], alone isAlone: Bool, _ body: () async -> Value
    ) async -> Value {
        // Always in the same order: two that want the same two never wait for each other.
        let names = Set(repositories).sorted()
        for name in names { await enter(name, isAlone) }
        let value = await body()
        for name in names { await leave(name, isAlone) }
        return value
    }

    private func enter(_ name: String, _ isAlone: Bool) async {
        var place = places[name] ?? Place()
        if place.waiting.isEmpty, !place.isTaken, !isAlone || place.shared == 0 {
            if isAlone { place.isTaken = true } else { place.shared += 1 }
            places[name] = place
            return
        }
        await withCheckedContinuation { continuation in
            place.waiting.append(Waiter(isAlone: isAlone, continuation: continuation))
            places[name] = place
        }
    }

    private func leave(_ name: String, _ isAlone: Bool) {
        guard var place = places[name] else { return }
        if isAlone { place.isTaken = false } else { place.shared -= 1 }
        while let next = place.waiting.first, !place.isTaken, !next.isAlone || place.shared == 0 {
            place.waiting.removeFirst()
            if next.isAlone { place.isTaken = true } else { place.shared += 1 }
            next.continuation.resume()
        }
        places[name] = place.shared == 0 && !place.isTaken && place.waiting.isEmpty ? nil : place
    }
}
