internal import Platform

extension Base64 {
    /// Appends the text of `bytes`.
    static func append(_ bytes: [UInt8], to output: inout [UInt8]) { output.append(contentsOf: encode(bytes).utf8) }
}
