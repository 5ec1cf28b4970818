internal import CLinux
internal import Glibc

/// Events of inotify(7); the raw values are the kernel's.
package struct InotifyMask: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let attributes = InotifyMask(rawValue: 0x4)
    package static let closedAfterWriting = InotifyMask(rawValue: 0x8)
    package static let movedFrom = InotifyMask(rawValue: 0x40)
    package static let movedTo = InotifyMask(rawValue: 0x80)
    package static let created = InotifyMask(rawValue: 0x100)
    package static let deleted = InotifyMask(rawValue: 0x200)
    package static let deletedSelf = InotifyMask(rawValue: 0x400)
    package static let movedSelf = InotifyMask(rawValue: 0x800)
    package static let unmounted = InotifyMask(rawValue: 0x2000)
    package static let overflow = InotifyMask(rawValue: 0x4000)
    /// The watch is gone: removed, or its directory was.
    package static let ignored = InotifyMask(rawValue: 0x8000)
    package static let isDirectory = InotifyMask(rawValue: 0x4000_0000)
    static let onlyDirectory = InotifyMask(rawValue: 0x0100_0000)
}

/// One queue of file events.
package final class Inotify: Sendable {
    private let descriptor: FileDescriptor

    /// - Throws: EMFILE when the user has too many queues (`fs.inotify.max_user_instances`).
    package init() throws(SystemError) {
        descriptor = FileDescriptor(
            owning: try systemCall("inotify_init1") { inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC)) })
    }

    /// The number to poll for reading.
    package var raw: Int32 { descriptor.raw }

    /// Watches an open directory.
    ///
    /// - Returns: The number its events carry; the same one again when the directory was watched already.
    /// - Throws: ENOSPC when the user has too many watches (`fs.inotify.max_user_watches`).
    package func watch(_ directory: DirectoryHandle, _ mask: InotifyMask) throws(SystemError) -> Int32 {
        // Through the descriptor, so that what is watched is what was opened, whatever the path leads to by now.
        let way = FilePath("/proc/self/fd/\(directory.raw)")
        let bits = mask.union(.onlyDirectory).rawValue
        return try systemCall("inotify_add_watch", path: directory.path) {
            unsafe way.withCString { unsafe inotify_add_watch(descriptor.raw, $0, bits) }
        }
    }

    /// Ends a watch; one that is gone already is no error.
    package func remove(_ watch: Int32) { inotify_rm_watch(descriptor.raw, watch) }

    /// Reads what is queued, at most one buffer full, and calls `body` for each event: watch, mask, name (empty for the directory itself).
    ///
    /// - Parameter buffer: At least 4 KiB.
    /// - Returns: False when the queue was empty.
    package func read(
        into buffer: inout [UInt8], _ body: (_ watch: Int32, _ mask: InotifyMask, _ name: ArraySlice<UInt8>) -> Void
    ) throws(SystemError) -> Bool {
        let count: Int
        do {
            count = try unsafe buffer.withUnsafeMutableBufferPointer { (bytes) throws(SystemError) -> Int in
                try unsafe descriptor.read(into: UnsafeMutableRawBufferPointer(bytes), path: "inotify")
            }
        } catch {
            if error.number == EAGAIN { return false }
            throw error
        }
        // struct inotify_event: wd 4, mask 4, cookie 4, length of the name 4, then the name padded with NUL; host byte order.
        var offset = 0
        while offset + 16 <= count {
            let length = Int(Self.word(buffer, offset + 12))
            let end = offset + 16 + length
            if end > count { break }
            let name = buffer[offset + 16..<end].prefix { $0 != 0 }
            body(
                Int32(bitPattern: Self.word(buffer, offset)), InotifyMask(rawValue: Self.word(buffer, offset + 4)), name)
            offset = end
        }
        return count > 0
    }

    private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        let value =
            UInt32(bytes[offset]) | UInt32(bytes[offset + 1]) << 8 | UInt32(bytes[offset + 2]) << 16
            | UInt32(bytes[offset + 3]) << 24
        return UInt32(littleEndian: value)
    }
}

/// Wakes a thread that waits in poll(2).
package final class WakePipe: Sendable {
    private let reader: FileDescriptor
    private let writer: FileDescriptor

    package init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        try systemCall("pipe") { unsafe pipe(&ends) }
        reader = FileDescriptor(owning: ends[0])
        writer = FileDescriptor(owning: ends[1])
        for end in ends {
            try systemCall("fcntl") { sentinel_fcntl(end, F_SETFD, Int(FD_CLOEXEC)) }
            try systemCall("fcntl") { sentinel_fcntl(end, F_SETFL, Int(O_NONBLOCK)) }
        }
    }

    /// Wakes the waiting thread, or lets its next wait return at once. A full pipe means that it is woken already.
    package func wake() {
        let byte: [UInt8] = [1]
        _ = unsafe byte.withUnsafeBytes { unsafe write(writer.raw, $0.baseAddress, 1) }
    }

    /// Waits until `descriptor` can be read, a wake-up comes or the time is over.
    package func wait(for descriptor: Int32, milliseconds: Int32) {
        var requests = [
            pollfd(fd: reader.raw, events: Int16(POLLIN), revents: 0),
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        ]
        // EINTR and a time-out need no telling apart: the caller looks at its state in any case.
        guard unsafe poll(&requests, 2, milliseconds) > 0, requests[0].revents != 0 else { return }
        var drain = [UInt8](repeating: 0, count: 64)
        while unsafe drain.withUnsafeMutableBytes({ unsafe Glibc.read(reader.raw, $0.baseAddress, $0.count) }) == 64 {}
    }
}
