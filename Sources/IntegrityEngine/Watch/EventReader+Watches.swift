internal import Platform

/// Setting watches.
extension EventReader {
    mutating func forget(_ directory: WatchedDirectory) {
        for watch in table.remove(directory) { inotify?.remove(watch) }
    }

    /// A new queue with watches on everything: the way out of every state that is not understood.
    mutating func startOver() {
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

    mutating func recoverFromOverflow() {
        handOver()
        let from = lastComplete
        startOver()
        let to = Timestamp.now()
        request(
            nil, isFull: false, .blind,
            rules.rules.map { BlindInterval(from: from, to: to, area: $0.path, reason: .overflow) })
    }

    mutating func addRoot(_ index: Int, isMarking: Bool) {
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
    mutating func anchor(_ path: FilePath) throws(SystemError) -> WatchedDirectory? {
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
    mutating func addTree(_ top: FilePath, _ rule: Int, parent: WatchedDirectory?, isMarking: Bool) {
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

    func isBorder(_ handle: DirectoryHandle, _ path: FilePath, _ rule: Int, isCrossed: Bool) -> Bool {
        handle.isPseudoFileSystem
            || (isCrossed && rules.rules[rule].staysOnFileSystem && rules.rules[rule].path != path)
    }

    /// Nil when the directory is watched under another path that is just as good.
    mutating func watch(
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

    static func reason(_ error: SystemError) -> BlindInterval.Reason { error.isNoSpace ? .watchLimit : .unreadable }
}
