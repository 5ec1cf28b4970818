package import Platform

/// One running process, as /proc shows it.
package struct ProcessEntry: Sendable, CustomStringConvertible {
    package let pid: Int32
    package let group: Int32
    package let arguments: [String]
    package let environment: [String]

    package var description: String { "\(pid) \(arguments.joined(separator: " "))" }
}

/// Every running process that this user may look at; zombies are left out, for they run no more.
package func processTable() -> [ProcessEntry] {
    directoryEntries("/proc").compactMap { name in
        guard let text = String(validating: name, as: UTF8.self), let pid = Int32(text) else { return nil }
        let directory: FilePath = "/proc" / text
        // After the last parenthesis, for a process may call itself anything: state, parent, group.
        let status = String(decoding: (try? DurableFiles.read(directory / "stat", limit: 4096)) ?? [], as: UTF8.self)
        guard let end = status.lastIndex(of: ")") else { return nil }
        let fields = status[end...].split(separator: " ")
        guard fields.count > 3, fields[1] != "Z", fields[1] != "X", let group = Int32(fields[3]) else { return nil }
        func list(_ file: String) -> [String] {
            ((try? DurableFiles.read(directory / file, limit: 1 << 20)) ?? []).split(separator: 0)
                .map { String(decoding: $0, as: UTF8.self) }
        }
        return ProcessEntry(pid: pid, group: group, arguments: list("cmdline"), environment: list("environ"))
    }
}

/// The running processes of a process group.
package func processes(inGroup group: Int32) -> [ProcessEntry] { processTable().filter { $0.group == group } }

/// The running processes that have `path` in their command line or environment, this one left out.
package func processes(mentioning path: FilePath, except own: Int32) -> [ProcessEntry] {
    let text = path.description
    return processTable().filter { entry in
        entry.pid != own && (entry.arguments + entry.environment).contains { $0.contains(text) }
    }
}
