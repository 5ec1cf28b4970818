package import Platform

/// A repository in restic's format 2 (format 1 is read too): blobs by hash in packs, indexes, snapshots. Thread-safe.
///
/// Readers call ``listSnapshots()`` before ``loadIndex()``, so that a snapshot made in between lacks nothing.
/// Writers hold a lock, call ``loadIndex()``, store blobs from any number of threads, then ``flush()`` and
/// ``saveSnapshot(_:)``: what a crash leaves behind is complete or unused. See docs/format.md.
package final class Repository: Sendable {
    package let configuration: RepositoryConfiguration
    /// For people: a path or an address without credentials.
    package var location: String { store.backend.description }

    let store: ObjectStore
    let master: MasterKey
    let index = SharedIndex()
    let writer: PackWriter
    let identity = WriterIdentity.current()
    /// The key file that the repository was opened with.
    let keyID: Digest
    let locking = Locking()

    /// How blobs are compressed and packed.
    package let writing: WriteSettings

    private init(backend: any Backend, key: KeyRing.Opened, configuration: RepositoryConfiguration, writing: WriteSettings) {
        master = key.master
        keyID = key.id
        self.configuration = configuration
        self.writing = writing
        store = ObjectStore(
            backend: LeasedBackend(base: backend, gate: locking.gate), contexts: ContextPool(master, writing.compression),
            configuration: configuration)
        writer = PackWriter(store: store, index: index, packSizeBytes: writing.packSizeBytes)
    }

    // MARK: Making and opening

    /// Makes a repository in a directory, which may exist.
    ///
    /// - Throws: `.exists` when a repository, or a part of one, is there; `.invalidArgument` for an empty password.
    package static func create(
        at path: FilePath, password: [UInt8], cost: KeyCost = .calibrated, form: RepositoryForm = RepositoryForm()
    ) throws(RepositoryError) -> Repository {
        try create(in: LocalDirectory(path), password: password, cost: cost, form: form)
    }

    /// Makes a repository; see ``create(at:password:cost:form:)``.
    package static func create(
        in backend: any Backend, password: [UInt8], cost: KeyCost = .calibrated, form: RepositoryForm = RepositoryForm()
    ) throws(RepositoryError) -> Repository {
        try refuseExisting(backend)
        let master: MasterKey
        let configuration: RepositoryConfiguration
        let sealed: [UInt8]
        do throws(CryptoError) {
            master = try MasterKey.random()
            configuration = try form.configuration()
            var sealing = try Sealing(master)
            sealed = try sealing.seal(ConfigurationFile.encode(configuration))
        } catch {
            throw .crypto(error)
        }
        try backend.create()
        // The config comes last: without it there is no repository yet, and making one can be tried again.
        let key = try KeyRing(backend: backend).add(master, password: password, cost: cost, identity: .current())
        try backend.saveConfiguration(sealed)
        return Repository(
            backend: backend, key: KeyRing.Opened(id: key, master: master), configuration: configuration, writing: WriteSettings())
    }

    private static func refuseExisting(_ backend: any Backend) throws(RepositoryError) {
        var found = true
        do throws(RepositoryError) {
            _ = try backend.loadConfiguration(limit: ConfigurationFile.sizeLimitBytes)
        } catch {
            if error.code != .noRepository { throw error }
            found = false
        }
        if !found {
            let keys = try backend.list(.key)
            let snapshots = try backend.list(.snapshot)
            found = !keys.isEmpty || !snapshots.isEmpty
        }
        if found {
            throw RepositoryError(
                .exists,
                Phrase(vi: "đã có kho sao lưu ở \(backend.description)", en: "there is a repository at \(backend.description) already"),
                hint: Phrase(vi: "chọn một thư mục khác", en: "choose another directory"))
        }
    }

    /// Opens a repository in a directory.
    ///
    /// - Throws: `.noRepository`, `.wrongPassword`, `.corrupt`, `.unsupported`, `.storage`.
    package static func open(
        at path: FilePath, password: [UInt8], writing: WriteSettings = WriteSettings()
    ) throws(RepositoryError) -> Repository {
        try open(in: LocalDirectory(path), password: password, writing: writing)
    }

    /// Opens a repository; see ``open(at:password:writing:)``.
    ///
    /// - Parameter keyHint: First digits of the ID of the key file to try first.
    package static func open(
        in backend: any Backend, password: [UInt8], keyHint: String? = nil, writing: WriteSettings = WriteSettings()
    ) throws(RepositoryError) -> Repository {
        let sealed = try backend.loadConfiguration(limit: ConfigurationFile.sizeLimitBytes)
        let key = try KeyRing(backend: backend).open(password: password, hint: keyHint)
        let configuration: RepositoryConfiguration
        do {
            var sealing = try Sealing(key.master)
            configuration = try ConfigurationFile.decode(try sealing.open(sealed))
        } catch let error as ConfigurationFile.UnknownChunker {
            let name = escapedForDisplay(error.name)
            throw RepositoryError(
                .unsupported,
                Phrase(
                    vi: "kho \(backend.description) cắt tệp theo cách '\(name)' mà chương trình này không biết",
                    en: "repository \(backend.description) cuts files by '\(name)', which this program does not know"),
                hint: Phrase(vi: "dùng bản mới hơn của chương trình", en: "use a newer version of this program"))
        } catch {
            throw .corrupt(
                Phrase(vi: "tệp config của \(backend.description) bị hỏng", en: "the config of \(backend.description) is damaged"),
                cause: error)
        }
        guard (1...2).contains(configuration.version) else {
            throw RepositoryError(
                .unsupported,
                Phrase(
                    vi: "kho \(backend.description) có định dạng \(configuration.version), chỉ đọc được 1 và 2",
                    en: "repository \(backend.description) has format \(configuration.version); only 1 and 2 are known"))
        }
        guard ChunkerPolynomial.isIrreducible(configuration.chunkerPolynomial) else {
            throw .corrupt(Phrase(vi: "đa thức cắt khối trong config không hợp lệ", en: "the chunker polynomial in the config is not irreducible"))
        }
        return Repository(backend: backend, key: key, configuration: configuration, writing: writing)
    }

    // MARK: Index and blobs

    /// Reads all index files, replacing what was known. Call it after ``listSnapshots()`` when reading.
    package func loadIndex() throws(RepositoryError) {
        index.removeAll()
        for file in try store.backend.list(.index) {
            let bytes = try store.loadDocument(.index, file.id, limit: IndexFile.sizeLimitBytes)
            do throws(JSONError) {
                try IndexFile.decode(bytes) { pack, entries in index.add(pack: pack, entries) }
            } catch {
                throw .corrupt(
                    Phrase(
                        vi: "chỉ mục \(file.id.short): \(error.message.vi)", en: "index \(file.id.short): \(error.message.en)"),
                    cause: error)
            }
        }
    }

    /// True when the blob is stored, or being stored by this process.
    package func contains(_ type: BlobType, _ id: Digest) -> Bool { index.contains(BlobHandle(type, id)) }

    /// True when all these blobs are stored, or being stored by this process.
    package func contains(_ type: BlobType, all ids: [Digest]) -> Bool { index.contains(type, all: ids) }

    /// Compares the index with the packs that are there: a blob whose pack is missing, or of another size, counts as not stored, and the next
    /// backup that meets it stores it again.
    ///
    /// - Returns: Number of such packs.
    @discardableResult
    package func excludeLostPacks() throws(RepositoryError) -> Int {
        var sizes: [Digest: UInt64] = [:]
        for file in try store.backend.list(.pack) { sizes[file.id] = file.sizeBytes }
        return index.distrust(allBut: sizes)
    }

    /// Plaintext size of a stored blob in bytes; nil when the index does not have it.
    package func blobSize(_ type: BlobType, _ id: Digest) -> Int? { index.plaintextLength(BlobHandle(type, id)) }

    /// Reads a blob, trying every copy until one is whole.
    ///
    /// - Throws: `.missing` when the index has no copy, else the error of the last copy.
    package func loadBlob(_ type: BlobType, _ id: Digest) throws(RepositoryError) -> [UInt8] {
        let handle = BlobHandle(type, id)
        var failure: RepositoryError?
        for location in index.locations(handle) {
            do throws(RepositoryError) {
                return try store.loadBlob(handle, pack: location.pack, location.record)
            } catch {
                failure = error
            }
        }
        throw failure
            ?? RepositoryError(
                .missing, Phrase(vi: "không có \(type.name) \(id.hex) trong chỉ mục", en: "\(type.name) \(id.hex) is in no index"))
    }

    /// Stores a blob unless it is stored, or being stored by another thread.
    ///
    /// Compression and encryption happen on the calling thread, and the verification of a pack that it fills. The blob is safe after ``flush()``.
    ///
    /// - Parameters:
    ///   - id: SHA-256 of `plaintext`, which is verified before the pack of the blob is published.
    ///   - plaintext: At most 1 GiB; not kept.
    /// - Throws: The first failure of any thread; after one, nothing more is written.
    package func storeBlob(
        _ type: BlobType, _ id: Digest, _ plaintext: UnsafeRawBufferPointer
    ) throws(RepositoryError) -> StoredBlob {
        if let failure = writer.failure { throw failure }
        guard plaintext.count <= ObjectStore.blobLimitBytes else {
            throw RepositoryError(
                .invalidArgument,
                Phrase(vi: "blob \(plaintext.count) byte vượt giới hạn 1 GiB", en: "a blob of \(plaintext.count) bytes exceeds the limit of 1 GiB"))
        }
        let handle = BlobHandle(type, id)
        guard index.claim(handle) else { return StoredBlob(isNew: false, storedBytes: 0) }
        do throws(RepositoryError) {
            let added = try store.contexts.use { (context) throws(RepositoryError) in
                try unsafe context.encodeBlob(handle, plaintext, compressing: isCompressing(type)) { sealed, length in
                    Result { () throws(RepositoryError) in
                        // The memory of the context, which is its own again after this call.
                        let memory = unsafe UnsafeMutableRawBufferPointer(mutating: sealed)
                        try unsafe writer.add(handle, memory, uncompressedLength: length, with: context)
                        return sealed.count
                    }
                }
            }
            return StoredBlob(isNew: true, storedBytes: try added.get())
        } catch {
            index.giveUp(handle)
            writer.stop(error)
            throw error
        }
    }

    /// Format 1 knows no compression. Trees are always compressed in format 2, as restic does.
    private func isCompressing(_ type: BlobType) -> Bool {
        configuration.version >= 2 && (type == .tree || writing.compression != .off)
    }

    /// What storing a blob would do, without storing it.
    package func measureBlob(_ type: BlobType, _ id: Digest, _ plaintext: UnsafeRawBufferPointer) throws(RepositoryError) -> StoredBlob {
        let handle = BlobHandle(type, id)
        guard index.claim(handle) else { return StoredBlob(isNew: false, storedBytes: 0) }
        return try store.contexts.use { (context) throws(RepositoryError) in
            StoredBlob(
                isNew: true,
                storedBytes: try unsafe context.encodeBlob(handle, plaintext, compressing: isCompressing(type)) { sealed, _ in sealed.count })
        }
    }

    /// Stores a blob; see ``storeBlob(_:_:_:)-(_,_,UnsafeRawBufferPointer)``.
    package func storeBlob(_ type: BlobType, _ id: Digest, _ plaintext: [UInt8]) throws(RepositoryError) -> StoredBlob {
        try unsafe plaintext.withUnsafeBufferPointer { (buffer) throws(RepositoryError) -> StoredBlob in
            try unsafe storeBlob(type, id, UnsafeRawBufferPointer(buffer))
        }
    }

    /// Makes everything stored so far durable: packs first, then the index that names them.
    package func flush() throws(RepositoryError) { try writer.flush() }
}
