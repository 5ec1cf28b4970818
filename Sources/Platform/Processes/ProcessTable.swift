internal import Glibc

/// The processes of this system, from /proc.
enum ProcessTable {
    /// Sends `signal` to every process of a session; repeated for a few rounds, as members may fork while the list is read.
    static func signalSession(_ session: Int32, _ signal: Int32) {
        for _ in 0..<4 {
            let members = processes().filter { self.session(of: $0) == session }
            if members.isEmpty { return }
            for member in members { kill(member, signal) }
            // Once is enough for a signal that may be handled.
            if signal != SIGKILL { return }
        }
    }

    private static func processes() -> [Int32] {
        guard let stream = unsafe opendir("/proc") else { return [] }
        defer { unsafe closedir(stream) }
        var result: [Int32] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let pid = Int32(name) { result.append(pid) }
        }
        return result
    }

    /// Field 6 of /proc/PID/stat, nil for a process that has gone or is a zombie. The name in field 2 may hold anything, `)` included.
    private static func session(of pid: Int32) -> Int32? {
        guard let bytes = try? DurableFiles.read(FilePath("/proc/\(pid)/stat"), limit: 4096),
            let end = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 3, fields[0].first != UInt8(ascii: "Z") else { return nil }
        return Int32(String(decoding: fields[3], as: UTF8.self))
    }
}
