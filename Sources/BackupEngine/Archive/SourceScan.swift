internal import Platform
internal import Synchronization

/// Counts what a backup is going to read, on a thread of its own beside it: only so can a progress say how much is left.
///
/// It looks at names and sizes and opens no file. What changes meanwhile, or cannot be read, makes the sums differ; the backup reports it.
package final class SourceScan: Sendable {
    package struct Totals: Sendable {
        package var files: UInt64 = 0
        package var bytes: UInt64 = 0
        /// True when everything has been counted.
        package var isComplete = false
    }

    private let totals = Mutex(Totals())
    private let isStopped = Atomic<Bool>(false)
    private let thread = Mutex<WorkerThread?>(nil)

    /// - Parameter onEnd: Called with the sums when everything has been counted.
    /// - Throws: What ``BackupRequest/selection()`` and the list of sources throw, or `.storage` without a thread.
    package init(_ request: BackupRequest, onEnd: @escaping @Sendable (Totals) -> Void = { _ in }) throws(RepositoryError) {
        let selection = try request.selection()
        let sources = try SourceTree(targets: request.sources, streams: request.streams)
        let directory: FilePath
        do throws(SystemError) {
            directory = try WorkingDirectory.current()
        } catch {
            throw .storage(error)
        }
        let paths = Self.paths(sources)
        let stays = request.staysOnFileSystem
        do throws(SystemError) {
            let running = try WorkerThread(name: "backup-scan") { [weak self] in
                for path in paths {
                    let absolute = (path.isAbsolute ? path : directory.appending(path.bytes)).normalised
                    self?.count(path, components: absolute.components, selection, staysOnFileSystem: stays)
                }
                guard let self, !self.isStopped.load(ordering: .relaxed) else { return }
                self.totals.withLock { $0.isComplete = true }
                onEnd(self.current)
            }
            thread.withLock { $0 = running }
        } catch {
            throw .storage(error)
        }
    }

    package var current: Totals { totals.withLock { $0 } }

    /// Ends the scan, whether it is done or not.
    package func stop() {
        isStopped.store(true, ordering: .relaxed)
        let running = thread.withLock { thread in
            let running = thread
            thread = nil
            return running
        }
        running?.join()
    }

    private static func paths(_ tree: SourceTree) -> [FilePath] {
        var result: [FilePath] = []
        for (_, child) in tree.children {
            if let path = child.path { result.append(path) }
            result += paths(child)
        }
        return result
    }

    private func count(_ source: FilePath, components: [[UInt8]], _ selection: EntrySelection, staysOnFileSystem: Bool) {
        guard let status = try? FileStatus.ofLink(source) else { return }
        let device = status.device
        var pending: [(path: FilePath, components: [[UInt8]])] = []
        visit(status, source, components, selection, &pending)
        while let (path, components) = pending.popLast(), !isStopped.load(ordering: .relaxed) {
            guard let directory = try? FileDescriptor.openDirectory(path),
                !staysOnFileSystem || (try? directory.status(path: path))?.device == device,
                let names = try? directory.sortedNames(limit: 1 << 24)
            else { continue }
            for name in selection.keptNames(names, in: directory) {
                guard let status = try? directory.statusOfEntry(name) else { continue }
                visit(status, path.appending(name), components + [name], selection, &pending)
            }
        }
    }

    private func visit(
        _ status: FileStatus, _ path: FilePath, _ components: [[UInt8]], _ selection: EntrySelection,
        _ pending: inout [(path: FilePath, components: [[UInt8]])]
    ) {
        if selection.excludes(components) || selection.excludes(status) { return }
        switch status.kind {
        case .directory: pending.append((path, components))
        case .file:
            totals.withLock { totals in
                totals.files += 1
                totals.bytes += status.sizeBytes
            }
        default: break
        }
    }
}
