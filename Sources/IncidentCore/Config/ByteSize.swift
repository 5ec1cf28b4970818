internal import Platform

/// Amounts of storage as people write them: `500MB` (powers of 1000), `5GiB` (powers of 1024).
package enum ByteSize {
    static let hint = Phrase(
        vi: "ghi số kèm đơn vị KB, MB, GB, TB (hệ 1000) hoặc KiB, MiB, GiB, TiB (hệ 1024)",
        en: "write a number with its unit KB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (powers of 1024)")

    private static let units: [(name: String, bytes: UInt64)] = [
        ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("B", 1),
    ]

    /// Bytes; nil when `text` is no whole number with a unit, or too large.
    package static func bytes(_ text: String) -> UInt64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = UInt64(digits), let unit = units.first(where: { $0.name == text.dropFirst(digits.count) }) else {
            return nil
        }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: unit.bytes)
        return overflow ? nil : bytes
    }
}
