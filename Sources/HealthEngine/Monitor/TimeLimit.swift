internal import Synchronization

/// Runs `operation` for at most `limit`, and gives it up then: it is cancelled, but not waited for.
///
/// - Returns: Nil when the time was over, or the calling task was cancelled.
func withTimeLimit<Value: Sendable>(
    _ limit: Duration, clock: any Clock<Duration>, _ operation: @escaping @Sendable () async -> Value
) async -> Value? {
    let race = Race<Value>()
    let worker = Task { race.finish(await operation()) }
    let timer = Task {
        // Cancelled when the worker was faster.
        try? await clock.sleep(for: limit)
        race.finish(nil)
    }
    let value = await withTaskCancellationHandler {
        await race.result()
    } onCancel: {
        race.finish(nil)
    }
    timer.cancel()
    worker.cancel()
    return value
}

/// The first result wins; later ones are dropped.
private final class Race<Value: Sendable>: Sendable {
    private enum State {
        case running
        case awaited(CheckedContinuation<Value?, Never>)
        case finished(Value?)
    }

    private let state = Mutex(State.running)

    func finish(_ value: Value?) {
        let waiter: CheckedContinuation<Value?, Never>? = state.withLock { state in
            switch state {
            case .finished: return nil
            case .running:
                state = .finished(value)
                return nil
            case .awaited(let continuation):
                state = .finished(value)
                return continuation
            }
        }
        waiter?.resume(returning: value)
    }

    /// To be called once.
    func result() async -> Value? {
        await withCheckedContinuation { continuation in
            let early: Value?? = state.withLock { state in
                if case .finished(let value) = state { return .some(value) }
                state = .awaited(continuation)
                return .none
            }
            if let early { continuation.resume(returning: early) }
        }
    }
}
