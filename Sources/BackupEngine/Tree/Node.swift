package import Platform

/// One extended attribute; POSIX ACLs travel as `system.posix_acl_access` and `system.posix_acl_default`.
package struct ExtendedAttribute: Hashable, Sendable {
    package var name: [UInt8]
    package var value: [UInt8]

    package init(name: [UInt8], value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

/// One entry of a tree: a file, directory, link or device with its metadata.
package struct Node: Hashable, Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case file, dir, symlink, dev, chardev, fifo, socket, irregular
        /// No type, or one that no known version writes; never written by us.
        case unknown = ""
    }

    /// What Go writes for a time that was never set: 0001-01-01T00:00:00Z.
    package static let unsetTime = Timestamp(seconds: -62_135_596_800)

    /// One path component, in the bytes of the file system.
    package var name: [UInt8]
    package var kind: Kind
    package var mode = FileMode(rawValue: 0)
    package var modified = Node.unsetTime
    package var accessed = Node.unsetTime
    package var changed = Node.unsetTime
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    package var user = ""
    package var group = ""
    package var inode: UInt64 = 0
    package var deviceID: UInt64 = 0
    /// Bytes of content; regular files only.
    package var size: UInt64 = 0
    package var links: UInt64 = 0
    /// Where a symbolic link points, in the bytes of the file system.
    package var linkTarget: [UInt8] = []
    package var extendedAttributes: [ExtendedAttribute] = []
    /// `st_rdev` of a device.
    package var device: UInt64 = 0
    /// The blobs of a file in order; nil for everything else.
    package var content: [Digest]?
    /// The tree of a directory; nil for everything else.
    package var subtree: Digest?
    package var error = ""

    package init(name: [UInt8], kind: Kind) {
        self.name = name
        self.kind = kind
    }

    /// True when ``name`` can be the name of one directory entry: nothing that leads elsewhere.
    package var hasSafeName: Bool { Self.isSafeName(name) }

    package static func isSafeName(_ name: [UInt8]) -> Bool {
        !name.isEmpty && name.count <= 4096 && name != [UInt8(ascii: ".")] && name != Array("..".utf8)
            && !name.contains(FilePath.slash) && !name.contains(0)
    }
}
