internal import Platform

/// The file `config`: sealed JSON, never compressed.
enum ConfigurationFile {
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
        text.endObject()
        return text.bytes
    }

    static func decode(_ bytes: [UInt8]) throws(JSONError) -> RepositoryConfiguration {
        var reader = try JSONReader(bytes, limit: sizeLimitBytes)
        var version: UInt64 = 0
        var id = ""
        var polynomial: UInt64?
        try reader.beginObject()
        while try reader.nextMember() {
            if reader.keyIs("version") {
                version = try reader.unsigned()
            } else if reader.keyIs("id") {
                id = try reader.string()
            } else if reader.keyIs("chunker_polynomial") {
                polynomial = UInt64(try reader.string(), radix: 16)
            } else {
                try reader.skipValue()
            }
        }
        try reader.end()
        guard let polynomial, let version = Int(exactly: version) else {
            throw reader.failure("version and chunker_polynomial")
        }
        return RepositoryConfiguration(version: version, id: id, chunkerPolynomial: polynomial)
    }
}
