package import Platform

/// An attribute that a comparison can find different.
package enum Attribute: UInt8, Sendable, CaseIterable, Codable {
    case kind, permissions, owner, group, size, modified, changed, content, linkTarget, extendedAttributes, links, inode,
        device, specialDevice

    /// The name in JSON.
    package var code: String {
        switch self {
        case .kind: "kind"
        case .permissions: "permissions"
        case .owner: "uid"
        case .group: "gid"
        case .size: "size"
        case .modified: "mtime"
        case .changed: "ctime"
        case .content: "content"
        case .linkTarget: "linkTarget"
        case .extendedAttributes: "xattrs"
        case .links: "links"
        case .inode: "inode"
        case .device: "device"
        case .specialDevice: "specialDevice"
        }
    }

    package var name: Phrase {
        switch self {
        case .kind: Phrase(vi: "loại", en: "type")
        case .permissions: Phrase(vi: "quyền truy cập", en: "permissions")
        case .owner: Phrase(vi: "chủ sở hữu", en: "owner")
        case .group: Phrase(vi: "nhóm", en: "group")
        case .size: Phrase(vi: "kích thước", en: "size")
        case .modified: Phrase(vi: "thời điểm sửa nội dung", en: "modification time")
        case .changed: Phrase(vi: "thời điểm đổi thuộc tính", en: "change time")
        case .content: Phrase(vi: "nội dung", en: "content")
        case .linkTarget: Phrase(vi: "đích của liên kết", en: "link target")
        case .extendedAttributes:
            Phrase(vi: "thuộc tính mở rộng (ACL, capability)", en: "extended attributes (ACL, capabilities)")
        case .links: Phrase(vi: "số liên kết cứng", en: "number of hard links")
        case .inode: Phrase(vi: "số inode", en: "inode number")
        case .device: Phrase(vi: "thiết bị lưu trữ", en: "storage device")
        case .specialDevice: Phrase(vi: "số hiệu thiết bị", en: "device number")
        }
    }
}

/// A set of attributes.
package struct AttributeSet: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }
    package init(_ attributes: Attribute...) {
        rawValue = attributes.reduce(0) { $0 | 1 << UInt16($1.rawValue) }
    }

    package func contains(_ attribute: Attribute) -> Bool { rawValue & 1 << UInt16(attribute.rawValue) != 0 }
    mutating func insert(_ attribute: Attribute) { self = AttributeSet(rawValue: rawValue | 1 << UInt16(attribute.rawValue)) }
    /// The members in the order of their declaration.
    package var members: [Attribute] { Attribute.allCases.filter(contains) }
}

/// Which differences make a change.
///
/// Inode, storage device and (against the approved state) change time differ after a harmless restore, remount or restart and
/// prove nothing when content, owner and permissions are the same; they are listed once something else differs.
/// A directory's size, times and links only repeat what is reported for its entries. Times of pipes and devices change with use.
package enum Significance: Sendable {
    /// Is the state the one that people approved?
    case approved
    /// Has anything been touched since it was last seen?
    case observed
    /// Is the record still true in every detail?
    case exact

    func attributes(of kind: FileStatus.Kind) -> AttributeSet {
        if self == .exact { return AttributeSet(rawValue: .max) }
        var result = AttributeSet(.kind, .permissions, .owner, .group, .extendedAttributes, .content, .linkTarget, .specialDevice)
        switch kind {
        case .file: result.formUnion(AttributeSet(.size, .modified, .links))
        case .symlink: result.formUnion(AttributeSet(.modified))
        default: return result
        }
        if self == .observed { result.formUnion(AttributeSet(.changed)) }
        return result
    }
}

extension FileRecord {
    /// All attributes that differ. A hash that could not be made is different from nothing: it is unknown.
    package func differences(from other: FileRecord) -> AttributeSet {
        var result = AttributeSet()
        if kind != other.kind { result.insert(.kind) }
        if permissions != other.permissions { result.insert(.permissions) }
        if uid != other.uid { result.insert(.owner) }
        if gid != other.gid { result.insert(.group) }
        if sizeBytes != other.sizeBytes { result.insert(.size) }
        if modified != other.modified { result.insert(.modified) }
        if changed != other.changed { result.insert(.changed) }
        if linkTarget != other.linkTarget { result.insert(.linkTarget) }
        if links != other.links { result.insert(.links) }
        if inode != other.inode { result.insert(.inode) }
        if device != other.device { result.insert(.device) }
        if specialDevice != other.specialDevice { result.insert(.specialDevice) }
        if case .sha256(let mine) = content, case .sha256(let theirs) = other.content, mine != theirs {
            result.insert(.content)
        }
        switch (extendedAttributes, other.extendedAttributes) {
        case (.notRead, _), (_, .notRead): break
        case (let mine, let theirs): if mine != theirs { result.insert(.extendedAttributes) }
        }
        return result
    }
}
