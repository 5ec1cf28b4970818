internal import Platform

/// Keeps a watch on every directory below the rules and turns events into marked paths. Runs on the reading thread.
struct EventReader {
    private static let mask: InotifyMask = [
        .closedAfterWriting, .attributes, .created, .deleted, .movedFrom, .movedTo, .deletedSelf, .movedSelf,
    ]
    private static let bufferBytes = 64 * 1024

    private struct Identity: Equatable {
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

    private var inotify: Inotify?
    private var table = WatchTable()
    private var roots: [Identity?]
    private var marks: [Mark] = []
    private var lastComplete = Timestamp.now()
    private var lastRootCheck: UInt64 = 0
    private var lastRetry: UInt64 = 0
    private var mustCheckRoots = false

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

    private var isStopped: Bool { queue.read { $0.isStopped } }

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
    private mutating func readAll(_ buffer: inout [UInt8]) -> Bool {
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

    // MARK: Events

    private mutating func handle(_ watch: Int32, _ mask: InotifyMask, _ name: ArraySlice<UInt8>) {
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

    private mutating func handleSelf(_ directory: WatchedDirectory, _ mask: InotifyMask) {
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

    private mutating func mark(_ path: FilePath, isTree: Bool) {
        marks.append(Mark(path: path, isTree: isTree))
        if marks.count >= 4096 { handOver() }
    }

    /// Gives the marks to the judging thread, waiting for room.
    private mutating func handOver() {
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

    private func request(_ areas: [FilePath]?, isFull: Bool, _ reason: RescanReport.Reason, _ closes: [BlindInterval]) {
        queue.change { $0.add(RescanRequest(areas: areas, isFull: isFull, reasons: [reason], closes: closes)) }
    }

    // MARK: Watches

    private mutating func forget(_ directory: WatchedDirectory) {
        for watch in table.remove(directory) { inotify?.remove(watch) }
    }

    /// A new queue with watches on everything: the way out of every state that is not understood.
    private mutating func startOver() {
        table = WatchTable()
        _ = register.takeUnwatched()
        do throws(SystemError) {
            inotify = try Inotify()
        } catch {
            inotify = nil
            for rule in rules.rules { register.addUnwatched(rule.path, .noEvents, since: lastComplete) }
            return
        }
        for index in rules.rules.indices { addRoot(index, isMarking: false) }
        publish()
    }

    private mutating func recoverFromOverflow() {
        handOver()
        let from = lastComplete
        startOver()
        let to = Timestamp.now()
        request(
            nil, isFull: false, .blind,
            rules.rules.map { BlindInterval(from: from, to: to, area: $0.path, reason: .overflow) })
    }

    private mutating func addRoot(_ index: Int, isMarking: Bool) {
        let root = rules.rules[index].path
        roots[index] = identity(of: root)
        var parent: WatchedDirectory?
        if root.parent != root {
            do throws(SystemError) {
                parent = try anchor(root.parent)
            } catch {
                // Without it, the root check still sees the root come and go.
                if roots[index] != nil { register.addUnwatched(root, Self.reason(error), since: lastComplete) }
            }
        }
        if isMarking { mark(root, isTree: true) }
        if (try? FileStatus.ofLink(root))?.kind == .directory { addTree(root, index, parent: parent, isMarking: isMarking) }
    }

    /// A watch on the directory that a root lies in, for the root's own entry.
    private mutating func anchor(_ path: FilePath) throws(SystemError) -> WatchedDirectory? {
        guard let inotify else { return nil }
        let watch = try inotify.watch(try DirectoryHandle.open(path), Self.mask)
        if let known = table[watch] { return known.path == path ? known : nil }
        let directory = WatchedDirectory(path: path, watch: watch, rule: nil, parent: nil)
        table.insert(directory)
        return directory
    }

    /// Watches a directory and everything below it: first the watch, then the listing, so that an entry made in between is seen twice, not
    /// never.
    ///
    /// - Parameter isMarking: What is already there is news.
    private mutating func addTree(_ top: FilePath, _ rule: Int, parent: WatchedDirectory?, isMarking: Bool) {
        guard let inotify else { return }
        struct Step {
            let path: FilePath
            let rule: Int
            let handle: DirectoryHandle
            let parent: WatchedDirectory?
            let device: UInt64?
            let depth: Int
        }
        var steps: [Step] = []
        var current = top
        do throws(SystemError) {
            // The way to the top is walked without following links below the root.
            var chain = DirectoryChain(rules)
            let directory = try chain.directory(of: top, rule: rule)
            steps.append(
                Step(
                    path: top, rule: rule, handle: directory, parent: parent,
                    device: parent?.rule == nil ? nil : try directory.status().device, depth: 0))
        } catch {
            if !error.isMissing, !error.isLink { register.addUnwatched(top, Self.reason(error), since: lastComplete) }
            return
        }
        while let step = steps.popLast() {
            if isStopped { return }
            current = step.path
            do throws(SystemError) {
                if step.depth > TreeWalk.maximumDepth {
                    register.addUnwatched(step.path, .unreadable, since: .now())
                    continue
                }
                let handle = try step.handle.openDirectory(step.path)
                let device = try handle.status().device
                if step.device != device, isBorder(handle, step.path, step.rule, isCrossed: step.device != nil) { continue }
                guard let node = try watch(handle, step.path, step.rule, step.parent, inotify) else { continue }
                let listing = try handle.list()
                for index in 0..<listing.count {
                    let path = FilePath(directory: step.path, entry: listing.name(index))
                    guard let rule = rules.rule(ofEntry: path, parent: step.rule) else { continue }
                    var kind = listing.kind(index)
                    if kind == .unknown, let status = try? handle.status(of: path) { kind = status.kind }
                    if isMarking { mark(path, isTree: false) }
                    if kind == .directory {
                        steps.append(
                            Step(path: path, rule: rule, handle: handle, parent: node, device: device, depth: step.depth + 1))
                    }
                }
            } catch {
                if !error.isMissing, !error.isLink { register.addUnwatched(current, Self.reason(error), since: .now()) }
            }
        }
    }

    private func isBorder(_ handle: DirectoryHandle, _ path: FilePath, _ rule: Int, isCrossed: Bool) -> Bool {
        handle.isPseudoFileSystem
            || (isCrossed && rules.rules[rule].staysOnFileSystem && rules.rules[rule].path != path)
    }

    /// Nil when the directory is watched under another path that is just as good.
    private mutating func watch(
        _ handle: DirectoryHandle, _ path: FilePath, _ rule: Int, _ parent: WatchedDirectory?, _ inotify: Inotify
    ) throws(SystemError) -> WatchedDirectory? {
        if table.count >= settings.maximumWatches {
            register.addUnwatched(path, .watchLimit, since: lastComplete)
            return nil
        }
        let watch = try inotify.watch(handle, Self.mask)
        if let known = table[watch] {
            if known.path == path, known.rule == rule { return known }
            if known.path != path, identity(of: known.path) == Identity(of: try handle.status()) {
                register.addUnwatched(path, .alias, since: lastComplete)
                return nil
            }
            // The directory was moved here, or was only an anchor so far. Its own watch stays.
            for other in table.remove(known) where other != watch { inotify.remove(other) }
        }
        let node = WatchedDirectory(path: path, watch: watch, rule: rule, parent: parent)
        table.insert(node)
        return node
    }

    private static func reason(_ error: SystemError) -> BlindInterval.Reason { error.isNoSpace ? .watchLimit : .unreadable }

    // MARK: Roots and unwatched areas

    private func identity(of path: FilePath) -> Identity? { (try? FileStatus.ofLink(path)).map { Identity(of: $0) } }

    /// Finds roots that were replaced, mounted over, lost or found again without an event of their own.
    private mutating func lookAfterRoots() {
        let now = Monotonic.nanoseconds()
        if !mustCheckRoots, now < lastRootCheck + settings.rootCheckSeconds * 1_000_000_000 { return }
        lastRootCheck = now
        mustCheckRoots = false
        for (index, rule) in rules.rules.enumerated() {
            let found = identity(of: rule.path)
            if found == roots[index] { continue }
            let from = lastComplete
            if let old = table.directory(at: rule.path) { forget(old) }
            addRoot(index, isMarking: true)
            if found != nil {
                request(
                    [rule.path], isFull: false, .blind,
                    [BlindInterval(from: from, to: .now(), area: rule.path, reason: .rootReplaced)])
            }
        }
    }

    /// Tries areas without watches again and rescans them, closing a blind interval each time.
    private mutating func retryUnwatched() {
        let now = Monotonic.nanoseconds()
        if lastRetry == 0 { lastRetry = now }
        if now < lastRetry + settings.unwatchedRescanSeconds * 1_000_000_000 || !register.hasUnwatched { return }
        lastRetry = now
        let areas = register.takeUnwatched()
        if inotify == nil { startOver() }
        for area in areas {
            if area.reason != .noEvents, let rule = rules.rule(of: area.area) {
                addTree(area.area, rule, parent: table.directory(at: FilePath(parentOf: area.area)), isMarking: false)
            }
        }
        let moment = Timestamp.now()
        request(
            areas.map(\.area), isFull: false, .blind,
            areas.map { BlindInterval(from: $0.since, to: moment, area: $0.area, reason: $0.reason) })
    }

    private func publish() {
        let missing = roots.indices.filter { roots[$0] == nil }
        register.setWatched(table.countByRule, missing: Set(missing))
    }
}
