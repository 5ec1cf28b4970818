internal import Glibc
internal import Platform

/// Removing entries of the target. Links are removed, never followed.
enum EntryRemoval {
    /// A directory tree deeper than this is left: it cannot come from a restore.
    private static let depthLimit = 4096
    static let nameLimit = 1 << 22

    /// Removes whatever has this name. A directory must be empty, unless everything in it may go too.
    static func clear(_ name: [UInt8], in directory: borrowing FileDescriptor, recursively: Bool) throws(SystemError) {
        do throws(SystemError) {
            try directory.removeEntry(name, isDirectory: false)
        } catch {
            if error.number == ENOENT { return }
            if error.number != EISDIR { throw error }
            if recursively {
                try removeTree(name, in: directory) { _ in }
            } else {
                try directory.removeEntry(name, isDirectory: true)
            }
        }
    }

    /// Removes an entry and, when it is a directory, everything in it, deepest first.
    ///
    /// - Parameter removed: Gets the names that lead to each removed entry, from `name` on.
    static func removeTree(
        _ name: [UInt8], in directory: borrowing FileDescriptor, isDryRun: Bool = false, _ removed: ([[UInt8]]) -> Void
    ) throws(SystemError) {
        guard try directory.statusOfEntry(name).kind == .directory else {
            if !isDryRun { try directory.removeEntry(name, isDirectory: false) }
            return removed([name])
        }
        struct Level {
            let directory: HeldDescriptor
            var names: [[UInt8]]
        }
        func level(_ name: [UInt8], in directory: borrowing FileDescriptor) throws(SystemError) -> Level {
            let inner = HeldDescriptor(try directory.openEntry(name, O_RDONLY | O_DIRECTORY))
            return Level(directory: inner, names: try inner.descriptor.sortedNames(limit: nameLimit))
        }
        var path = [name]
        var levels = [try level(name, in: directory)]
        while let last = levels.indices.last {
            if let next = levels[last].names.popLast() {
                path.append(next)
                if try levels[last].directory.descriptor.statusOfEntry(next).kind == .directory {
                    if levels.count >= depthLimit { throw SystemError("rmdir", ELOOP, subject: escapedForDisplay(next)) }
                    levels.append(try level(next, in: levels[last].directory.descriptor))
                    continue
                }
                if !isDryRun { try levels[last].directory.descriptor.removeEntry(next, isDirectory: false) }
                removed(path)
                path.removeLast()
                continue
            }
            levels.removeLast()
            guard let done = path.last else { return }
            if !isDryRun {
                if let outer = levels.last {
                    try outer.directory.descriptor.removeEntry(done, isDirectory: true)
                } else {
                    try directory.removeEntry(done, isDirectory: true)
                }
            }
            removed(path)
            path.removeLast()
        }
    }
}
