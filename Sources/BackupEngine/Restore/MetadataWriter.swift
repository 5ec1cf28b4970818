internal import Glibc
internal import Platform

/// Sets what a node says about an entry besides its content: owner, extended attributes, times, permissions, in this order.
///
/// The order matters: changing the owner clears setuid, an ACL changes the group bits, and attributes must not come after the times of the
/// directory were set. A step that fails does not keep the later ones from being tried; the first failure is thrown at the end.
struct MetadataWriter {
    let run: RestoreRun

    /// An open file or directory of ours.
    ///
    /// - Parameter traits: What is known of an entry that was just made; nothing by default.
    func apply(
        _ node: Node, to file: borrowing FileDescriptor, traits: DirectoryTraits = DirectoryTraits()
    ) throws(SystemError) {
        var failure: SystemError?
        if !(traits.givesOwnFiles && isOurs(node)) {
            attempt(&failure) { () throws(SystemError) in try file.setOwner(uid: node.uid, gid: node.gid) }
        }
        if !(traits.passesNoACL && node.extendedAttributes.isEmpty) {
            var existing: [(name: [UInt8], value: [UInt8])] = []
            attempt(&failure) { () throws(SystemError) in existing = try ExtendedAttributes.all(of: file) }
            for name in superfluous(existing, node) {
                attempt(&failure) { () throws(SystemError) in try ExtendedAttributes.remove(name, of: file) }
            }
            for attribute in missing(existing, node) {
                attempt(&failure) { () throws(SystemError) in try ExtendedAttributes.set(attribute.name, to: attribute.value, of: file) }
            }
        }
        if node.modified != Node.unsetTime {
            attempt(&failure) { () throws(SystemError) in try file.setTimes(accessed: Self.accessed(node), modified: node.modified) }
        }
        attempt(&failure) { () throws(SystemError) in try file.setPermissions(node.mode.permissions) }
        if let failure { throw failure }
    }

    /// A symbolic link, pipe or device; it is not opened.
    func apply(
        _ node: Node, toEntryOf directory: borrowing FileDescriptor, traits: DirectoryTraits = DirectoryTraits()
    ) throws(SystemError) {
        var failure: SystemError?
        let name = node.name
        if !(traits.givesOwnFiles && isOurs(node)) {
            attempt(&failure) { () throws(SystemError) in try directory.setOwnerOfEntry(name, uid: node.uid, gid: node.gid) }
        }
        if !(traits.passesNoACL && node.extendedAttributes.isEmpty) {
            var existing: [(name: [UInt8], value: [UInt8])] = []
            attempt(&failure) { () throws(SystemError) in existing = try ExtendedAttributes.all(ofEntry: name, in: directory) }
            for attribute in superfluous(existing, node) {
                attempt(&failure) { () throws(SystemError) in try ExtendedAttributes.remove(attribute, ofEntry: name, in: directory) }
            }
            for attribute in missing(existing, node) {
                attempt(&failure) { () throws(SystemError) in
                    try ExtendedAttributes.set(attribute.name, to: attribute.value, ofEntry: name, in: directory)
                }
            }
        }
        if node.modified != Node.unsetTime {
            attempt(&failure) { () throws(SystemError) in
                try directory.setTimesOfEntry(name, accessed: Self.accessed(node), modified: node.modified)
            }
        }
        if node.kind != .symlink {
            attempt(&failure) { () throws(SystemError) in try directory.setPermissionsOfEntry(name, node.mode.permissions) }
        }
        if let failure { throw failure }
    }

    private func isOurs(_ node: Node) -> Bool { node.uid == run.user && node.gid == run.group }

    private static func accessed(_ node: Node) -> Timestamp {
        node.accessed == Node.unsetTime ? node.modified : node.accessed
    }

    /// Attributes that the entry must lose, an inherited ACL for instance.
    private func superfluous(_ existing: [(name: [UInt8], value: [UInt8])], _ node: Node) -> [[UInt8]] {
        // The label belongs to the policy of this machine; the kernel sets it on every new file.
        existing.map(\.name).filter { name in
            name != Array("security.selinux".utf8) && run.isWanted(attribute: name)
                && !node.extendedAttributes.contains { $0.name == name }
        }
    }

    /// Attributes that the entry has not, or not with this value.
    private func missing(_ existing: [(name: [UInt8], value: [UInt8])], _ node: Node) -> [ExtendedAttribute] {
        node.extendedAttributes.filter { attribute in
            run.isWanted(attribute: attribute.name) && !existing.contains { $0.name == attribute.name && $0.value == attribute.value }
        }
    }

    /// Tries one step. What only root may do, and what this file system cannot, is counted; the first real failure is kept.
    private func attempt(_ failure: inout SystemError?, _ step: () throws(SystemError) -> Void) {
        do {
            try step()
        } catch {
            let isRefused = (error.isPermission || error.number == EINVAL) && !run.isRoot
            if isRefused || error.number == ENOTSUP {
                run.count { $0.metadataSkipped += 1 }
            } else if failure == nil {
                failure = error
            }
        }
    }
}
