internal import Glibc
internal import Platform
internal import TestSupport
internal import Testing

/// The kernel's word on this thread: capabilities belong to threads, and a test process has many.
private func threadStatus() -> [String: String] {
    let bytes = (try? DurableFiles.read("/proc/thread-self/status", limit: 65536)) ?? []
    var result: [String: String] = [:]
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
        let pair = line.split(separator: ":", maxSplits: 1)
        if pair.count == 2 { result[String(pair[0])] = pair[1].split(separator: "\t").joined(separator: " ") }
    }
    return result
}

/// Ends the process with a message unless `condition` holds; for code that runs in a process of its own.
private func demand(_ condition: Bool, _ message: @autoclosure () -> String, line: Int = #line) {
    if condition { return }
    printToStandardError("line \(line): \(message())")
    exit(1)
}

private func hex(_ set: CapabilitySet) -> String {
    let digits = String(set.rawValue, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

@Suite(.timeLimit(.minutes(2))) struct PrivilegesTests {
    @Test(.enabled(if: isRoot), arguments: ProcessRole.allCases)
    func `in system mode a role keeps exactly its capabilities and nothing of root`(_ role: ProcessRole) async {
        await #expect(processExitsWith: .success) { [role] in
            do {
                let nobody = try UserDatabase.account(named: "nobody") ?? Account(name: "", uid: 0, gid: 0)
                demand(nobody.uid != 0, "no user nobody")
                try Privileges(role: role, mode: .system(nobody)).apply()
                let status = threadStatus()
                let mask = hex(role.capabilities)
                let id = "\(nobody.uid) \(nobody.uid) \(nobody.uid) \(nobody.uid)"
                demand(status["Uid"] == id, "\(status)")
                demand(status["Groups"]?.allSatisfy { $0 == " " } ?? true, "\(status)")
                demand(status["CapPrm"] == mask && status["CapEff"] == mask && status["CapBnd"] == mask, "\(status)")
                demand(status["CapInh"] == hex([]) && status["CapAmb"] == hex([]), "\(status)")
                demand(status["NoNewPrivs"] == "1", "\(status)")
                demand(status["Umask"] == "0077", "\(status)")
                demand(setuid(0) != 0, "root came back")
                let canRead = (try? DurableFiles.read("/etc/shadow", limit: 1 << 20)) != nil
                demand(canRead == role.capabilities.contains(.readSearch), "reading /etc/shadow: \(canRead)")
            } catch {
                demand(false, "\(error)")
            }
        }
    }

    @Test(.enabled(if: isRoot)) func `only the watch process loses the network`() async {
        await #expect(processExitsWith: .success) {
            do {
                let nobody = try UserDatabase.account(named: "nobody") ?? Account(name: "", uid: 0, gid: 0)
                try Privileges(role: .watch, mode: .system(nobody)).apply()
                let table = try DurableFiles.read("/proc/thread-self/net/route", limit: 65536)
                // At most a headline.
                demand(table.split(separator: UInt8(ascii: "\n")).count <= 1, "there are routes")
            } catch {
                demand(false, "\(error)")
            }
        }
        #expect(ProcessRole.allCases.filter { !$0.hasNetwork } == [.watch])
    }

    @Test func `without system mode only the safe limits are set`() async {
        await #expect(processExitsWith: .success) {
            do {
                let before = threadStatus()
                try Privileges(role: .core, mode: .unprivileged).apply(parentDeathSignal: SIGTERM)
                let status = threadStatus()
                demand(status["Uid"] == before["Uid"], "\(status)")
                demand(status["NoNewPrivs"] == "1" && status["Umask"] == "0077", "\(status)")
            } catch {
                demand(false, "\(error)")
            }
        }
    }

    @Test func `a process whose parent is already gone does not begin`() async {
        await #expect(processExitsWith: .success) {
            unsafe setenv(Privileges.parentVariable, "1999999999", 1)
            do {
                try Privileges(role: .core, mode: .unprivileged).apply()
                demand(false, "it began")
            } catch {
                demand((error as? SystemError)?.number == ESRCH, "\(error)")
            }
        }
    }

    @Test(.enabled(if: isRoot)) func `a directory is handed over, a link in its place is refused`() throws {
        try withTemporaryDirectory { directory in
            let nobody = try #require(try UserDatabase.account(named: "nobody"))
            let path = directory / "state"
            for _ in 0..<2 {
                try ServiceDirectory.prepare(path, owner: nobody, mode: 0o700)
                let status = try FileStatus.ofLink(path)
                #expect(status.uid == nobody.uid && status.gid == nobody.gid && status.permissions == 0o700)
            }
            let link = directory / "link"
            _ = unsafe link.withCString { unsafe symlink("/etc", $0) }
            #expect(throws: SystemError.self) { try ServiceDirectory.prepare(link, owner: nobody, mode: 0o700) }
            #expect(try FileStatus.of("/etc").uid == 0)
        }
    }
}
