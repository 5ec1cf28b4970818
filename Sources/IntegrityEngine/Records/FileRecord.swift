package import Platform

/// What is known of one path at one moment: the attributes of the entry itself (links are not followed) and the hash of its content.
///
/// The canonical bytes and their versions are described in `FileRecord+Encoding.swift`.
package struct FileRecord: Sendable, Hashable {
    /// Why there is no hash where one should be. Never replaced by a made-up hash.
    package enum NotHashedReason: UInt8, Sendable, Hashable, CaseIterable {
        /// The scanning process may not read it.
        case permission = 1
        /// It changed under the hash, again and again.
        case unstable = 2
        /// The medium or the file system failed.
        case inputOutput = 3
        /// The kernel refused for another reason; the finding of the scan names it.
        case other = 4
        /// The directory lies deeper than ``TreeWalk/maximumDepth``.
        case tooDeep = 5
    }

    /// The content of a regular file, or, for a directory, whether its entries could be listed.
    package enum Content: Sendable, Hashable {
        /// Nothing to hash: not a regular file. For a directory: it was listed.
        case none
        case sha256(Digest)
        case notHashed(NotHashedReason)
    }

    /// All extended attributes, access control lists and capabilities included, hashed together.
    package enum ExtendedAttributes: Sendable, Hashable {
        case none
        case sha256(Digest)
        case notRead(NotHashedReason)
    }

    package var path: FilePath
    package var kind: FileStatus.Kind
    /// The twelve permission bits.
    package var permissions: UInt16
    package var uid: UInt32
    package var gid: UInt32
    package var sizeBytes: UInt64
    package var modified: Timestamp
    package var changed: Timestamp
    package var inode: UInt64
    package var links: UInt64
    package var device: UInt64
    /// What a device file stands for; 0 for everything else.
    package var specialDevice: UInt64
    /// The target of a symbolic link; empty for everything else.
    package var linkTarget: [UInt8]
    package var extendedAttributes: ExtendedAttributes
    package var content: Content

    package init(
        path: FilePath, status: FileStatus, linkTarget: [UInt8] = [], extendedAttributes: ExtendedAttributes = .none,
        content: Content = .none
    ) {
        self.path = path
        kind = status.kind
        permissions = UInt16(truncatingIfNeeded: status.permissions)
        uid = status.uid
        gid = status.gid
        sizeBytes = status.sizeBytes
        modified = status.modified
        changed = status.changed
        inode = status.inode
        links = status.links
        device = status.device
        let isDevice = status.kind == .blockDevice || status.kind == .characterDevice
        specialDevice = isDevice ? status.specialDevice : 0
        self.linkTarget = linkTarget
        self.extendedAttributes = extendedAttributes
        self.content = content
    }

    /// True when hash and extended attributes of this record still hold for a file of this status: nobody can change either
    /// without a new change time, short of setting the clock back.
    package func isReusable(for status: FileStatus) -> Bool {
        if case .notHashed = content { return false }
        if case .notRead = extendedAttributes { return false }
        return kind == status.kind && sizeBytes == status.sizeBytes && modified == status.modified
            && changed == status.changed && inode == status.inode && device == status.device
    }
}
