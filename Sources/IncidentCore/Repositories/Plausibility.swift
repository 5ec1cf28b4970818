package import Platform

/// Why a snapshot does not look like the successor of the one before it.
package enum Doubt: String, Codable, Sendable, CaseIterable {
    case filesLost
    case bytesLost
    /// New data that cannot be compressed, where this job's data always could: what encryption looks like from outside.
    case incompressible

    package var title: Phrase {
        switch self {
        case .filesLost: Phrase(vi: "mất phần lớn số tệp", en: "most files are gone")
        case .bytesLost: Phrase(vi: "mất phần lớn dung lượng", en: "most of the content is gone")
        case .incompressible: Phrase(vi: "dữ liệu mới không nén được, như bị mã hóa", en: "new data does not compress, as if encrypted")
        }
    }
}

/// Compares a new snapshot with those of its job that are trusted. Pure: the numbers come in, doubts come out.
package enum Plausibility {
    /// The sizes of one snapshot.
    package struct Sizes: Sendable, Equatable {
        package var files: Int64
        package var bytes: Int64
        package var added: Int64
        package var stored: Int64

        package init(files: Int64, bytes: Int64, added: Int64, stored: Int64) {
            self.files = files
            self.bytes = bytes
            self.added = added
            self.stored = stored
        }
    }

    /// Below so many files, or bytes, a predecessor says nothing about what is usual.
    static let fewFiles: Int64 = 10
    static let fewBytes: Int64 = 1 << 20
    /// New data of at least this many bytes, and at least a tenth of everything, is much.
    static let muchAdded: Int64 = 4 << 20
    /// Stored bytes per byte, in thousandths: from here on data counts as incompressible.
    static let incompressibleFrom: Int64 = 970
    /// The job's usual data must have been below this for the comparison to say anything.
    static let usuallyBelow: Int64 = 900

    /// - Parameters:
    ///   - reference: The newest trusted snapshot of the job in the same repository; nil: there is none to be displaced.
    ///   - usual: All data that trusted snapshots of the job added there, and what it took.
    package static func doubts(
        about new: Sizes, reference: Sizes?, usual: (added: Int64, stored: Int64)
    ) -> [Doubt] {
        guard let reference else { return [] }
        var doubts: [Doubt] = []
        if reference.files >= fewFiles, new.files < reference.files / 2 { doubts.append(.filesLost) }
        if reference.bytes >= fewBytes, new.bytes < reference.bytes / 2 { doubts.append(.bytesLost) }
        if new.added >= muchAdded, new.added >= new.bytes / 10, isIncompressible(added: new.added, stored: new.stored, from: incompressibleFrom),
            usual.added >= fewBytes, !isIncompressible(added: usual.added, stored: usual.stored, from: usuallyBelow)
        {
            doubts.append(.incompressible)
        }
        return doubts
    }

    private static func isIncompressible(added: Int64, stored: Int64, from thousandths: Int64) -> Bool {
        added > 0 && Double(stored) * 1000 >= Double(added) * Double(thousandths)
    }
}
