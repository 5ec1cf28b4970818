internal import Platform

/// What happens when an entry is there: further names of it, and the directories that waited for it.
extension RestoreRun {
    /// One entry of `directory` is there; sets the metadata of each directory that this completes, up to the target.
    func finish(entryOf directory: RestoreDirectory) {
        var current = directory
        while current.release() {
            // A directory that was only passed through keeps its metadata, unless it is new.
            if let node = current.node, current.isUsed || options.isDryRun, current.isSelected || current.isMade {
                do throws(SystemError) {
                    if !options.isDryRun, !isStopped { try MetadataWriter(run: self).apply(node, to: try current.open(making: false).descriptor) }
                    count { $0.directoriesRestored += 1 }
                    tell(.restored, current.path)
                } catch {
                    report(current.path, error)
                }
            }
            current.park()
            guard let parent = current.parent else { return }
            current = parent
        }
    }

    /// The first name of a file is there, or never will be: the names that waited for it are made, or reported.
    func finishNames(_ names: LinkedNames?, isDone: Bool) {
        guard let names else { return }
        for name in names.finish(isDone ? .done : .failed) {
            if isDone {
                link(name, to: names)
            } else {
                reportUnlinked(name.path)
            }
            finish(entryOf: name.directory)
        }
    }

    func reportUnlinked(_ path: FilePath) {
        report(
            path, Phrase(vi: "tên đầu tiên của tệp này không khôi phục được", en: "the first name of this file could not be restored"))
    }

    /// Gives a restored file a further name.
    func link(_ name: LinkedNames.Name, to first: LinkedNames) {
        do throws(SystemError) {
            if !options.isDryRun {
                let place = try name.directory.open()
                let source = try first.directory.open(making: false)
                if !name.directory.isMade {
                    try EntryRemoval.clear(name.node.name, in: place.descriptor, recursively: options.deletes)
                }
                do throws(SystemError) {
                    try place.descriptor.makeHardLink(name.node.name, to: first.name, in: source.descriptor)
                } catch {
                    if !error.isExisting { throw error }
                    try EntryRemoval.clear(name.node.name, in: place.descriptor, recursively: options.deletes)
                    try place.descriptor.makeHardLink(name.node.name, to: first.name, in: source.descriptor)
                }
            }
            count { $0.hardLinksRestored += 1 }
            tell(.restored, name.path)
        } catch {
            report(name.path, error)
        }
    }
}
