internal import Glibc
package import Platform

/// What `repair packs` could save.
package struct PackRepairReport: Sendable {
    package internal(set) var salvagedBlobs = 0
    /// Blobs without a whole copy anywhere: `repair snapshots` takes them out of the snapshots.
    package internal(set) var lostBlobs: [BlobHandle] = []
    /// Packs that could not be removed; they are in no index.
    package internal(set) var unremovedPacks: [(id: Digest, error: RepositoryError)] = []
}

extension Repository {
    /// Moves the whole blobs of damaged packs into new packs, then forgets and removes the damaged ones.
    ///
    /// Both the index and, where it can be read, the header of a pack are asked for its blobs. The caller holds an exclusive
    /// lock and has loaded the index, which must be loaded anew afterwards.
    package func repairPacks(
        _ packs: [Digest], lock: RepositoryLock, cancellation: CancellationFlag = CancellationFlag(),
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws(RepositoryError) -> PackRepairReport {
        var report = PackRepairReport()
        var known = index.current()
        let damaged = Set(packs)
        for file in try store.backend.list(.pack) where damaged.contains(file.id) {
            do throws(RepositoryError) {
                known.insert(pack: file.id, try store.loadPackHeader(file))
            } catch {
                // Without a header the index is all that is known about the pack.
                if error.code == .storage { throw error }
            }
        }
        var lists: [Digest: [PackEntry]] = [:]
        let isDamaged = known.packs.map(damaged.contains)
        var taken: Set<BlobHandle> = []
        for type in BlobType.allCases {
            for record in known.table(type).records where isDamaged[Int(record.pack)] {
                // Each blob once; a second copy is tried when the first turns out to be damaged.
                let handle = BlobHandle(type, record.id)
                if taken.insert(handle).inserted { lists[known.packID(record), default: []].append(PackEntry(record, type)) }
            }
        }
        let jobs = packs.compactMap { pack in
            lists[pack].map { BlobTransfer.Job(pack: pack, entries: $0.sorted { $0.offset < $1.offset }) }
        }
        let transfer = BlobTransfer(
            source: self, sourceIndex: known, target: self, writer: PackWriter(store: store, index: SharedIndex(), packSizeBytes: writing.packSizeBytes),
            skipsDamaged: true,
            cancellation: cancellation)
        let result = try transfer.run(jobs, progress: progress)
        report.salvagedBlobs = result.blobs
        report.lostBlobs = result.damaged
        try reach("repair.salvaged")
        var rewriter = IndexRewriter(store: store) { () throws(RepositoryError) in try lock.verify() }
        try rewriter.rewrite(try store.backend.list(.index), removing: damaged)
        try rewriter.finish()
        for pack in packs {
            try lock.verify()
            do throws(RepositoryError) {
                try store.backend.remove(.pack, pack)
            } catch {
                report.unremovedPacks.append((pack, error))
            }
            try reach("repair.pack-removed")
        }
        index.removeAll()
        return report
    }

    /// Finds packs by the first digits of their IDs, in the storage and in the index: a missing pack can be repaired too.
    ///
    /// - Throws: `.missing` when nothing begins so, `.invalidArgument` when several do.
    package func findPacks(_ references: [String]) throws(RepositoryError) -> [Digest] {
        let all = Set(try store.backend.list(.pack).map(\.id)).union(index.current().packs)
        var found: [Digest] = []
        for reference in references {
            let prefix = reference.lowercased()
            let matches = all.filter { !prefix.isEmpty && $0.hex.hasPrefix(prefix) }
            guard let first = matches.first else {
                let shown = escapedForDisplay(reference)
                throw RepositoryError(.missing, Phrase(vi: "không có pack '\(shown)'", en: "there is no pack '\(shown)'"))
            }
            guard matches.count == 1 else {
                throw RepositoryError(
                    .invalidArgument,
                    Phrase(vi: "'\(prefix)' chỉ đến nhiều pack", en: "'\(prefix)' means several packs"),
                    hint: Phrase(vi: "gõ thêm chữ số của mã", en: "give more digits of the ID"))
            }
            if !found.contains(first) { found.append(first) }
        }
        return found
    }

    /// Copies what can be read of a pack to a new file, for people to look at before the pack goes.
    ///
    /// - Returns: Bytes copied; nil when the pack is not there.
    /// - Throws: `.storage`, also when there is a file already.
    package func savePackCopy(_ pack: Digest, to path: FilePath) throws(RepositoryError) -> UInt64? {
        guard let file = try store.backend.list(.pack).first(where: { $0.id == pack }) else { return nil }
        do throws(SystemError) {
            if try FileStatus.exists(path) { throw SystemError("open", EEXIST, path: path) }
            var copy = try TemporaryFile(beside: path)
            var piece = ScratchMemory()
            var offset: UInt64 = 0
            while offset < file.sizeBytes {
                let buffer = unsafe piece.prepare(Int(min(file.sizeBytes - offset, 4 << 20)))
                // What the storage cannot read any more ends the copy, not the repair.
                guard unsafe isRead(pack, offset, buffer) else { break }
                try unsafe copy.write(UnsafeRawBufferPointer(buffer))
                offset += UInt64(buffer.count)
            }
            try copy.publish(as: path, mode: 0o600, replacing: false)
            return offset
        } catch {
            throw .storage(error)
        }
    }

    private func isRead(_ pack: Digest, _ offset: UInt64, _ buffer: UnsafeMutableRawBufferPointer) -> Bool {
        do throws(RepositoryError) {
            try unsafe store.backend.read(.pack, pack, offset: offset, into: buffer)
            return true
        } catch {
            return false
        }
    }
}
