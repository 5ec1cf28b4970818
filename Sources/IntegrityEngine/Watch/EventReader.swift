internal import Platform

/// Keeps a watch on every directory below the rules and turns events into marked paths. Runs on the reading thread.
struct EventReader {
    static let mask: InotifyMask = [
        .closedAfterWriting, .attributes, .created, .deleted, .movedFrom, .movedTo, .deletedSelf, .movedSelf,
    ]
    static let bufferBytes = 64 * 1024

    struct Identity: Equatable {
        let device: UInt64
        let inode: UInt64

        init(of status: FileStatus) {
            device = status.device
            inode = status.inode
        }
    }

    let rules: RuleSet
    let settings: Watcher.Settings
    let queue: Monitor<WatchQueue>
    let register: CoverageRegister
    let wake: WakePipe

    var inotify: Inotify?
    var table = WatchTable()
    var roots: [Identity?]
    var marks: [Mark] = []
    var lastComplete = Timestamp.now()
    var lastRootCheck: UInt64 = 0
    var lastRetry: UInt64 = 0
    var mustCheckRoots = false

    init(
        rules: RuleSet, settings: Watcher.Settings, queue: Monitor<WatchQueue>, register: CoverageRegister, wake: WakePipe
    ) {
        self.rules = rules
        self.settings = settings
        self.queue = queue
        self.register = register
        self.wake = wake
        roots = Array(repeating: nil, count: rules.rules.count)
    }

    var isStopped: Bool { queue.read { $0.isStopped } }

    /// - Parameter blindSince: Up to when the observed state was complete before this start.
    mutating func run(blindSince: Timestamp?) {
        startOver()
        let now = Timestamp.now()
        let closes = blindSince.map { since in
            rules.rules.map { BlindInterval(from: since, to: now, area: $0.path, reason: .notRunning) }
        }
        request(nil, isFull: settings.startsWithFullRescan, .started, closes ?? [])
        var buffer = [UInt8](repeating: 0, count: Self.bufferBytes)
        while !isStopped {
            let wanted = queue.read { $0.barriersWanted }
            settings.beforeReading?()
            let began = Timestamp.now()
            let isOverflow = readAll(&buffer)
            if isOverflow { recoverFromOverflow() }
            lastComplete = began
            lookAfterRoots()
            retryUnwatched()
            handOver()
            publish()
            queue.change { queue in
                queue.completeUntil = began
                queue.barriersReached = max(queue.barriersReached, wanted)
            }
            if !isStopped, wanted == queue.read({ $0.barriersWanted }) {
                wake.wait(for: inotify?.raw ?? -1, milliseconds: Int32(clamping: settings.rootCheckSeconds * 1000))
            }
        }
    }

    /// Reads until the queue is empty. True when events were lost.
    mutating func readAll(_ buffer: inout [UInt8]) -> Bool {
        guard let inotify else { return false }
        var isOverflow = false
        while !isStopped {
            var events: [(watch: Int32, mask: InotifyMask, name: ArraySlice<UInt8>)] = []
            do throws(SystemError) {
                let isRead = try inotify.read(into: &buffer) { events.append(($0, $1, $2)) }
                if !isRead { return isOverflow }
            } catch {
                return true  // a queue that cannot be read is as good as an overflow
            }
            for event in events {
                if event.mask.contains(.overflow) { isOverflow = true } else { handle(event.watch, event.mask, event.name) }
            }
            handOver()
            if isOverflow { return true }
        }
        return isOverflow
    }

    mutating func handle(_ watch: Int32, _ mask: InotifyMask, _ name: ArraySlice<UInt8>) {
        guard let directory = table[watch] else { return }
        if name.isEmpty { return handleSelf(directory, mask) }
        let path = FilePath(directory: directory.path, entry: name)
        guard let rule = rules.rule(ofEntry: path, parent: directory.rule) else {
            if mask.contains(.isDirectory), rules.hasRoot(below: path) { mustCheckRoots = true }
            return
        }
        let isRoot = path == rules.rules[rule].path
        if !mask.isDisjoint(with: [.deleted, .movedFrom]) {
            let isDirectory = mask.contains(.isDirectory)
            if isDirectory, let child = directory.child(name) { forget(child) }
            if isDirectory { register.removeUnwatched(below: path) }
            if isRoot { roots[rule] = nil }
            mark(path, isTree: isDirectory)
        } else if mask.contains(.isDirectory), !mask.isDisjoint(with: [.created, .movedTo]) {
            if let child = directory.child(name) { forget(child) }
            // With the watch that was forgotten go its queued events: what they would have told is looked up.
            mark(path, isTree: true)
            addTree(path, rule, parent: directory, isMarking: true)
            if isRoot { roots[rule] = identity(of: path) }
        } else {
            mark(path, isTree: false)
            if isRoot { mustCheckRoots = true }
        }
    }

    mutating func handleSelf(_ directory: WatchedDirectory, _ mask: InotifyMask) {
        if mask.contains(.unmounted) {
            let now = Timestamp.now()
            if directory.rule != nil {
                request(
                    [directory.path], isFull: false, .blind,
                    [BlindInterval(from: lastComplete, to: now, area: directory.path, reason: .unmounted)])
            }
        }
        if !mask.isDisjoint(with: [.deletedSelf, .movedSelf, .unmounted]) { mustCheckRoots = true }
        if mask.contains(.ignored) { forget(directory) }
        if mask.contains(.attributes), directory.rule != nil { mark(directory.path, isTree: false) }
    }

    mutating func mark(_ path: FilePath, isTree: Bool) {
        marks.append(Mark(path: path, isTree: isTree))
        if marks.count >= 4096 { handOver() }
    }

    /// Gives the marks to the judging thread, waiting for room.
    mutating func handOver() {
        if marks.isEmpty { return }
        let handed = marks
        marks.removeAll(keepingCapacity: true)
        let now = Monotonic.nanoseconds()
        queue.wait { (queue) -> Void? in
            if !queue.isStopped, !queue.hasRoomForMarks { return nil }
            queue.add(handed, now: now)
            return ()
        }
    }

    func request(_ areas: [FilePath]?, isFull: Bool, _ reason: RescanReport.Reason, _ closes: [BlindInterval]) {
        queue.change { $0.add(RescanRequest(areas: areas, isFull: isFull, reasons: [reason], closes: closes)) }
    }
}
