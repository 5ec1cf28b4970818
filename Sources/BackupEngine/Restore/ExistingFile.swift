internal import Glibc
internal import Platform

/// Looks at what lies at a file's place, and compares it with the snapshot blob by blob.
struct ExistingFile: ~Copyable {
    private let run: RestoreRun
    private var hasher: SHA256
    private var memory = ScratchMemory()

    init(_ run: RestoreRun) throws(RepositoryError) {
        do throws(CryptoError) {
            let hasher = try SHA256()
            self.run = run
            self.hasher = hasher
        } catch {
            throw .crypto(error)
        }
    }

    mutating func examine(_ file: RestoreFile) throws(SystemError) -> RestoreFile.Found {
        let place: HeldDescriptor
        let status: FileStatus
        do throws(SystemError) {
            place = try file.directory.open(making: !run.options.isDryRun)
            status = try place.descriptor.statusOfEntry(file.node.name)
        } catch {
            if error.isMissing || run.options.isDryRun && error.isLink { return .nothing }
            throw error
        }
        if !Self.mayReplace(status, with: file.node, run.options.overwrite) { return .kept }
        // Through a file with several names, others than this one would be changed: names outside of the target, for all we know.
        guard status.kind == .file, status.links == 1 else { return .nothing }
        let identity = FileIdentity(status)
        if run.options.overwrite == .ifChanged, status.sizeBytes == file.node.size, status.modified == file.node.modified {
            return .same(identity)
        }
        let opened: FileDescriptor
        do throws(SystemError) {
            opened = try place.descriptor.openEntryForReading(file.node.name, isDirectory: false)
        } catch {
            // What cannot be read is written anew.
            return .nothing
        }
        guard FileIdentity(try opened.status(path: file.path)) == identity else { return .nothing }
        let matching = try compare(opened, file)
        if status.sizeBytes == file.node.size, matching.allSatisfy({ $0 }) { return .same(identity) }
        return .different(identity, sizeBytes: status.sizeBytes, matching: matching)
    }

    /// The rule of restic's `--overwrite`.
    static func mayReplace(_ status: FileStatus, with node: Node, _ overwrite: RestoreOptions.Overwrite) -> Bool {
        switch overwrite {
        case .always, .ifChanged: true
        case .ifNewer: node.modified > status.modified
        case .never: false
        }
    }

    private mutating func compare(_ opened: borrowing FileDescriptor, _ file: RestoreFile) throws(SystemError) -> [Bool] {
        opened.willReadSequentially()
        var matching: [Bool] = []
        var offset: UInt64 = 0
        var isAtEnd = false
        for id in file.node.content ?? [] {
            let size = run.repository.blobSize(.data, id) ?? 0
            if isAtEnd || run.isStopped {
                matching.append(false)
                continue
            }
            let buffer = unsafe memory.prepare(size)
            var done = 0
            while done < size {
                let count = try unsafe opened.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]), at: offset + UInt64(done), path: file.path)
                if count == 0 { break }
                done += count
            }
            isAtEnd = done < size
            let digest: Digest
            do throws(CryptoError) {
                try unsafe hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<done]))
                digest = try hasher.finish()
            } catch {
                throw SystemError("SHA256", EIO)
            }
            matching.append(digest == id)
            offset += UInt64(size)
        }
        return matching
    }
}
