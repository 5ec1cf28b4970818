package import Platform

/// The files of a repository one by one: what `list` and `cat` show.
extension Repository {
    /// Everything of one type, by ID.
    package func listFiles(_ type: FileType) throws(RepositoryError) -> [StoredFile] { try store.backend.list(type) }

    /// Finds one file by the first digits of its ID.
    ///
    /// - Throws: `.missing` when there is none, `.invalidArgument` when there are several.
    package func findFile(_ type: FileType, _ prefix: String) throws(RepositoryError) -> StoredFile {
        let wanted = prefix.lowercased()
        let matches = try store.backend.list(type).filter { !wanted.isEmpty && $0.id.hex.hasPrefix(wanted) }
        guard let first = matches.first else {
            throw RepositoryError(
                .missing,
                Phrase(
                    vi: "không có \(type.label) '\(escapedForDisplay(prefix))'", en: "there is no \(type.label) '\(escapedForDisplay(prefix))'"))
        }
        if matches.count > 1 {
            throw RepositoryError(
                .invalidArgument,
                Phrase(
                    vi: "'\(escapedForDisplay(prefix))' chỉ đến nhiều \(type.label)", en: "'\(escapedForDisplay(prefix))' means several \(type.label) files"),
                hint: Phrase(vi: "gõ thêm chữ số của mã", en: "give more digits of the ID"))
        }
        return first
    }

    /// The opened content of an index, snapshot or lock file, or a key file as it is stored: JSON.
    package func readDocument(_ type: FileType, _ id: Digest) throws(RepositoryError) -> [UInt8] {
        if type == .key { return try store.backend.load(.key, id, limit: ObjectStore.documentLimitBytes) }
        return try store.loadDocument(type, id, limit: IndexFile.sizeLimitBytes)
    }

    /// The opened file `config`: JSON.
    package func readConfiguration() throws(RepositoryError) -> [UInt8] {
        let sealed = try store.backend.loadConfiguration(limit: ConfigurationFile.sizeLimitBytes)
        return try store.contexts.use { (context) throws(RepositoryError) in
            do throws(SealError) {
                return try context.open(sealed)
            } catch {
                throw .corrupt(Phrase(vi: "tệp config bị hỏng", en: "the file config is damaged"), cause: error)
            }
        }
    }

    /// The key that opens everything, as it stands inside the key files: JSON.
    package var masterKeyDocument: [UInt8] { master.json }

    /// A pack as it is stored, part by part; nothing is checked but its hash.
    ///
    /// - Returns: True when the content has the hash that is its name.
    package func readPack(_ pack: StoredFile, _ emit: ([UInt8]) throws(RepositoryError) -> Void) throws(RepositoryError) -> Bool {
        let partBytes = 4 << 20
        var hasher = try Self.hasher()
        var offset: UInt64 = 0
        while offset < pack.sizeBytes {
            var part = [UInt8](repeating: 0, count: Int(min(UInt64(partBytes), pack.sizeBytes - offset)))
            try unsafe part.withUnsafeMutableBufferPointer { (bytes) throws(RepositoryError) -> Void in
                try unsafe store.backend.read(.pack, pack.id, offset: offset, into: UnsafeMutableRawBufferPointer(bytes))
            }
            do throws(CryptoError) { try hasher.update(part) } catch { throw .crypto(error) }
            offset += UInt64(part.count)
            try emit(part)
        }
        do throws(CryptoError) { return try hasher.finish() == pack.id } catch { throw .crypto(error) }
    }

    private static func hasher() throws(RepositoryError) -> SHA256 {
        do throws(CryptoError) { return try SHA256() } catch { throw .crypto(error) }
    }

    /// The blobs of a pack as its own header lists them.
    package func readPackHeader(_ pack: StoredFile) throws(RepositoryError) -> [PackEntry] { try store.loadPackHeader(pack) }

    /// All blobs that the loaded index knows, pack by pack.
    package func indexedPacks() -> [(id: Digest, entries: [PackEntry])] { index.packs() }

    /// Every place of a blob: its pack and where it lies in it.
    package func locations(of type: BlobType, _ id: Digest) -> [(pack: Digest, offset: UInt32, length: UInt32)] {
        index.locations(BlobHandle(type, id)).map { (pack: $0.pack, offset: $0.record.offset, length: $0.record.length) }
    }

    /// Packs that hold something a snapshot needs, by ID.
    package func packs(of snapshot: Snapshot) throws(RepositoryError) -> [Digest] {
        var packs = Set(locations(of: .tree, snapshot.tree).map(\.pack))
        var seen: Set<Digest> = [snapshot.tree]
        try SnapshotWalk(repository: self).run(snapshot.tree) { (entry) throws(RepositoryError) in
            for id in entry.node.content ?? [] { packs.formUnion(locations(of: .data, id).map(\.pack)) }
            guard let subtree = entry.node.subtree else { return .enter }
            packs.formUnion(locations(of: .tree, subtree).map(\.pack))
            return seen.insert(subtree).inserted ? .enter : .pass
        }
        return packs.sorted()
    }
}

/// JSON for people: two spaces per level, as Go's `MarshalIndent` writes it.
package enum IndentedJSON {
    /// - Parameter bytes: Valid JSON; anything else comes out as it went in, spread over lines.
    package static func text(_ bytes: [UInt8]) -> String {
        var result: [UInt8] = []
        var depth = 0
        var isInString = false
        var isEscaped = false
        func newLine() {
            result.append(UInt8(ascii: "\n"))
            result.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
        }
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if isInString {
                result.append(byte)
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""):
                isInString = true
                result.append(byte)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                result.append(byte)
                if index < bytes.count, bytes[index] == UInt8(ascii: "}") || bytes[index] == UInt8(ascii: "]") {
                    result.append(bytes[index])
                    index += 1
                } else {
                    depth += 1
                    newLine()
                }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth = max(0, depth - 1)
                newLine()
                result.append(byte)
            case UInt8(ascii: ","):
                result.append(byte)
                newLine()
            case UInt8(ascii: ":"): result += [byte, UInt8(ascii: " ")]
            case 0x20, 0x0A, 0x0D, 0x09: break
            default: result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
