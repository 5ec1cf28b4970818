internal import Platform

/// Index files: which blobs lie where in which packs. JSON, see "Indexing" in restic's design document.
enum IndexFile {
    /// restic cuts an index when a finished pack brings it to this many blobs; one pack can add 409 199 more.
    static let blobLimit = 50_000
    /// restic writes what it has when the oldest entry is this old.
    static let ageLimitSeconds = 600.0
    /// About 200 bytes per blob; the largest legal index is below 100 MiB.
    static let sizeLimitBytes = 256 << 20

    /// The plaintext of an index file, as restic writes it.
    static func encode(_ packs: [(id: Digest, entries: [PackEntry])]) -> [UInt8] {
        var text = JSONText()
        text.beginObject()
        text.key("packs")
        text.beginArray()
        for pack in packs {
            text.beginObject()
            text.key("id")
            text.digest(pack.id)
            text.key("blobs")
            text.beginArray()
            for entry in pack.entries {
                text.beginObject()
                text.key("id")
                text.digest(entry.id)
                text.key("type")
                text.string(entry.type.name)
                text.key("offset")
                text.number(UInt64(entry.offset))
                text.key("length")
                text.number(UInt64(entry.length))
                if entry.uncompressedLength != 0 {
                    text.key("uncompressed_length")
                    text.number(UInt64(entry.uncompressedLength))
                }
                text.endObject()
            }
            text.endArray()
            text.endObject()
        }
        text.endArray()
        text.endObject()
        text.append(UInt8(ascii: "\n"))
        return text.bytes
    }

    /// Reads an index file, pack by pack. Unknown fields are ignored, as restic does.
    ///
    /// - Parameter body: Gets a pack and its blobs, in the order of the file.
    static func decode(_ bytes: [UInt8], _ body: (Digest, [PackEntry]) -> Void) throws(JSONError) {
        var reader = try JSONReader(bytes, limit: sizeLimitBytes)
        var entries: [PackEntry] = []
        try reader.beginObject()
        while try reader.nextMember() {
            guard reader.keyIs("packs"), !reader.isNull() else {
                if !reader.keyIs("packs") { try reader.skipValue() }
                continue
            }
            try reader.beginArray()
            while try reader.nextElement() {
                entries.removeAll(keepingCapacity: true)
                let id = try decodePack(&reader, &entries)
                body(id, entries)
            }
        }
        try reader.end()
    }

    private static func decodePack(_ reader: inout JSONReader, _ entries: inout [PackEntry]) throws(JSONError) -> Digest {
        var id: Digest?
        try reader.beginObject()
        while try reader.nextMember() {
            if reader.keyIs("id") {
                id = try reader.digest()
            } else if reader.keyIs("blobs") {
                if reader.isNull() { continue }
                try reader.beginArray()
                while try reader.nextElement() { entries.append(try decodeBlob(&reader)) }
            } else {
                try reader.skipValue()
            }
        }
        guard let id else { throw reader.failure("the id of a pack") }
        return id
    }

    private static func decodeBlob(_ reader: inout JSONReader) throws(JSONError) -> PackEntry {
        var id: Digest?
        var type: BlobType?
        var (offset, length, uncompressedLength): (UInt32, UInt32, UInt32) = (0, 0, 0)
        try reader.beginObject()
        while try reader.nextMember() {
            if reader.keyIs("id") {
                id = try reader.digest()
            } else if reader.keyIs("type") {
                let name = try reader.string()
                type = name == "data" ? .data : name == "tree" ? .tree : nil
            } else if reader.keyIs("offset") {
                offset = try reader.unsigned32()
            } else if reader.keyIs("length") {
                length = try reader.unsigned32()
            } else if reader.keyIs("uncompressed_length") {
                uncompressedLength = try reader.unsigned32()
            } else {
                try reader.skipValue()
            }
        }
        guard let id, let type, length >= UInt32(Sealing.overhead), !offset.addingReportingOverflow(length).overflow else {
            throw reader.failure("a blob with id, type, offset and length")
        }
        return PackEntry(type: type, id: id, offset: offset, length: length, uncompressedLength: uncompressedLength)
    }
}
