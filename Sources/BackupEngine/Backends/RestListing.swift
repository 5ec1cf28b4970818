package import Platform

/// What a REST server answers to `GET {type}/`: names alone (version 1) or names with sizes (version 2).
///
/// Names that are no IDs in lowercase are skipped, as in a directory.
package enum RestListing {
    /// A list of a million files is a tenth of this.
    package static let sizeLimitBytes = 1 << 30

    /// Version 1: `["name", ...]`.
    ///
    /// - Throws: `.storage` when it is none.
    package static func names(_ bytes: [UInt8]) throws(RepositoryError) -> [Digest] {
        var result: [Digest] = []
        do throws(JSONError) {
            var reader = try JSONReader(bytes, limit: sizeLimitBytes)
            if reader.isNull() { return [] }
            try reader.beginArray()
            while try reader.nextElement() {
                if let id = Self.id(try reader.string()) { result.append(id) }
            }
            try reader.end()
        } catch {
            throw malformed(error)
        }
        return result.sorted()
    }

    /// Version 2: `[{"name": "...", "size": n}, ...]`.
    ///
    /// - Throws: `.storage` when it is none.
    package static func files(_ bytes: [UInt8]) throws(RepositoryError) -> [StoredFile] {
        var result: [StoredFile] = []
        do throws(JSONError) {
            var reader = try JSONReader(bytes, limit: sizeLimitBytes)
            // Go writes an empty list as null.
            if reader.isNull() { return [] }
            try reader.beginArray()
            while try reader.nextElement() {
                if let file = try file(&reader) { result.append(file) }
            }
            try reader.end()
        } catch {
            throw malformed(error)
        }
        return result.sorted { $0.id < $1.id }
    }

    private static func file(_ reader: inout JSONReader) throws(JSONError) -> StoredFile? {
        var id: Digest?
        var size: UInt64?
        try reader.beginObject()
        while try reader.nextMember() {
            if reader.keyIs("name") {
                id = Self.id(try reader.string())
            } else if reader.keyIs("size") {
                size = try reader.unsigned()
            } else {
                try reader.skipValue()
            }
        }
        guard let id else { return nil }
        guard let size else { throw reader.failure("size") }
        return StoredFile(id: id, sizeBytes: size)
    }

    private static func id(_ name: String) -> Digest? {
        guard name.utf8.count == 64, let id = Digest(hex: name), id.hex == name else { return nil }
        return id
    }

    private static func malformed(_ error: JSONError) -> RepositoryError {
        RepositoryError(
            .storage,
            Phrase(vi: "danh sách của máy chủ sai dạng: \(error.message.vi)", en: "the list of the server is malformed: \(error.message.en)"),
            cause: error)
    }
}
