internal import Platform

/// Enough free bytes, percent and inodes.
struct DiskSpaceProbe {
    let path: FilePath
    let minimumFreeBytes: UInt64?
    let minimumFreePercent: Double?
    let minimumFreeInodesPercent: Double?

    func run() async -> ProbeResult {
        let path = path
        do {
            // A thread of its own: statvfs on a dead mount does not come back, not even for SIGKILL.
            let space = try await OwnThread.run(name: "statvfs") { try FileSystemSpace.of(path) }
            return judge(space)
        } catch {
            return .failed("không xem được dung lượng", "cannot read the free space", error)
        }
    }

    func judge(_ space: FileSystemSpace) -> ProbeResult {
        let free = "\(shortBytes(space.freeBytes)) (\(shortNumber(space.freePercent)) %)"
        if let minimumFreeBytes, space.freeBytes < minimumFreeBytes {
            let limit = shortBytes(minimumFreeBytes)
            return .down("\(path): còn trống \(free), cần \(limit)", "\(path): \(free) free, \(limit) wanted")
        }
        if let minimumFreePercent, space.freePercent < minimumFreePercent {
            let limit = "\(shortNumber(minimumFreePercent)) %"
            return .down("\(path): còn trống \(free), cần \(limit)", "\(path): \(free) free, \(limit) wanted")
        }
        if let minimumFreeInodesPercent, space.freeInodesPercent < minimumFreeInodesPercent {
            let inodes = "\(shortNumber(space.freeInodesPercent)) %"
            let limit = "\(shortNumber(minimumFreeInodesPercent)) %"
            return .down("\(path): còn \(inodes) inode, cần \(limit)", "\(path): \(inodes) of the inodes free, \(limit) wanted")
        }
        return .up("\(path): còn trống \(free)", "\(path): \(free) free")
    }
}
