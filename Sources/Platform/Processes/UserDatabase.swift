internal import Glibc

/// One user of this system.
package struct Account: Sendable, Hashable {
    package let name: String
    package let uid: UInt32
    /// The primary group.
    package let gid: UInt32
    package let home: FilePath

    package init(name: String, uid: UInt32, gid: UInt32, home: FilePath = "/") {
        self.name = name
        self.uid = uid
        self.gid = gid
        self.home = home
    }
}

/// Users and groups as the C library's name service sees them. Blocks; with a directory service, for a while.
package enum UserDatabase {
    /// An answer that needs more than this is refused; the largest real groups need some 100 KiB.
    private static let bufferLimitBytes = 1 << 20

    /// The user with this uid, or nil when there is none.
    package static func account(uid: UInt32) throws(SystemError) -> Account? {
        try unsafe lookUpAccount("getpwuid_r", subject: String(uid)) { entry, buffer, count, result in
            unsafe getpwuid_r(uid, entry, buffer, count, result)
        }
    }

    /// The user with this name, or nil when there is none.
    package static func account(named name: String) throws(SystemError) -> Account? {
        try unsafe lookUpAccount("getpwnam_r", subject: escapedForDisplay(name)) { entry, buffer, count, result in
            unsafe getpwnam_r(name, entry, buffer, count, result)
        }
    }

    /// The gid of a group, or nil when there is none of this name.
    package static func groupID(named name: String) throws(SystemError) -> UInt32? {
        try unsafe withGrowingBuffer("getgrnam_r", subject: escapedForDisplay(name)) { buffer, count in
            var entry = unsafe group()
            var result: UnsafeMutablePointer<group>?
            let status = unsafe getgrnam_r(name, &entry, buffer, count, &result)
            if status != 0 { return (status, nil) }
            return unsafe (0, result == nil ? nil : entry.gr_gid)
        }
    }

    /// All groups of a user: the primary one and those of the group database, in its order.
    package static func groupIDs(of account: Account) throws(SystemError) -> [UInt32] {
        var capacity: Int32 = 64
        while capacity <= 65_536 {
            var groups = [gid_t](repeating: 0, count: Int(capacity))
            var count = capacity
            if unsafe getgrouplist(account.name, account.gid, &groups, &count) >= 0 {
                return Array(groups.prefix(Int(max(0, count))))
            }
            // -1 means too small; `count` may say how many there are, but not in every C library.
            capacity = max(capacity * 2, count)
        }
        throw SystemError("getgrouplist", ERANGE, subject: escapedForDisplay(account.name))
    }

    /// True when the user with `uid` is in group `name`, primary or not. Unknown users and groups are in nothing.
    package static func isMember(uid: UInt32, ofGroup name: String) throws(SystemError) -> Bool {
        guard let gid = try groupID(named: name), let account = try account(uid: uid) else { return false }
        return try groupIDs(of: account).contains(gid)
    }

    private static func lookUpAccount(
        _ call: String, subject: String,
        _ body: (
            UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
            UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
        ) -> Int32
    ) throws(SystemError) -> Account? {
        try unsafe withGrowingBuffer(call, subject: subject) { buffer, count in
            var entry = unsafe passwd()
            var result: UnsafeMutablePointer<passwd>?
            let status = unsafe body(&entry, buffer, count, &result)
            if status != 0 { return (status, nil) }
            guard unsafe result != nil, let name = unsafe entry.pw_name else { return (0, nil) }
            let home = unsafe entry.pw_dir.map { unsafe String(cString: $0) } ?? "/"
            return unsafe (
                0, Account(name: String(cString: name), uid: entry.pw_uid, gid: entry.pw_gid, home: FilePath(home))
            )
        }
    }

    /// Repeats `body` with a larger buffer as long as it answers ERANGE.
    private static func withGrowingBuffer<Value>(
        _ call: String, subject: String, _ body: (UnsafeMutablePointer<CChar>, Int) -> (Int32, Value?)
    ) throws(SystemError) -> Value? {
        var count = 4096
        while count <= bufferLimitBytes {
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: count)
            defer { unsafe buffer.deallocate() }
            let (status, value) = unsafe body(buffer, count)
            switch status {
            case 0: return value
            // POSIX lets "not found" be reported in all of these ways.
            case ENOENT, ESRCH, EBADF, EPERM: return nil
            case EINTR: continue
            case ERANGE: count *= 4
            default: throw SystemError(call, status, subject: subject)
            }
        }
        throw SystemError(call, ERANGE, subject: subject)
    }
}
