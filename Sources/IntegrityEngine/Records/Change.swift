package import Platform

/// A difference between two states of one path.
package struct Change: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, Codable {
        case added = 1
        case removed = 2
        case changed = 3

        package var name: Phrase {
            switch self {
            case .added: Phrase(vi: "thêm mới", en: "added")
            case .removed: Phrase(vi: "bị xóa", en: "removed")
            case .changed: Phrase(vi: "thay đổi", en: "changed")
            }
        }
    }

    package let kind: Kind
    package let path: FilePath
    /// All that differs; empty for added and removed.
    package let attributes: AttributeSet
    package let before: FileRecord?
    package let after: FileRecord?

    /// The difference between two states; nil when there is none that matters.
    package init?(path: FilePath, before: FileRecord?, after: FileRecord?, significance: Significance) {
        switch (before, after) {
        case (nil, nil): return nil
        case (nil, .some):
            kind = .added
            attributes = []
        case (.some, nil):
            kind = .removed
            attributes = []
        case (.some(let old), .some(let new)):
            let differences = new.differences(from: old)
            let matters = significance.attributes(of: new.kind).union(significance.attributes(of: old.kind))
            if differences.isDisjoint(with: matters) { return nil }
            kind = .changed
            attributes = differences
        }
        self.path = path
        self.before = before
        self.after = after
    }

    /// The same difference has the same fingerprint, whoever finds it and however often: what makes repeated reports harmless.
    ///
    /// SHA-256 over "sentinel-change-1", kind, and for both states 0 or 1 followed by the canonical row.
    package func fingerprint() throws(CryptoError) -> Digest {
        var bytes = Array("sentinel-change-1".utf8)
        bytes.append(kind.rawValue)
        for state in [before, after] {
            bytes.append(state == nil ? 0 : 1)
            state?.appendCanonical(to: &bytes)
        }
        return try SHA256.hash(bytes)
    }
}
