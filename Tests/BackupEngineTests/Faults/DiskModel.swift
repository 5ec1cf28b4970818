import Glibc
import Platform
import TestSupport

/// What a disk may hold after the power went, computed from the system calls of a program.
///
/// Only what POSIX promises is kept for sure: the content of a file up to its last fsync, and the names in a directory up to the last
/// fsync of that directory. All else may be there, in part or not at all; see ``Loss``. Directories and files are held by their path
/// relative to the repository; the state before the first call is taken to be safe.
struct DiskModel {
    /// How much of the unsafe part the power cut takes.
    enum Loss: String, CaseIterable, Sendable {
        /// All of it.
        case everything
        /// Only content: every name is there, and leads to what was forced of the file.
        case content
        /// A random part: of the changes to each directory the first few, of each file nothing, the beginning, zeros, or all.
        case some
    }

    private final class File {
        var live: [UInt8]
        /// The content of the last fsync; nil before the first.
        var safe: [UInt8]?
        /// Where the file lies that was there before, whose content is not loaded.
        let original: String?

        init(live: [UInt8] = [], original: String? = nil) {
            self.live = live
            self.original = original
        }
    }

    private enum Entry {
        case directory
        case file(File)
    }

    /// A change of names in one directory; nil removes.
    private typealias Change = [(path: String, entry: Entry?)]

    private let base: FilePath
    private var live: [String: Entry] = [:]
    private var safe: [String: Entry] = [:]
    private var pending: [String: [Change]] = [:]

    /// - Parameter base: The repository as it was before the first call.
    init(_ base: FilePath) throws {
        self.base = base
        try scan("")
        safe = live
    }

    private mutating func scan(_ folder: String) throws {
        for name in directoryEntries(folder.isEmpty ? base : base / folder) {
            let path = folder.isEmpty ? String(decoding: name, as: UTF8.self) : "\(folder)/\(String(decoding: name, as: UTF8.self))"
            if try FileStatus.ofLink(base / path).kind == .directory {
                live[path] = .directory
                try scan(path)
            } else {
                live[path] = .file(File(original: path))
            }
        }
    }

    // MARK: System calls

    /// Plays the calls of a recording in their order and calls `body` before the first and after each that changes anything.
    ///
    /// A change counts from the beginning of its call, for it may reach the disk before the call returns; an fsync from its end.
    mutating func replay(_ trace: SystemCallTrace, _ body: (_ step: Int, _ after: String, DiskModel) throws -> Void) throws {
        try body(0, "the start", self)
        var step = 0
        var dataOffset = 0
        for event in trace.events {
            let isDone: Bool
            let call: SystemCallTrace.Call
            switch event {
            case .enter(let number):
                call = trace.calls[number - 1]
                let count = call.name.contains("write") ? call.details[1] : 0
                defer { dataOffset += count }
                // A call of a dying process may or may not have had its effect; it had, here.
                if let result = call.result, result < 0 { continue }
                isDone = try begin(call, trace.data[dataOffset..<dataOffset + min(count, call.result ?? count)])
            case .leave(let number):
                call = trace.calls[number - 1]
                isDone = call.result == 0 && finish(call)
            }
            if isDone {
                step += 1
                try body(step, "\(call.place)", self)
            }
        }
    }

    /// The effect of a call that changes names or content; false when it has none.
    private mutating func begin(_ call: SystemCallTrace.Call, _ bytes: ArraySlice<UInt8>) throws -> Bool {
        let path = call.paths.last ?? ""
        switch call.name {
        case "openat", "open":
            let flags = Int32(call.details[0])
            let isMaking = flags & O_CREAT != 0 && live[path] == nil
            if isMaking { change([(path, .file(File()))]) }
            if flags & O_TRUNC != 0, let file = try contentOf(path) { file.live = [] }
            return isMaking || flags & O_TRUNC != 0
        case "write", "pwrite64", "writev", "pwritev", "pwritev2":
            guard let file = try contentOf(path) else { return false }
            let offset = call.details[0]
            if file.live.count < offset + bytes.count { file.live += [UInt8](repeating: 0, count: offset + bytes.count - file.live.count) }
            file.live.replaceSubrange(offset..<offset + bytes.count, with: bytes)
            return true
        case "ftruncate", "truncate":
            guard let file = try contentOf(path) else { return false }
            let size = call.details[0]
            file.live = Array(file.live.prefix(size)) + [UInt8](repeating: 0, count: max(0, size - file.live.count))
            return true
        case "rename", "renameat", "renameat2":
            guard let entry = live[call.paths[0]] else { throw Complaint("\(call.place): nothing to rename") }
            change([(call.paths[0], nil), (path, entry)])
            return true
        case "link", "linkat":
            guard let entry = live[call.paths[0]] else { throw Complaint("\(call.place): nothing to link") }
            change([(path, entry)])
            return true
        case "unlink", "unlinkat", "rmdir":
            change([(path, nil)])
            return true
        case "mkdir", "mkdirat":
            change([(path, .directory)])
            return true
        case "fallocate":
            // Without FALLOC_FL_KEEP_SIZE the file grows; zeros until they are written over.
            guard call.details[0] & 1 == 0, let file = try contentOf(path) else { return false }
            file.live += [UInt8](repeating: 0, count: max(0, call.details[1] + call.details[2] - file.live.count))
            return true
        // sync_file_range promises nothing about what the power leaves.
        case "fsync", "fdatasync", "syncfs", "sync_file_range", "close", "fchmod", "chmod", "fchmodat": return false
        default: throw Complaint("\(call.place) is not in the model")
        }
    }

    /// The effect of a call that forces something to disk.
    private mutating func finish(_ call: SystemCallTrace.Call) -> Bool {
        if call.name == "syncfs" {
            safe = live
            pending = [:]
            for case .file(let file) in live.values where file.original == nil { file.safe = file.live }
            return true
        }
        guard call.name == "fsync" || call.name == "fdatasync", let path = call.paths.last else { return false }
        let folder = path == "." ? "" : path
        if folder.isEmpty || live[folder].map({ if case .directory = $0 { true } else { false } }) == true {
            for change in pending.removeValue(forKey: folder) ?? [] {
                for (path, entry) in change { safe[path] = entry }
            }
            return true
        }
        guard case .file(let file) = live[path] else { return false }
        file.safe = file.live
        return true
    }

    private mutating func change(_ change: Change) {
        for (path, entry) in change { live[path] = entry }
        // A rename between two directories is two changes, for nothing binds them together.
        for (folder, part) in Dictionary(grouping: change, by: { Self.folder(of: $0.path) }) { pending[folder, default: []].append(part) }
    }

    private func contentOf(_ path: String) throws -> File? {
        guard case .file(let file) = live[path] else { return nil }
        if let original = file.original { throw Complaint("\(original), which was there before, is written to") }
        return file
    }

    private static func folder(of path: String) -> String { path.split(separator: "/").dropLast().joined(separator: "/") }

    // MARK: After the power cut

    /// Makes the repository that is found after a power cut at this moment.
    func write(to target: FilePath, _ loss: Loss, _ random: inout SeededRandom) throws {
        var entries = loss == .content ? live : safe
        if loss == .some {
            for folder in pending.keys.sorted() {
                let changes = pending[folder, default: []]
                for change in changes.prefix(random.number(0..<changes.count + 1)) {
                    for (path, entry) in change { entries[path] = entry }
                }
            }
        }
        try DurableFiles.makeDirectories(target)
        for (path, entry) in entries.sorted(by: { $0.key < $1.key }) {
            // What lies in a directory that is lost is lost with it.
            guard (try? FileStatus.of((target / path).parent))?.kind == .directory else { continue }
            switch entry {
            case .directory: try DurableFiles.makeDirectories(target / path)
            case .file(let file): try DurableFiles.create(target / path, try content(file, loss, &random), mode: 0o400)
            }
        }
    }

    private func content(_ file: File, _ loss: Loss, _ random: inout SeededRandom) throws -> [UInt8] {
        if let original = file.original { return try DurableFiles.read(base / original, limit: 1 << 30) }
        let safe = file.safe ?? []
        if loss != .some || safe == file.live { return safe }
        switch random.number(0..<4) {
        case 0: return safe
        case 1: return Array(file.live.prefix(random.number(0..<file.live.count + 1)))
        case 2: return [UInt8](repeating: 0, count: file.live.count)
        default: return file.live
        }
    }
}
