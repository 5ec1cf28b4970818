internal import Glibc
internal import Platform

/// Compares what lies below the target with the snapshot; the content of files is read by the workers.
struct VerifyVisitor: TreeVisitor {
    let run: RestoreRun
    /// Entries that the restore left as they were.
    private let kept: Set<FilePath>

    init(run: RestoreRun) {
        self.run = run
        kept = run.kept
    }

    mutating func enter(
        _ node: Node, _ path: FilePath, in directory: RestoreDirectory, isSelected: Bool
    ) throws(RepositoryError) -> RestoreDirectory? {
        try run.check()
        let inner = RestoreDirectory(node, path, in: directory, isSelected: isSelected)
        if isSelected {
            do {
                let held = try inner.open(making: false)
                compare(node, try held.descriptor.status(path: path), path)
            } catch {
                run.report(path, error)
                return nil
            }
        }
        run.enter(path)
        return inner
    }

    mutating func leave(_ directory: RestoreDirectory, _ nodes: [Node]?) throws(RepositoryError) { directory.park() }

    /// Reported by the restore already.
    mutating func refuse(_ path: FilePath, _ reason: Phrase) throws(RepositoryError) {}

    mutating func visit(_ node: Node, _ path: FilePath, in directory: RestoreDirectory) throws(RepositoryError) {
        try run.check()
        if node.kind == .socket || kept.contains(path) { return }
        // Devices that only root may make were passed over.
        if node.kind == .dev || node.kind == .chardev, !run.isRoot { return }
        do throws(SystemError) {
            let place = try directory.open(making: false)
            if node.kind == .file {
                let file = HeldDescriptor(try place.descriptor.openEntryForReading(node.name, isDirectory: false))
                compare(node, try file.descriptor.status(path: path), path)
                run.submit(RestoreRun.Job(file, node, path))
                return
            }
            let status = try place.descriptor.statusOfEntry(node.name)
            compare(node, status, path)
            if status.kind == .symlink, try place.descriptor.linkTargetOfEntry(node.name) != node.linkTarget {
                differs(path, Phrase(vi: "đích liên kết khác", en: "the target of the link differs"))
            }
        } catch {
            run.report(path, error)
        }
    }

    private func compare(_ node: Node, _ status: FileStatus, _ path: FilePath) {
        if Node.Kind(status.kind) != node.kind {
            differs(path, Phrase(vi: "loại tệp khác", en: "the type of the file differs"))
            return
        }
        if node.kind == .file && status.sizeBytes != node.size {
            differs(path, Phrase(vi: "kích thước khác: \(status.sizeBytes)", en: "the size differs: \(status.sizeBytes)"))
        }
        if node.kind != .symlink && status.permissions != node.mode.permissions {
            differs(path, Phrase(vi: "quyền truy cập khác", en: "the permissions differ"))
        }
        if node.modified != Node.unsetTime && status.modified != node.modified {
            differs(path, Phrase(vi: "thời điểm sửa đổi khác", en: "the modification time differs"))
        }
        if run.isRoot && (status.uid != node.uid || status.gid != node.gid) {
            differs(path, Phrase(vi: "chủ sở hữu khác", en: "the owner differs"))
        }
        if node.kind == .dev || node.kind == .chardev, status.specialDevice != node.device {
            differs(path, Phrase(vi: "số thiết bị khác", en: "the device number differs"))
        }
    }

    private func differs(_ path: FilePath, _ reason: Phrase) {
        run.report(path, Phrase(vi: "kiểm chứng: \(reason.vi)", en: "verification: \(reason.en)"))
    }
}

/// One worker of the verification: reads a file from the disk and compares it blob by blob.
enum FileVerifier {
    static func work(_ run: RestoreRun) {
        do throws(CryptoError) {
            var hasher = try SHA256()
            var buffer: [UInt8] = []
            while let job = run.nextJob() {
                do throws(RepositoryError) {
                    try run.check()
                    try verify(job, run, &hasher, &buffer)
                } catch {
                    run.fail(error)
                }
            }
        } catch {
            run.fail(.crypto(error))
        }
    }

    private static func verify(
        _ job: RestoreRun.Job, _ run: RestoreRun, _ hasher: inout SHA256, _ buffer: inout [UInt8]
    ) throws(RepositoryError) {
        do throws(SystemError) {
            // Only what is read from the disk proves anything about the disk; the restore has forced all pages there, which makes them clean.
            job.file.descriptor.dropCachedPages()
            var offset: UInt64 = 0
            for id in job.node.content ?? [] {
                let size = run.repository.blobSize(.data, id) ?? 0
                if buffer.count < size { buffer = [UInt8](repeating: 0, count: size) }
                let count = try read(job.file.descriptor, into: &buffer, size: size, at: offset)
                let digest = try digest(buffer[..<count], &hasher)
                if digest != id {
                    run.report(
                        job.path,
                        Phrase(
                            vi: "kiểm chứng: nội dung từ vị trí \(offset) khác với bản sao lưu",
                            en: "verification: the content from offset \(offset) differs from the snapshot"))
                    return
                }
                offset += UInt64(size)
            }
            run.countVerified(bytes: offset)
        } catch {
            run.report(job.path, error)
        }
    }

    private static func read(
        _ file: borrowing FileDescriptor, into buffer: inout [UInt8], size: Int, at offset: UInt64
    ) throws(SystemError) -> Int {
        var done = 0
        while done < size {
            let start = done
            let count = try unsafe buffer.withUnsafeMutableBufferPointer { (bytes) throws(SystemError) -> Int in
                try unsafe file.read(
                    into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: bytes[start..<size])), at: offset + UInt64(start), path: "")
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    private static func digest(_ bytes: ArraySlice<UInt8>, _ hasher: inout SHA256) throws(SystemError) -> Digest {
        do throws(CryptoError) {
            try unsafe bytes.withUnsafeBufferPointer { (raw) throws(CryptoError) -> Void in
                try unsafe hasher.update(UnsafeRawBufferPointer(raw))
            }
            return try hasher.finish()
        } catch {
            throw SystemError("SHA256", EIO)
        }
    }
}
