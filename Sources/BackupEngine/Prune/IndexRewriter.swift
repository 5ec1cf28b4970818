internal import Platform

/// Replaces index files by ones without certain packs: the new ones are durable before the first old one goes.
///
/// A run that dies in between leaves packs in two index files with the same content, which every reader takes for one.
struct IndexRewriter {
    private let store: ObjectStore
    /// Asked before anything is removed: a lost lock must stop that.
    private let check: () throws(RepositoryError) -> Void
    /// Index files that the new ones replace.
    private(set) var obsolete: [Digest] = []
    private var pending: [(id: Digest, entries: [PackEntry])] = []
    private var pendingBlobs = 0
    /// A hash of each pack and its entries that has a place in an index file.
    private var placed: Set<Placement> = []

    private struct Placement: Hashable {
        let pack: Digest
        let content: Int
    }

    init(store: ObjectStore, check: @escaping () throws(RepositoryError) -> Void) {
        self.store = store
        self.check = check
    }

    /// Goes through index files, keeping those that are full and name no removed pack, and writes the rest anew.
    ///
    /// - Parameter progress: Called after each file.
    mutating func rewrite(
        _ files: [StoredFile], removing packs: Set<Digest>, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws(RepositoryError) {
        for (number, file) in files.enumerated() {
            let bytes = try store.loadDocument(.index, file.id, limit: IndexFile.sizeLimitBytes)
            var entries: [(id: Digest, entries: [PackEntry])] = []
            do throws(JSONError) {
                try IndexFile.decode(bytes) { pack, blobs in entries.append((pack, blobs.sorted { $0.offset < $1.offset })) }
            } catch {
                throw .corrupt(
                    Phrase(vi: "chỉ mục \(file.id.short): \(error.message.vi)", en: "index \(file.id.short): \(error.message.en)"),
                    cause: error)
            }
            let isFull = entries.reduce(0) { $0 + $1.entries.count } >= IndexFile.blobLimit
            let places = entries.map { Placement(pack: $0.id, content: $0.entries.hashValue) }
            let isRepeating = Set(places).count < places.count || places.contains(where: placed.contains)
            if isFull, !isRepeating, !entries.contains(where: { packs.contains($0.id) }) {
                placed.formUnion(places)
            } else {
                obsolete.append(file.id)
                for (entry, place) in zip(entries, places) where !packs.contains(entry.id) && placed.insert(place).inserted {
                    try add(entry.id, entry.entries)
                }
            }
            progress(number + 1, files.count)
        }
    }

    /// Adds a pack that no index file names, or that one names wrongly.
    mutating func add(_ pack: Digest, _ entries: [PackEntry]) throws(RepositoryError) {
        if entries.isEmpty { return }
        pending.append((pack, entries))
        pendingBlobs += entries.count
        if pendingBlobs >= IndexFile.blobLimit { try writePending() }
    }

    /// Counts an index file among those to be removed, without a look into it.
    mutating func discard(_ file: Digest) { obsolete.append(file) }

    private mutating func writePending() throws(RepositoryError) {
        if pending.isEmpty { return }
        _ = try store.saveDocument(.index, IndexFile.encode(pending))
        try reach("prune.index-written")
        pending = []
        pendingBlobs = 0
    }

    /// Writes what is left, then removes the old files.
    mutating func finish() throws(RepositoryError) {
        try writePending()
        for file in obsolete {
            try check()
            try store.backend.remove(.index, file)
            try reach("prune.index-removed")
        }
        obsolete = []
    }
}
