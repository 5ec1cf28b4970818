internal import Glibc
internal import Platform
internal import Synchronization

/// A directory of the target while it is being filled.
///
/// It is reached from its parent by its own name only, never through a link, and counts what is still missing in it:
/// its times and permissions are set when the last entry is there, by whoever delivers that.
final class RestoreDirectory: Sendable {
    private struct State {
        /// nil while the directory is not made yet, or parked: deep trees must not take all descriptors.
        var held: HeldDescriptor?
        var identity: Identity?
        /// Entries under construction, and 1 for the walker.
        var pending = 1
        var isMade = false
        var isUsed = false
    }
    private struct Identity: Equatable {
        let device: UInt64
        let inode: UInt64
    }

    /// nil for the target itself.
    let parent: RestoreDirectory?
    /// nil for the target itself, whose metadata is not in the snapshot.
    let node: Node?
    /// Inside the snapshot.
    let path: FilePath
    /// False for a directory that is needed only for what lies below it.
    let isSelected: Bool
    private let state: Mutex<State>

    /// The target.
    init(target: HeldDescriptor) {
        parent = nil
        node = nil
        path = "/"
        isSelected = false
        state = Mutex(State(held: target))
    }

    /// A directory below `parent`; nothing is made yet.
    init(_ node: Node, _ path: FilePath, in parent: RestoreDirectory, isSelected: Bool) {
        self.parent = parent
        self.node = node
        self.path = path
        self.isSelected = isSelected
        state = Mutex(State())
    }

    /// True when this restore made the directory: it was not there before.
    var isMade: Bool { state.withLock { $0.isMade } }
    /// True when the directory was opened or made.
    var isUsed: Bool { state.withLock { $0.isUsed } }

    /// The open directory; made first when it is not there, with permissions for nobody but us.
    ///
    /// Something else of that name, a symbolic link for instance, is removed: it is never followed.
    ///
    /// - Parameters:
    ///   - making: False when the directory must be there.
    ///   - keeping: False for a short visit: a parked directory stays parked.
    func open(making: Bool = true, keeping: Bool = true) throws(SystemError) -> HeldDescriptor {
        if let held = state.withLock({ $0.held }) { return held }
        guard let parent, let node else { throw SystemError("open", EBADF) }
        let directory = try parent.open(making: making, keeping: false)
        var isMade = false
        if making && !isUsed { isMade = try Self.make(node.name, in: directory.descriptor) }
        let held = HeldDescriptor(try directory.descriptor.openEntry(node.name, O_RDONLY | O_DIRECTORY))
        let status = try held.descriptor.status(path: path)
        let identity = Identity(device: status.device, inode: status.inode)
        let isSame = state.withLock { state in
            if let known = state.identity {
                if known == identity && keeping { state.held = held }
                return known == identity
            }
            state.identity = identity
            state.held = held
            state.isMade = isMade
            state.isUsed = true
            return true
        }
        // Somebody moved it away and put another in its place.
        if !isSame { throw SystemError("open", ESTALE, path: path) }
        return held
    }

    /// - Returns: True when the directory was made, false when it was there.
    private static func make(_ name: [UInt8], in directory: borrowing FileDescriptor) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try directory.makeDirectory(name, mode: 0o700)
            return true
        } catch {
            if !error.isExisting { throw error }
        }
        if try directory.statusOfEntry(name).kind == .directory { return false }
        try directory.removeEntry(name, isDirectory: false)
        try directory.makeDirectory(name, mode: 0o700)
        return true
    }

    /// Lets go of the descriptor; the next ``open(making:)`` finds the directory again.
    func park() {
        if parent != nil { state.withLock { $0.held = nil } }
    }

    /// Expects one more entry.
    func retain() { state.withLock { $0.pending += 1 } }

    /// One entry is there, or the walker has left.
    ///
    /// - Returns: True when nothing is missing any more.
    func release() -> Bool {
        state.withLock { state in
            state.pending -= 1
            return state.pending == 0
        }
    }
}
