internal import Glibc
package import Platform

/// A repository in a directory of this machine, in restic's default layout.
package struct LocalDirectory: Backend {
    package let root: FilePath

    package init(_ root: FilePath) { self.root = root }

    package var description: String { root.description }

    private var configurationPath: FilePath { root / "config" }

    private func directory(of type: FileType, _ id: Digest) -> FilePath {
        let base = root / type.rawValue
        return type == .pack ? base / String(id.hex.prefix(2)) : base
    }

    private func path(of type: FileType, _ id: Digest) -> FilePath { directory(of: type, id) / id.hex }

    package func create() throws(RepositoryError) {
        do {
            try DurableFiles.makeDirectories(root)
            for type in FileType.allCases { try makeDirectory(root / type.rawValue) }
            let data = root / FileType.pack.rawValue
            for number in 0..<256 { try makeDirectory(data / hexText([UInt8(number)])) }
            // One fsync for all 256 names, and one for the five above them.
            try DurableFiles.synchroniseDirectory(data)
            try DurableFiles.synchroniseDirectory(root)
        } catch {
            throw .storage(error)
        }
    }

    /// Makes one directory without forcing its name to disk.
    private func makeDirectory(_ path: FilePath) throws(SystemError) {
        do {
            try systemCall("mkdir", path: path) { unsafe path.withCString { unsafe mkdir($0, 0o700) } }
        } catch {
            if !error.isExisting { throw error }
        }
    }

    package func loadConfiguration(limit: Int) throws(RepositoryError) -> [UInt8] {
        do {
            return try DurableFiles.read(configurationPath, limit: limit)
        } catch {
            if error.isMissing {
                throw RepositoryError(
                    .noRepository, Phrase(vi: "không có kho sao lưu ở \(description)", en: "there is no repository at \(description)"),
                    hint: Phrase(
                        vi: "kiểm tra đường dẫn, hoặc tạo kho bằng 'sentinelctl repo init'",
                        en: "check the path, or make a repository with 'sentinelctl repo init'"),
                    cause: error)
            }
            throw .storage(error)
        }
    }

    package func saveConfiguration(_ bytes: [UInt8]) throws(RepositoryError) {
        do throws(SystemError) {
            if try FileStatus.exists(configurationPath) { throw SystemError("open", EEXIST, path: configurationPath) }
            try save(bytes, to: configurationPath, replacing: false)
        } catch {
            if error.isExisting {
                throw RepositoryError(
                    .exists,
                    Phrase(vi: "đã có kho sao lưu ở \(description)", en: "there is a repository at \(description) already"),
                    cause: error)
            }
            throw .storage(error)
        }
    }

    package func list(_ type: FileType) throws(RepositoryError) -> [StoredFile] {
        let base = root / type.rawValue
        do {
            guard type == .pack else { return try files(in: base) }
            var result: [StoredFile] = []
            for name in try directoryNames(base).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
                guard name.count == 2, hexBytes(String(decoding: name, as: UTF8.self)) != nil else { continue }
                for file in try files(in: base.appending(name)) where file.id.hex.utf8.starts(with: name) { result.append(file) }
            }
            return result
        } catch {
            // A missing directory holds nothing: restic tolerates it, and so must we.
            if error.isMissing { return [] }
            throw .storage(error)
        }
    }

    /// The files of one directory whose names are IDs in lowercase, in the order of their names.
    private func files(in directory: FilePath) throws(SystemError) -> [StoredFile] {
        var result: [StoredFile] = []
        for name in try directoryNames(directory) where name.count == 64 {
            guard let id = Digest(hex: String(decoding: name, as: UTF8.self)), id.hex.utf8.elementsEqual(name) else { continue }
            do {
                let status = try FileStatus.of(directory.appending(name))
                if status.kind == .file { result.append(StoredFile(id: id, sizeBytes: status.sizeBytes)) }
            } catch {
                // Locks come and go between the listing and the look.
                if !error.isMissing { throw error }
            }
        }
        return result.sorted { $0.id < $1.id }
    }

    package func load(_ type: FileType, _ id: Digest, limit: Int) throws(RepositoryError) -> [UInt8] {
        do {
            return try DurableFiles.read(path(of: type, id), limit: limit)
        } catch {
            throw failure(error, type, id)
        }
    }

    package func read(
        _ type: FileType, _ id: Digest, offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(RepositoryError) {
        let path = path(of: type, id)
        var done = 0
        do throws(SystemError) {
            let file = try FileDescriptor.open(path)
            while done < buffer.count {
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                let count = try unsafe file.read(into: rest, at: offset + UInt64(done), path: path)
                if count == 0 { break }
                done += count
            }
        } catch {
            throw failure(error, type, id)
        }
        guard done == buffer.count else {
            throw .corrupt(
                Phrase(vi: "\(type.label) \(id.short) ngắn hơn chỉ mục ghi", en: "\(type.label) \(id.short) is shorter than the index says"))
        }
    }

    private func failure(_ error: SystemError, _ type: FileType, _ id: Digest) -> RepositoryError {
        guard error.isMissing else { return .storage(error) }
        return RepositoryError(
            .missing, Phrase(vi: "thiếu \(type.label) \(id.hex)", en: "\(type.label) \(id.hex) is missing"), cause: error)
    }

    package func save(_ type: FileType, _ id: Digest, _ bytes: [UInt8]) throws(RepositoryError) {
        do throws(SystemError) {
            // A file of this name has this content, or is damaged: in both cases replacing it is right.
            do throws(SystemError) {
                try save(bytes, to: path(of: type, id), isPack: type == .pack, replacing: true)
            } catch {
                // Only below a repository: the mount point of a disk that is gone must not become one.
                guard error.isMissing, hasPlace(for: type) else { throw error }
                try DurableFiles.makeDirectories(directory(of: type, id), mode: sharedWithGroup() ? 0o770 : 0o700)
                try save(bytes, to: path(of: type, id), isPack: type == .pack, replacing: true)
            }
        } catch {
            throw error.isMissing && !hasPlace(for: type) ? gone(error) : .storage(error)
        }
    }

    package func openUpload(_ type: FileType) throws(RepositoryError) -> any Upload {
        // Above the directory of its name, which is not known yet: readers skip what is no ID in either place.
        let place = root / type.rawValue / "upload"
        do throws(SystemError) {
            do throws(SystemError) {
                return LocalUpload(self, type, try TemporaryFile(beside: place))
            } catch {
                guard error.isMissing, hasPlace(for: type) else { throw error }
                try DurableFiles.makeDirectories(place.parent, mode: sharedWithGroup() ? 0o770 : 0o700)
                return LocalUpload(self, type, try TemporaryFile(beside: place))
            }
        } catch {
            throw error.isMissing && !hasPlace(for: type) ? gone(error) : .storage(error)
        }
    }

    /// Publishes an upload.
    fileprivate func publish(_ file: inout TemporaryFile, _ type: FileType, _ id: Digest) throws(RepositoryError) {
        let path = path(of: type, id)
        do throws(SystemError) {
            if type == .pack { try FaultPoint.reach("pack.written") }
            let mode: UInt32 = sharedWithGroup() ? 0o440 : 0o400
            do throws(SystemError) {
                try file.publish(as: path, mode: mode, replacing: true)
            } catch {
                guard error.isMissing, hasPlace(for: type) else { throw error }
                try DurableFiles.makeDirectories(directory(of: type, id), mode: sharedWithGroup() ? 0o770 : 0o700)
                try file.publish(as: path, mode: mode, replacing: true)
            }
        } catch {
            throw error.isMissing && !hasPlace(for: type) ? gone(error) : .storage(error)
        }
    }

    /// True when the repository itself is there. While it is being made, `config` comes last.
    private func hasPlace(for type: FileType) -> Bool {
        (try? FileStatus.exists(configurationPath)) == true || type == .key && (try? FileStatus.exists(root / type.rawValue)) == true
    }

    private func gone(_ error: SystemError) -> RepositoryError {
        RepositoryError(
            .storage, Phrase(vi: "kho \(description) không còn ở đó", en: "the repository \(description) is gone"),
            hint: Phrase(vi: "kiểm tra đĩa hoặc thư mục mạng còn được gắn không", en: "check that its disk or network directory is mounted"),
            cause: error)
    }

    private func save(_ bytes: [UInt8], to path: FilePath, isPack: Bool = false, replacing: Bool) throws(SystemError) {
        var file = try TemporaryFile(beside: path)
        try file.write(bytes)
        if isPack { try FaultPoint.reach("pack.written") }
        // Stored files never change: without write bits a careless program cannot change them either.
        let mode: UInt32 = sharedWithGroup() ? 0o440 : 0o400
        do {
            try file.publish(as: path, mode: mode, replacing: replacing)
        } catch {
            // renameat2 is unknown to some network file systems; the caller has looked for an older file.
            guard !replacing, error.call == "rename", error.number == EINVAL || error.number == ENOSYS else { throw error }
            try file.publish(as: path, mode: mode, replacing: true)
        }
    }

    /// True when the owner shares the repository with a group, which the mode of `config` says, as in restic.
    private func sharedWithGroup() -> Bool {
        guard let status = try? FileStatus.of(configurationPath) else { return false }
        return status.mode & 0o040 != 0
    }

    package func age(of type: FileType, _ id: Digest) throws(RepositoryError) -> Double? {
        let path = path(of: type, id)
        do throws(SystemError) {
            let stored = try FileStatus.of(path).modified
            // A file made now has the time of whoever keeps the files, which on a network is another machine.
            let probe = try TemporaryFile(beside: path)
            return try FileStatus.of(probe.path).modified.seconds(since: stored)
        } catch {
            // A directory that cannot be written tells no time; whoever asks falls back on what the file itself says.
            if error.isMissing || error.isReadOnly || error.isPermission { return nil }
            throw .storage(error)
        }
    }

    package func remove(_ type: FileType, _ id: Digest) throws(RepositoryError) {
        do {
            try DurableFiles.remove(path(of: type, id))
        } catch {
            throw .storage(error)
        }
    }
}

/// A file that is written where it will lie. `@unchecked Sendable`: used by one thread at a time, see ``Upload``.
private final class LocalUpload: Upload, @unchecked Sendable {
    private let place: LocalDirectory
    private let type: FileType
    private var file: TemporaryFile

    init(_ place: LocalDirectory, _ type: FileType, _ file: consuming TemporaryFile) {
        self.place = place
        self.type = type
        self.file = file
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(RepositoryError) {
        do {
            try unsafe file.write(bytes)
        } catch {
            throw .storage(error)
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(RepositoryError) {
        var done = 0
        do throws(SystemError) {
            while done < buffer.count {
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                let count = try unsafe file.read(into: rest, at: offset + UInt64(done))
                if count == 0 { break }
                done += count
            }
        } catch {
            throw .storage(error)
        }
        if done < buffer.count { throw .shortUpload }
    }

    func commit(as id: Digest) throws(RepositoryError) { try place.publish(&file, type, id) }
}
