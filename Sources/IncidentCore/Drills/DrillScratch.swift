package import Platform

/// A private directory that a drill restores into, and its removal.
package enum DrillScratch {
    private static let prefix = "drill-"
    /// Entries of one directory, at most: beyond what any file system of a ward holds.
    private static let entryLimit = 20_000_000

    /// Makes a directory of its own with mode 0700 and a name that nobody can foretell.
    static func make(in parent: FilePath) throws -> FilePath {
        try DurableFiles.makeDirectories(parent, mode: 0o700)
        let name = prefix + hexText(try SecureRandom.bytes(12))
        let holder = try FileDescriptor.open(parent)
        try holder.makeDirectory(Array(name.utf8), mode: 0o700)
        return parent / name
    }

    /// Removes what drills that were killed left behind: restored files are as confidential as the originals. Call it before
    /// the first drill of a process, while none is running.
    ///
    /// - Returns: The number of directories removed.
    @discardableResult
    package static func removeLeftovers(in parent: FilePath) throws -> Int {
        guard try FileStatus.exists(parent) else { return 0 }
        let names = try directoryNames(parent).filter { $0.starts(with: prefix.utf8) }
        for name in names { try remove(parent.appending(name)) }
        return names.count
    }

    /// Removes a directory with everything in it, without following a link and without holding more than two descriptors, however
    /// deep it goes.
    static func remove(_ directory: FilePath) throws(SystemError) {
        var current = try FileDescriptor.open(directory.parent)
        var names: [[UInt8]] = []
        var pending: [[[UInt8]]] = [[directory.name]]
        while var level = pending.popLast() {
            guard let name = level.popLast() else {
                // Everything in the directory is gone: out of it, and remove it.
                guard let left = names.popLast() else { return }
                let parent = try current.openParent()
                try parent.removeEntry(left, isDirectory: true)
                current = parent
                continue
            }
            pending.append(level)
            if try current.statusOfEntry(name).kind != .directory {
                try current.removeEntry(name, isDirectory: false)
                continue
            }
            // A restored directory may deny its owner to look inside.
            try current.setPermissionsOfEntry(name, 0o700)
            let child = try current.openEntryForReading(name, isDirectory: true)
            pending.append(try child.sortedNames(limit: entryLimit))
            names.append(name)
            current = child
        }
    }
}
