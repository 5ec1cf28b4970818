/// A queue between threads that holds at most `capacity` elements: a fast producer waits for a slow consumer.
package final class BoundedQueue<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var isClosed = false
    }
    private let state = Monitor(State())
    private let capacity: Int

    package init(capacity: Int) { self.capacity = max(1, capacity) }

    /// Adds an element, waiting for room.
    ///
    /// - Returns: False when the queue is closed; the element is dropped then.
    @discardableResult
    package func push(_ element: Element) -> Bool {
        state.wait { state in
            if state.isClosed { return false }
            if state.elements.count >= capacity { return nil }
            state.elements.append(element)
            return true
        }
    }

    /// Takes the oldest element, waiting for one; nil when the queue is closed and empty.
    package func pop() -> Element? {
        let next: Element?? = state.wait { (state) -> Element?? in
            if !state.elements.isEmpty { return .some(.some(state.elements.removeFirst())) }
            return state.isClosed ? .some(.none) : .none
        }
        return next ?? nil
    }

    /// Lets no further element in; those inside can still be taken.
    package func close() { state.change { $0.isClosed = true } }

    /// Closes the queue and drops what is in it.
    package func cancel() {
        state.change { state in
            state.isClosed = true
            state.elements.removeAll()
        }
    }
}
