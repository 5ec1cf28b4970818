internal import Glibc
@testable internal import Platform
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(2))) struct ServiceNotifierTests {
    /// Starts a receiver on `address` (Python), lets `body` send, and returns the datagrams.
    private func received(_ count: Int, at address: String, _ body: () throws -> Void) async throws -> [String] {
        let script = """
            import socket,sys
            a=sys.argv[1]; a='\\0'+a[1:] if a[0]=='@' else a
            s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.bind(a); s.settimeout(60)
            print('bound',flush=True)
            for i in range(int(sys.argv[2])): print(repr(s.recv(4096).decode()),flush=True)
            """
        let receiver = try SpawnedProcess(["/usr/bin/python3", "-c", script, address, String(count)])
        while receiver.poll() == nil, receiver.standardOutput.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        try body()
        #expect(await receiver.wait(seconds: 90) == .exited(0))
        return String(decoding: receiver.standardOutput, as: UTF8.self).split(separator: "\n").dropFirst().map(String.init)
    }

    @Test func `messages reach a socket in the file system and in the abstract namespace`() async throws {
        let directory = try TemporaryDirectory("notify")
        let path = try #require((directory / "notify").utf8)
        for address in [path, "@sentinel-test-\(getpid())"] {
            let datagrams = try await received(2, at: address) {
                let isSent = try ServiceNotifier.send(["READY=1", "STATUS=sẵn sàng"], to: address)
                #expect(isSent)
                let isAlsoSent = try ServiceNotifier.send(["WATCHDOG=1"], to: address)
                #expect(isAlsoSent)
            }
            #expect(datagrams == ["'READY=1\\nSTATUS=sẵn sàng'", "'WATCHDOG=1'"])
        }
    }

    @Test func `the named messages are those of sd_notify`() async throws {
        let address = "@sentinel-named-\(getpid())"
        let receiver = try await received(5, at: address) {
            unsafe setenv("NOTIFY_SOCKET", address, 1)
            defer { unsafe unsetenv("NOTIFY_SOCKET") }
            try ServiceNotifier.ready(status: "two\nlines")
            try ServiceNotifier.reloading()
            try ServiceNotifier.status("x")
            try ServiceNotifier.watchdog()
            try ServiceNotifier.stopping()
        }
        #expect(receiver.first == "'READY=1\\nSTATUS=two lines'")
        #expect(receiver.dropFirst().first?.hasPrefix("'RELOADING=1\\nMONOTONIC_USEC=") == true)
        #expect(Array(receiver.suffix(3)) == ["'STATUS=x'", "'WATCHDOG=1'", "'STOPPING=1'"])
    }

    @Test func `without a service manager nothing happens, with a wrong address there is an error`() throws {
        #expect(try ServiceNotifier.send(["READY=1"], to: nil) == false)
        #expect(try ServiceNotifier.send(["READY=1"], to: "") == false)
        for address in ["relative", "/nonexistent/notify", "/" + String(repeating: "x", count: 200)] {
            #expect(throws: SystemError.self) { try ServiceNotifier.send(["READY=1"], to: address) }
        }
    }

    @Test func `the watchdog interval counts for the named process only`() {
        #expect(ServiceNotifier.watchdogInterval(microseconds: "60000000", pid: nil, ownPid: 7) == 60)
        #expect(ServiceNotifier.watchdogInterval(microseconds: "60000000", pid: "7", ownPid: 7) == 60)
        #expect(ServiceNotifier.watchdogInterval(microseconds: "60000000", pid: "8", ownPid: 7) == nil)
        #expect(ServiceNotifier.watchdogInterval(microseconds: "0", pid: nil, ownPid: 7) == nil)
        #expect(ServiceNotifier.watchdogInterval(microseconds: "x", pid: nil, ownPid: 7) == nil)
        #expect(ServiceNotifier.watchdogInterval(microseconds: nil, pid: nil, ownPid: 7) == nil)
    }
}
