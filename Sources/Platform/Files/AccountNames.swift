internal import Glibc
internal import Synchronization

/// Names of users and groups by number, remembered: a backup asks the same few again and again.
package final class AccountNames: Sendable {
    private struct Known {
        var users: [UInt32: String] = [:]
        var groups: [UInt32: String] = [:]
    }
    private let known = Mutex(Known())

    package init() {}

    /// The name of a user; empty when the system knows none.
    package func user(_ uid: UInt32) -> String {
        known.withLock { known in
            if let name = known.users[uid] { return name }
            let name = Self.look { buffer, size in
                var entry = unsafe passwd()
                var found: UnsafeMutablePointer<passwd>?
                let status = unsafe getpwuid_r(uid, &entry, buffer, size, &found)
                return unsafe (status, found.flatMap { unsafe $0.pointee.pw_name }.map { unsafe String(cString: $0) })
            }
            known.users[uid] = name
            return name
        }
    }

    /// The name of a group; empty when the system knows none.
    package func group(_ gid: UInt32) -> String {
        known.withLock { known in
            if let name = known.groups[gid] { return name }
            let name = Self.look { buffer, size in
                var entry = unsafe Glibc.group()
                var found: UnsafeMutablePointer<Glibc.group>?
                let status = unsafe getgrgid_r(gid, &entry, buffer, size, &found)
                return unsafe (status, found.flatMap { unsafe $0.pointee.gr_name }.map { unsafe String(cString: $0) })
            }
            known.groups[gid] = name
            return name
        }
    }

    /// Asks with a larger buffer as long as the answer is ERANGE, up to 1 MiB (a group can have thousands of members).
    @safe private static func look(_ ask: (UnsafeMutablePointer<CChar>, Int) -> (Int32, String?)) -> String {
        var capacity = 1024
        while capacity <= 1 << 20 {
            let memory = UnsafeMutablePointer<CChar>.allocate(capacity: capacity)
            defer { unsafe memory.deallocate() }
            let (status, name) = unsafe ask(memory, capacity)
            if status == EINTR { continue }
            if status != ERANGE { return name ?? "" }
            capacity *= 4
        }
        return ""
    }
}
