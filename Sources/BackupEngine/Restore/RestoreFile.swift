internal import Glibc
internal import Platform
internal import Synchronization

/// A regular file of the target from the moment the walker meets it until its last byte and its metadata are there.
///
/// Its parts may arrive in any order and from any worker. A file that was there before is rewritten in place, and only where it differs, so an
/// interrupted restore goes on where it ended. It is never written through another name: one with several hard links is replaced.
final class RestoreFile: Sendable {
    /// What lies at the file's place.
    enum Found: Sendable {
        /// Nothing, or something to be replaced.
        case nothing
        /// A file with other content.
        ///
        /// - Parameter matching: For each blob of the node whether the file has it already.
        case different(FileIdentity, sizeBytes: UInt64, matching: [Bool])
        /// A file with the right content.
        case same(FileIdentity)
        /// Something that is to stay.
        case kept
    }

    private struct State {
        var held: HeldDescriptor?
        /// ``held`` is one of the files that may stay open between their parts.
        var isAllowed = false
        var identity: FileIdentity?
        var found: Found
        /// Parts that are still to be written.
        var remaining = 0
        var isOpened = false
        var isWhole = true
        /// A failure has been reported, or the whole run ends: nothing more is written.
        var isGivenUp = false
    }

    let node: Node
    let path: FilePath
    let directory: RestoreDirectory
    /// For a file with several names.
    let names: LinkedNames?
    private let state: Mutex<State>

    init(_ node: Node, _ path: FilePath, in directory: RestoreDirectory, names: LinkedNames?) {
        self.node = node
        self.path = path
        self.directory = directory
        self.names = names
        state = Mutex(State(found: .nothing))
    }

    var found: Found { state.withLock { $0.found } }
    func setFound(_ found: Found) { state.withLock { $0.found = found } }
    func expect(parts: Int) { state.withLock { $0.remaining = parts } }
    /// False when a part is missing.
    var isWhole: Bool { state.withLock { $0.isWhole && !$0.isGivenUp } }
    var isGivenUp: Bool { state.withLock { $0.isGivenUp } }
    /// True when the file is written from nothing: what is not written reads as zeros.
    var isNew: Bool { if case .nothing = found { true } else { false } }

    /// A part cannot be had; the file stays without it.
    func miss() { state.withLock { $0.isWhole = false } }

    /// - Returns: True for the first failure, which is to be reported.
    func giveUp() -> Bool {
        state.withLock { state in
            let isFirst = !state.isGivenUp
            state.isGivenUp = true
            return isFirst
        }
    }

    /// One part is done with.
    ///
    /// - Returns: True for the last one.
    func release() -> Bool {
        state.withLock { state in
            state.remaining -= 1
            return state.remaining <= 0
        }
    }

    /// The open file; the first caller makes it.
    ///
    /// - Parameter run: Counts open files: beyond a bound they are closed after each part, and found again by name and identity.
    func open(_ run: RestoreRun) throws(SystemError) -> HeldDescriptor {
        try state.withLock { (state) throws(SystemError) in
            if let held = state.held { return held }
            let place = try directory.open()
            let held: HeldDescriptor
            if state.isOpened {
                held = HeldDescriptor(try place.descriptor.openEntry(node.name, O_WRONLY | O_NONBLOCK))
                guard FileIdentity(try held.descriptor.status(path: path)) == state.identity else {
                    throw SystemError("open", ESTALE, path: path)
                }
            } else {
                held = try openFirst(place.descriptor, state.found, run)
                if state.remaining > 1 { state.identity = FileIdentity(try held.descriptor.status(path: path)) }
                state.isOpened = true
            }
            // The last part is followed at once by the end of the file.
            if state.remaining <= 1 {
                state.held = held
            } else if run.openFiles.take() {
                state.isAllowed = true
                state.held = held
            }
            return held
        }
    }

    private func openFirst(_ place: borrowing FileDescriptor, _ found: Found, _ run: RestoreRun) throws(SystemError) -> HeldDescriptor {
        switch found {
        case .nothing, .kept: return HeldDescriptor(try Self.make(node.name, in: place, run))
        case .same(let identity):
            return HeldDescriptor(try Self.reopen(node.name, in: place, O_RDONLY, identity))
        case .different(let identity, let sizeBytes, _):
            let file = HeldDescriptor(try Self.reopen(node.name, in: place, O_WRONLY, identity))
            if sizeBytes != node.size { try file.descriptor.resize(to: node.size) }
            return file
        }
    }

    private static func make(
        _ name: [UInt8], in place: borrowing FileDescriptor, _ run: RestoreRun
    ) throws(SystemError) -> FileDescriptor {
        do throws(SystemError) {
            return try place.openEntry(name, O_WRONLY | O_CREAT | O_EXCL)
        } catch {
            if !error.isExisting { throw error }
        }
        try EntryRemoval.clear(name, in: place, recursively: run.options.deletes)
        return try place.openEntry(name, O_WRONLY | O_CREAT | O_EXCL)
    }

    /// Opens a file that was there; one that its owner may not write gets permissions for that first, as it will be given new ones anyway.
    private static func reopen(
        _ name: [UInt8], in place: borrowing FileDescriptor, _ access: Int32, _ identity: FileIdentity
    ) throws(SystemError) -> FileDescriptor {
        let flags = access | O_NONBLOCK | O_NOCTTY
        var file: FileDescriptor
        do throws(SystemError) {
            file = try place.openEntry(name, flags)
        } catch {
            if error.number != EACCES { throw error }
            try place.setPermissionsOfEntry(name, 0o600)
            file = try place.openEntry(name, flags)
        }
        guard FileIdentity(try file.status(path: FilePath(bytes: name))) == identity else {
            throw SystemError("open", ESTALE, subject: escapedForDisplay(name))
        }
        return file
    }

    /// Lets go of the descriptor.
    func close(_ run: RestoreRun) {
        let isAllowed = state.withLock { state in
            let isAllowed = state.isAllowed
            state.held = nil
            state.isAllowed = false
            return isAllowed
        }
        if isAllowed { run.openFiles.giveBack() }
    }
}

/// The names of one file that has several. The first is written; the others are linked to it as soon as it is there.
final class LinkedNames: Sendable {
    struct Name: Sendable {
        let node: Node
        let path: FilePath
        let directory: RestoreDirectory
    }
    enum Progress: Sendable { case pending, done, failed }
    private struct State {
        var progress = Progress.pending
        var waiting: [Name] = []
    }

    let directory: RestoreDirectory
    let name: [UInt8]
    private let state = Mutex(State())

    /// - Parameter isDone: The first name is there already.
    init(_ name: [UInt8], in directory: RestoreDirectory, isDone: Bool) {
        self.name = name
        self.directory = directory
        if isDone { state.withLock { $0.progress = .done } }
    }

    /// A further name. When the file is still being written, the name waits for it.
    func add(_ name: Name) -> Progress {
        state.withLock { state in
            if state.progress == .pending { state.waiting.append(name) }
            return state.progress
        }
    }

    /// The first name is there, or will not be.
    ///
    /// - Returns: The names that waited.
    func finish(_ progress: Progress) -> [Name] {
        state.withLock { state in
            state.progress = progress
            let waiting = state.waiting
            state.waiting = []
            return waiting
        }
    }
}

/// A bounded number of something.
final class Allowance: Sendable {
    private let left: Atomic<Int>
    init(_ count: Int) { left = Atomic(count) }

    /// - Returns: False when nothing is left.
    func take() -> Bool {
        if left.subtract(1, ordering: .relaxed).newValue >= 0 { return true }
        left.add(1, ordering: .relaxed)
        return false
    }
    func giveBack() { left.add(1, ordering: .relaxed) }
}
