internal import Platform

/// The file `config`: sealed JSON, never compressed.
enum ConfigurationFile {
    /// A chunker that this program does not have: cutting with another one would silently store everything twice.
    struct UnknownChunker: Error {
        let name: String
    }

    /// The sealed file; rustic's extra fields included it stays far below this.
    static let sizeLimitBytes = 64 * 1024

    static func encode(_ configuration: RepositoryConfiguration) -> [UInt8] {
        var text = JSONText()
        text.beginObject()
        text.key("version")
        text.number(UInt64(configuration.version))
        text.key("id")
        text.string(configuration.id)
        text.key("chunker_polynomial")
        text.string(String(configuration.chunkerPolynomial, radix: 16))
        // A member of ours: restic ignores it, and cuts what it stores itself by the polynomial.
        if case .gear(let key) = configuration.chunker {
            text.key("sentinel_chunker")
            text.beginObject()
            text.key("algorithm")
            text.string(configuration.chunker.name)
            text.key("key")
            text.base64(key)
            text.endObject()
        }
        text.endObject()
        return text.bytes
    }

    /// - Throws: `JSONError`, or ``UnknownChunker``.
    static func decode(_ bytes: [UInt8]) throws -> RepositoryConfiguration {
        var reader = try JSONReader(bytes, limit: sizeLimitBytes)
        var version: UInt64 = 0
        var id = ""
        var polynomial: UInt64?
        var chunker = RepositoryConfiguration.Chunker.rabin
        try reader.beginObject()
        while try reader.nextMember() {
            if reader.keyIs("version") {
                version = try reader.unsigned()
            } else if reader.keyIs("id") {
                id = try reader.string()
            } else if reader.keyIs("chunker_polynomial") {
                polynomial = UInt64(try reader.string(), radix: 16)
            } else if reader.keyIs("sentinel_chunker") {
                chunker = try decodeChunker(&reader)
            } else {
                try reader.skipValue()
            }
        }
        try reader.end()
        guard let polynomial, let version = Int(exactly: version) else {
            throw reader.failure("version and chunker_polynomial")
        }
        return RepositoryConfiguration(version: version, id: id, chunkerPolynomial: polynomial, chunker: chunker)
    }

    private static func decodeChunker(_ reader: inout JSONReader) throws -> RepositoryConfiguration.Chunker {
        var name = ""
        var key: [UInt8] = []
        try reader.beginObject()
        while try reader.nextMember() {
            if reader.keyIs("algorithm") {
                name = try reader.string()
            } else if reader.keyIs("key") {
                key = try reader.base64()
            } else {
                try reader.skipValue()
            }
        }
        guard name == "gear" else { throw UnknownChunker(name: name) }
        guard key.count == GearTable.keyBytes else { throw reader.failure("a chunker key of \(GearTable.keyBytes) bytes") }
        return .gear(key: key)
    }
}
