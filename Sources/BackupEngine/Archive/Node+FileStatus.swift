internal import Platform

extension Node.Kind {
    init(_ kind: FileStatus.Kind) {
        self =
            switch kind {
            case .file: .file
            case .directory: .dir
            case .symlink: .symlink
            case .fifo: .fifo
            case .socket: .socket
            case .blockDevice: .dev
            case .characterDevice: .chardev
            case .unknown: .irregular
            }
    }
}

extension Node {
    /// The node of an entry as restic would write it, without content, link target and extended attributes.
    ///
    /// The access time repeats the modification time, as restic does unless told otherwise: it would change every tree.
    init(name: [UInt8], _ status: FileStatus, _ accounts: AccountNames, withAccessTime: Bool = false) {
        self.init(name: name, kind: Kind(status.kind))
        mode = FileMode(status)
        modified = status.modified
        accessed = withAccessTime ? status.accessed : status.modified
        changed = status.changed
        uid = status.uid
        gid = status.gid
        user = accounts.user(status.uid)
        group = accounts.group(status.gid)
        inode = status.inode
        deviceID = status.device
        switch kind {
        case .file:
            size = status.sizeBytes
            links = status.links
            content = []
        case .symlink: links = status.links
        case .dev, .chardev:
            links = status.links
            device = status.specialDevice
        case .dir, .fifo, .socket, .irregular, .unknown: break
        }
    }
}
