internal import Platform
internal import Synchronization

/// A tree under construction. Its nodes arrive in any order, from any thread, and are encoded in the order of their slots.
///
/// The walker reserves a slot per entry, in bytewise order of the names, and closes the builder after the last one; the call that makes the
/// tree complete gets its bytes. Only nodes that wait for an earlier, slower one are held; see ``pendingCount``.
final class DirectoryBuilder: Sendable {
    /// What a call made ready.
    struct Outcome {
        /// The finished tree, handed out once.
        var tree: [UInt8]?
        /// Names that the file system listed twice; only the first is in the tree.
        var repeatedNames: [[UInt8]] = []
    }

    private enum Slot {
        case waiting
        case filled(Node)
        /// The entry is left out.
        case dropped
    }
    private struct State {
        var encoder = TreeEncoder()
        /// The slots from `firstSlot` on; those before it are encoded.
        var slots: [Slot] = []
        var head = 0
        var firstSlot = 0
        var isClosed = false
        var nodeCount = 0
    }

    /// Where the finished directory goes; nil for the root tree.
    let parent: DirectoryBuilder?
    let slotInParent: Int
    /// The directory itself, still without its tree.
    let node: Node
    /// The directory in the parent snapshot.
    let previous: Node?
    let path: FilePath
    let began = Monotonic.nanoseconds()
    private let state = Mutex(State())

    init(parent: DirectoryBuilder?, slot: Int, node: Node, previous: Node?, path: FilePath) {
        self.parent = parent
        slotInParent = slot
        self.node = node
        self.previous = previous
        self.path = path
    }

    /// Slots that are not encoded yet.
    var pendingCount: Int { state.withLock { $0.slots.count - $0.head } }
    /// Nodes encoded so far.
    var nodeCount: Int { state.withLock { $0.nodeCount } }

    func reserve() -> Int {
        state.withLock { state in
            state.slots.append(.waiting)
            return state.firstSlot + state.slots.count - state.head - 1
        }
    }

    /// - Parameter node: nil leaves the entry out.
    func fill(_ slot: Int, _ node: Node?) -> Outcome {
        state.withLock { state in
            let index = state.head + slot - state.firstSlot
            if state.slots.indices.contains(index) { state.slots[index] = node.map(Slot.filled) ?? .dropped }
            return Self.advance(&state)
        }
    }

    /// Says that no further slot will be reserved.
    func close() -> Outcome {
        state.withLock { state in
            state.isClosed = true
            return Self.advance(&state)
        }
    }

    private static func advance(_ state: inout State) -> Outcome {
        var outcome = Outcome()
        while state.head < state.slots.count {
            switch state.slots[state.head] {
            case .waiting: return outcome
            case .dropped: break
            case .filled(let node):
                if state.encoder.append(node) {
                    state.nodeCount += 1
                } else {
                    outcome.repeatedNames.append(node.name)
                }
            }
            state.slots[state.head] = .dropped
            state.head += 1
            state.firstSlot += 1
            if state.head == 1024 {
                state.slots.removeFirst(state.head)
                state.head = 0
            }
        }
        if state.isClosed {
            outcome.tree = state.encoder.finish()
            state.encoder = TreeEncoder()
            // Handed out once: a further call finds nothing closed.
            state.isClosed = false
        }
        return outcome
    }
}
