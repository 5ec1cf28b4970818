internal import Platform

/// What the walker hands to the workers.
enum RestoreWork: Sendable {
    /// Files that may be there already.
    case compare([RestoreFile], Countdown)
    case segment(RestoreBatch, RestoreBatch.Segment)
    /// Files for which nothing has to be read.
    case finish([RestoreFile])
    /// Blobs that are not read with their neighbours.
    case single(RestoreBatch)
}

/// Work that others wait for.
final class Countdown: Sendable {
    private let left: Monitor<Int>
    init(_ count: Int) { left = Monitor(count) }
    func done() { left.change { $0 -= 1 } }

    /// Returns early when the run has failed: its workers may be gone.
    func wait(unless run: RestoreRun) {
        while left.wait(seconds: 0.25, { $0 <= 0 ? () : nil }) == nil, !run.isStopped {}
    }
}

/// One thread of a restore: reads a run of blobs, decodes each once, and writes it to every file that needs it.
struct RestoreWorker: ~Copyable {
    /// Runs of zeros shorter than this are written like everything else.
    private static let sparseBytes = 4096

    private let run: RestoreRun
    private var memory = ScratchMemory()
    private var existing: ExistingFile

    private init(_ run: RestoreRun) throws(RepositoryError) {
        let existing = try ExistingFile(run)
        self.run = run
        self.existing = existing
    }

    static func work(_ run: RestoreRun) {
        do throws(RepositoryError) {
            var worker = try RestoreWorker(run)
            while let work = run.nextWork() { try worker.perform(work) }
        } catch {
            run.fail(error)
        }
    }

    private mutating func perform(_ work: RestoreWork) throws(RepositoryError) {
        switch work {
        case .compare(let files, let countdown):
            defer { countdown.done() }
            for file in files {
                if run.isStopped { break }
                do throws(SystemError) {
                    file.setFound(try existing.examine(file))
                } catch {
                    // Found out again, and reported, when the file is written.
                    file.setFound(.nothing)
                }
            }
        case .finish(let files):
            for file in files {
                try run.check()
                complete(file)
            }
        case .single(let batch):
            for wanted in batch.unplanned {
                try run.check()
                loadElsewhere(wanted.id, wanted.size, [(wanted.file, wanted.offset)])
            }
        case .segment(let batch, let segment):
            try run.check()
            try restore(segment, of: batch)
        }
    }

    // MARK: Reading

    private mutating func restore(_ segment: RestoreBatch.Segment, of batch: RestoreBatch) throws(RepositoryError) {
        let stored = unsafe memory.prepare(segment.byteCount)
        do throws(RepositoryError) {
            try unsafe run.repository.store.backend.read(.pack, segment.pack, offset: segment.offset, into: stored)
        } catch {
            // A pack that is gone or cut off: blob by blob, from other copies where there are any.
            for blob in batch.blobs[segment.blobs] {
                try run.check()
                loadElsewhere(blob.id, blob.plaintextLength, places(of: blob, in: batch))
            }
            return
        }
        let run = run
        try run.repository.store.contexts.use { (context) throws(RepositoryError) in
            for blob in batch.blobs[segment.blobs] {
                try run.check()
                let first = Int(UInt64(blob.offset) - segment.offset)
                // In bounds: the segment was cut around its blobs.
                let sealed = unsafe UnsafeRawBufferPointer(rebasing: stored[first..<first + Int(blob.length)])
                let plaintext: UnsafeRawBufferPointer
                do {
                    unsafe plaintext = try unsafe context.openBlob(
                        BlobHandle(.data, blob.id), sealed, uncompressedLength: blob.uncompressedLength)
                } catch {
                    loadElsewhere(blob.id, blob.plaintextLength, places(of: blob, in: batch))
                    continue
                }
                var next = blob.firstPlace
                while next >= 0 {
                    let place = batch.places[Int(next)]
                    unsafe write(plaintext, at: place.offset, to: batch.files[Int(place.file)])
                    next = place.next
                }
            }
        }
        memory.trim()
    }

    private func places(of blob: RestoreBatch.Wanted, in batch: RestoreBatch) -> [(file: RestoreFile, offset: UInt64)] {
        var result: [(file: RestoreFile, offset: UInt64)] = []
        var next = blob.firstPlace
        while next >= 0 {
            let place = batch.places[Int(next)]
            result.append((batch.files[Int(place.file)], place.offset))
            next = place.next
        }
        return result
    }

    /// A blob that its usual place did not give: any other copy will do. Without one the files that need it stay incomplete, and each is reported.
    private func loadElsewhere(_ id: Digest, _ size: Int, _ places: [(file: RestoreFile, offset: UInt64)]) {
        do throws(RepositoryError) {
            let bytes = try run.repository.loadBlob(.data, id)
            guard bytes.count == size else {
                throw .corrupt(Phrase(vi: "khối \(id.short) sai kích thước", en: "blob \(id.short) has the wrong size"))
            }
            unsafe bytes.withUnsafeBytes { bytes in
                for place in places { unsafe write(bytes, at: place.offset, to: place.file) }
            }
        } catch {
            for place in places {
                place.file.miss()
                run.report(
                    place.file.path,
                    Phrase(
                        vi: "thiếu \(size) byte từ vị trí \(place.offset): \(error.message.vi)",
                        en: "\(size) bytes at offset \(place.offset) are missing: \(error.message.en)"))
                if place.file.release() { complete(place.file) }
            }
        }
    }

    // MARK: Writing

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64, to file: RestoreFile) {
        if !file.isGivenUp {
            do throws(SystemError) {
                let held = try file.open(run)
                if run.options.makesSparseFiles && file.isNew {
                    try unsafe writeSparse(bytes, at: offset, to: held.descriptor)
                } else {
                    try unsafe held.descriptor.writeAll(bytes, at: offset)
                }
                run.count(bytes: bytes.count)
            } catch {
                if file.giveUp() { run.report(file.path, error) }
            }
        }
        if file.release() { complete(file) }
    }

    private func writeSparse(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, to file: borrowing FileDescriptor
    ) throws(SystemError) {
        var start = 0
        var end = 0
        while end < bytes.count {
            // Whole blocks of the file system are what a hole is made of.
            let block = min(Self.sparseBytes - Int((offset + UInt64(end)) % UInt64(Self.sparseBytes)), bytes.count - end)
            if unsafe isZero(UnsafeRawBufferPointer(rebasing: bytes[end..<end + block])) {
                if end > start { try unsafe file.writeAll(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), at: offset + UInt64(start)) }
                start = end + block
            }
            end += block
        }
        if end > start { try unsafe file.writeAll(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), at: offset + UInt64(start)) }
    }

    private func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var sum: UInt64 = 0
        var index = 0
        while index + 8 <= bytes.count {
            sum |= unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < bytes.count {
            sum |= unsafe UInt64(bytes[index])
            index += 1
        }
        return sum == 0
    }

    // MARK: Completing

    /// The last part is there: metadata, further names, and the directory, when this was what it waited for.
    ///
    /// A file that lacks a part keeps the permissions it was made with, for its owner alone, and the time of the restore: it does not pass for a
    /// restored one, and a later run with `if-changed` looks at it again.
    private func complete(_ file: RestoreFile) {
        var isDone = false
        if !file.isGivenUp {
            do throws(SystemError) {
                isDone = try finish(file)
            } catch {
                if file.giveUp() { run.report(file.path, error) }
            }
        }
        file.close(run)
        run.finishNames(file.names, isDone: isDone)
        run.finish(entryOf: file.directory)
    }

    private func finish(_ file: RestoreFile) throws(SystemError) -> Bool {
        let found = file.found
        let held = try file.open(run)
        if !file.isWhole {
            try held.descriptor.resize(to: file.node.size)
            if !file.isNew { try held.descriptor.setPermissions(0o600) }
            return false
        }
        if run.options.makesSparseFiles && file.isNew { try held.descriptor.resize(to: file.node.size) }
        try FaultPoint.reach("restore.file-written")
        let isNewHere = file.isNew && file.directory.isMade
        try MetadataWriter(run: run).apply(file.node, to: held.descriptor, traits: isNewHere ? file.directory.traits : DirectoryTraits())
        switch found {
        case .same: run.countSkipped(file.path, file.node)
        case .different: run.countFile(file.path, file.node, isUpdate: true)
        case .nothing, .kept: run.countFile(file.path, file.node, isUpdate: false)
        }
        return true
    }
}
