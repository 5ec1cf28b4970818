internal import Glibc
internal import Platform
internal import Synchronization

/// A directory of the target while it is being filled.
///
/// It is reached from its parent by its own name only, never through a link, and counts what is still missing in it:
/// its times and permissions are set when the last entry is there, by whoever delivers that.
final class RestoreDirectory: Sendable {
    private struct State {
        /// nil while the directory is not made yet, or parked: deep and wide trees must not take all descriptors.
        var held: HeldDescriptor?
        var identity: FileIdentity?
        /// Entries under construction, and 1 for the walker.
        var pending = 1
        var isMade = false
        var isUsed = false
        var traits = DirectoryTraits()
    }

    /// nil for the target itself.
    let parent: RestoreDirectory?
    /// nil for the target itself, whose metadata is not in the snapshot.
    let node: Node?
    /// Inside the snapshot.
    let path: FilePath
    /// False for a directory that is needed only for what lies below it.
    let isSelected: Bool
    private let pool: DirectoryPool
    private let state: Mutex<State>

    /// The target.
    init(target: HeldDescriptor) {
        parent = nil
        node = nil
        path = "/"
        isSelected = false
        pool = DirectoryPool()
        state = Mutex(State(held: target, isUsed: true, traits: DirectoryTraits(ofExisting: target.descriptor)))
    }

    /// A directory below `parent`; nothing is made yet.
    init(_ node: Node, _ path: FilePath, in parent: RestoreDirectory, isSelected: Bool) {
        self.parent = parent
        self.node = node
        self.path = path
        self.isSelected = isSelected
        pool = parent.pool
        state = Mutex(State())
    }

    /// True when this restore made the directory: it was not there before, and nobody else may enter it yet.
    var isMade: Bool { state.withLock { $0.isMade } }
    /// True when the directory was opened or made.
    var isUsed: Bool { state.withLock { $0.isUsed } }
    var traits: DirectoryTraits { state.withLock { $0.traits } }

    /// The open directory; made first when it is not there, with permissions for nobody but us.
    ///
    /// Something else of that name, a symbolic link for instance, is removed: it is never followed.
    ///
    /// - Parameter making: False when the directory must be there.
    func open(making: Bool = true) throws(SystemError) -> HeldDescriptor {
        if let held = state.withLock({ $0.held }) { return held }
        guard let parent, let node else { throw SystemError("open", EBADF) }
        let directory = try parent.open(making: making)
        var isMade = false
        if making && !isUsed { isMade = try Self.make(node.name, in: directory.descriptor) }
        let held = HeldDescriptor(try directory.descriptor.openEntry(node.name, O_RDONLY | O_DIRECTORY))
        let status = try held.descriptor.status(path: path)
        let identity = FileIdentity(status)
        let traits =
            isMade
            ? DirectoryTraits(ofNew: status, in: parent.traits)
            : isUsed ? DirectoryTraits() : DirectoryTraits(ofExisting: held.descriptor)
        let isSame = state.withLock { state in
            if let known = state.identity {
                if known == identity { state.held = held }
                return known == identity
            }
            state.identity = identity
            state.held = held
            state.isMade = isMade
            state.isUsed = true
            state.traits = traits
            return true
        }
        // Somebody moved it away and put another in its place.
        if !isSame { throw SystemError("open", ESTALE, path: path) }
        pool.keep(self)
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

    /// Ends the work with this target: lets go of all directories below it.
    func parkAll() { pool.clear() }
}

/// Which file it is, whatever its name is now.
struct FileIdentity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64

    init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    init(_ status: FileStatus) { self.init(device: status.device, inode: status.inode) }
}

/// What a new entry of a directory gets without being told, so that calls which would change nothing can be left out.
struct DirectoryTraits: Sendable {
    /// New files belong to this process's user and group: no setgid bit, no mount option, no mapping of users interferes.
    var givesOwnFiles = false
    /// New files have no ACL, because the directory has none to pass on.
    var passesNoACL = false

    init() {}

    /// A directory that was there before: its group, and what it is mounted with, are not ours to know.
    init(ofExisting directory: borrowing FileDescriptor) {
        do throws(SystemError) {
            let defaultACL = Array("system.posix_acl_default".utf8)
            passesNoACL = try !ExtendedAttributes.all(of: directory).contains { $0.name == defaultACL }
        } catch {
            passesNoACL = false
        }
    }

    /// A directory that was just made. It shows what its own entries will get: they are made by the same process in the same way.
    init(ofNew status: FileStatus, in parent: DirectoryTraits) {
        passesNoACL = parent.passesNoACL
        givesOwnFiles =
            status.uid == ProcessIdentity.effectiveUser && status.gid == ProcessIdentity.effectiveGroup && status.permissions & 0o2000 == 0
    }
}

/// The directories that are open, a bounded number: the one opened longest ago is parked for the next.
final class DirectoryPool: Sendable {
    private struct Ring {
        var slots: [RestoreDirectory?]
        var next = 0
    }
    private static let capacity = 256
    private let ring = Mutex(Ring(slots: Array(repeating: nil, count: capacity)))

    func keep(_ directory: RestoreDirectory) {
        let oldest = ring.withLock { ring in
            let oldest = ring.slots[ring.next]
            ring.slots[ring.next] = directory
            ring.next = (ring.next + 1) % Self.capacity
            return oldest
        }
        if let oldest, oldest !== directory { oldest.park() }
    }

    func clear() {
        let directories = ring.withLock { ring in
            let directories = ring.slots
            ring.slots = Array(repeating: nil, count: Self.capacity)
            return directories
        }
        for directory in directories { directory?.park() }
    }
}
