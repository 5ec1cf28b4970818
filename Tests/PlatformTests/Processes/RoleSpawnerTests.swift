internal import Glibc
internal import Platform
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(2))) struct RoleSpawnerTests {
    private let shell = RoleSpawner(executable: "/bin/sh")

    /// Runs a shell script whose descriptor 3 is a socket, and returns what it wrote there.
    private func output(of script: String, _ more: [Int32] = [], environment: [String: String] = [:]) throws -> String {
        let pair = try ChannelPair.make()
        let child = try shell.spawn(
            arguments: ["sh", "-c", script], environment: environment, descriptors: [pair.second.descriptor] + more)
        #expect(try child.wait(timeoutSeconds: 30)?.isSuccess == true)
        pair.second.shutDown()
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(pair.first.descriptor, $0.baseAddress, $0.count) }
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    @Test func `descriptors arrive at 3, 4 and 5 in the order given, also when their numbers are in the way`() throws {
        try withTemporaryDirectory { directory in
            for name in ["a", "b", "c"] { try DurableFiles.create(directory / name, Array("\(name)\n".utf8)) }
            let a = try FileDescriptor.open(directory / "a")
            let b = try FileDescriptor.open(directory / "b")
            // The lowest numbers last, so that a copy in order would overwrite one still needed.
            let script = "cat <&4 >&3; cat <&5 >&3"
            #expect(try output(of: script, [a.raw, b.raw]) == "a\nb\n")
            lseek(a.raw, 0, SEEK_SET)
            lseek(b.raw, 0, SEEK_SET)
            #expect(try output(of: script, [b.raw, a.raw]) == "b\na\n")
        }
    }

    @Test func `no other descriptor reaches the child, even one that is not close-on-exec`() throws {
        let leaky = try FileDescriptor.open("/etc/hostname")
        try leaky.setCloseOnExec(false)
        let listing = try output(of: "for fd in /proc/self/fd/*; do echo ${fd##*/}; done >&3")
        let numbers = Set(listing.split(separator: "\n"))
        // The shell itself holds the directory it lists and a copy of its own output.
        #expect(!numbers.contains(Substring(String(leaky.raw))) || leaky.raw <= 12, "\(listing)")
        #expect(try output(of: "readlink /proc/self/fd/* >&3; true").contains("hostname") == false)
    }

    @Test func `the environment is exactly the one given, and the parent's number`() throws {
        let listing = try output(of: "/usr/bin/env >&3", environment: ["A": "1"])
        let variables = Set(listing.split(separator: "\n").map(String.init))
        #expect(variables.isSuperset(of: ["A=1", "SENTINEL_PARENT_PID=\(getpid())"]))
        #expect(
            variables.allSatisfy { $0.hasPrefix("A=") || $0.hasPrefix("SENTINEL_") || $0.hasPrefix("PWD=") || $0.hasPrefix("_=") || $0.hasPrefix("SHLVL=") })
    }

    @Test func `a child starts with every signal unblocked and in a group of its own`() throws {
        let status = try output(of: "cat /proc/self/status >&3; cut -d' ' -f1,5 /proc/$$/stat >&3")
        #expect(status.contains("SigBlk:\t0000000000000000"))
        // 32 and 33 belong to the C library, which does not let anyone reset them.
        let ignored = status.split(separator: "\n").first { $0.hasPrefix("SigIgn:") }?.split(separator: "\t").last
        #expect(UInt64(ignored ?? "", radix: 16).map { $0 & 0x7FFF_FFFF } == 0)
        let ids = try #require(status.split(separator: "\n").last).split(separator: " ")
        #expect(ids.count == 2 && ids[0] == ids[1])
    }

    @Test func `exit statuses and signals are told apart`() throws {
        let exited = try shell.spawn(arguments: ["sh", "-c", "exit 42"], environment: [:], descriptors: [])
        #expect(try exited.wait(timeoutSeconds: 20) == .exited(42))
        #expect(try exited.poll() == .exited(42))
        let killed = try shell.spawn(arguments: ["sh", "-c", "kill -15 $$"], environment: [:], descriptors: [])
        #expect(try killed.wait(timeoutSeconds: 20) == .signalled(15))
        #expect(ExitStatus.signalled(15).shellStatus == 143)
    }

    @Test func `a child that ignores SIGTERM is killed after its grace`() throws {
        let pair = try ChannelPair.make()
        let child = try shell.spawn(
            arguments: ["sh", "-c", "trap '' TERM; echo >&3; while :; do sleep 0.05; done"], environment: [:],
            descriptors: [pair.second.descriptor])
        var byte: UInt8 = 0
        #expect(unsafe read(pair.first.descriptor, &byte, 1) == 1)
        #expect(try child.poll() == nil)
        #expect(try child.wait(timeoutSeconds: 0.05) == nil)
        #expect(try child.terminate(graceSeconds: 0.2) == .signalled(SIGKILL))
        // Reaped: another process may have the number now.
        try child.signal(.kill)
    }

    @Test func `a missing program is an error of the caller`() {
        let error = #expect(throws: SystemError.self) {
            try RoleSpawner(executable: "/nonexistent").spawn(.core, environment: [:], descriptors: [])
        }
        #expect(error?.number == ENOENT)
    }

    @Test func `a role is started as this program with its name`() throws {
        let pair = try ChannelPair.make()
        let child = try RoleSpawner(executable: "/bin/echo").spawn(.backupJob, arguments: ["x"], environment: [:], descriptors: [pair.second.descriptor])
        #expect(try child.wait(timeoutSeconds: 20)?.isSuccess == true)
        #expect(ProcessRole(rawValue: "job-backup") == .backupJob)
    }
}
