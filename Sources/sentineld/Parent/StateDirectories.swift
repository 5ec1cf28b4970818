internal import Glibc
internal import IncidentCore
internal import Platform

/// Makes the directories of a layout, owned by the service's user where there is one.
enum StateDirectories {
    static func prepare(_ layout: StateLayout) throws {
        for directory in [layout.state, layout.keys, layout.scratch, layout.brokenGlass, layout.socket.parent] {
            try DurableFiles.makeDirectories(directory, mode: directory == layout.socket.parent && layout.isSystem ? 0o755 : 0o700)
            guard layout.isSystem, getuid() == 0, let account = try UserDatabase.account(named: Privileges.serviceUser) else { continue }
            try systemCall("chown", path: directory) { unsafe directory.withCString { unsafe chown($0, account.uid, account.gid) } }
        }
    }
}

/// The right to work in a state directory: an exclusive lock that ends with this process, however it ends.
final class StateClaim {
    private let descriptor: Int32

    /// - Throws: ``DaemonError`` when another daemon has the lock.
    init(_ layout: StateLayout) throws {
        let path = layout.state / "sentineld.lock"
        let file = try FileDescriptor.open(path, O_RDWR | O_CREAT, mode: 0o600)
        guard flock(file.raw, LOCK_EX | LOCK_NB) == 0 else {
            throw DaemonError(
                message: Phrase(
                    vi: "một sentineld khác đang dùng thư mục '\(layout.state)'", en: "another sentineld uses the directory '\(layout.state)'"),
                hint: Phrase(
                    vi: "dừng tiến trình đó trước, hoặc chọn --state khác", en: "stop that one first, or choose another --state"))
        }
        descriptor = file.release()
    }

    func release() { close(descriptor) }
}
