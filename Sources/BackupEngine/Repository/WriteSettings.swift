/// How hard blobs are compressed. The names are restic's.
package enum Compression: String, Sendable, CaseIterable {
    case off, auto, max, fastest, better
}

/// How a repository object writes; nothing in the repository depends on it.
package struct WriteSettings: Sendable, Hashable {
    package var compression: Compression
    /// A pack is finished when its blobs reach this size.
    package var packSizeBytes: Int

    /// What restic takes for `--pack-size`, in MiB.
    package static let packSizeRangeMiB = 4...128

    package init(compression: Compression = .auto, packSizeBytes: Int = 16 << 20) {
        self.compression = compression
        self.packSizeBytes = packSizeBytes
    }
}
