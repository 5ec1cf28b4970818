internal import Glibc
internal import Platform
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(1))) struct SignalAndPollTests {
    @Test func `signals are delivered in a poll loop together with descriptors and timers`() async {
        await #expect(processExitsWith: .exitCode(17)) {
            do {
                let watcher = try SignalWatcher([.terminate, .hangup])
                let pair = try ChannelPair.make()
                let loop = PollLoop()
                var seen: [String] = []
                loop.watch(watcher.descriptor) {
                    while let received = try watcher.next() {
                        seen.append("\(received.signal)")
                        if received.signal == .terminate { loop.stop() }
                    }
                }
                loop.watch(pair.second.descriptor) {
                    if let message = try pair.second.receive(timeoutSeconds: 1) { seen.append("frame \(message.bytes)") }
                    raise(SIGHUP)
                }
                var ticks = 0
                var timer: PollLoop.TimerID?
                timer = loop.schedule(afterSeconds: 0.01, repeats: true) {
                    ticks += 1
                    if ticks == 3, let timer {
                        loop.cancel(timer)
                        seen.append("ticks")
                        raise(SIGTERM)
                    }
                }
                try pair.first.send(bytes: [1])
                try loop.run()
                // SIGTERM would have ended this process, had it not been blocked.
                printToStandardError("\(seen)")
                exit(seen == ["frame [1]", "hangup", "ticks", "terminate"] ? 17 : 1)
            } catch {
                exit(2)
            }
        }
    }

    @Test func `waiting for a signal ends at its time`() async {
        await #expect(processExitsWith: .exitCode(17)) {
            let watcher = try? SignalWatcher([.user1])
            guard let watcher, (try? watcher.wait(timeoutSeconds: 0.05)) == .some(nil) else { exit(1) }
            raise(SIGUSR1)
            raise(SIGUSR1)
            guard let received = try? watcher.wait(timeoutSeconds: 5), received.signal == .user1,
                received.senderPid == UInt32(getpid()), (try? watcher.next()) == .some(nil)
            else { exit(2) }
            exit(17)
        }
    }

    @Test func `a turn without anything to do ends at its time`() throws {
        let loop = PollLoop()
        let before = Monotonic.nanoseconds()
        try loop.turn(timeoutSeconds: 0.05)
        #expect(Monotonic.nanoseconds() - before >= 50_000_000)
        var isCalled = false
        loop.schedule(afterSeconds: 0) { isCalled = true }
        try loop.turn(timeoutSeconds: nil)
        #expect(isCalled)
    }

    @Test func `a handler may stop watching a descriptor that is ready too`() throws {
        let first = try ChannelPair.make()
        let second = try ChannelPair.make()
        try first.first.send(bytes: [1])
        try second.first.send(bytes: [1])
        let loop = PollLoop()
        var served = 0
        for (own, other) in [(first.second, second.second), (second.second, first.second)] {
            loop.watch(own.descriptor) {
                served += 1
                loop.unwatch(other.descriptor)
                _ = try own.receive()
            }
        }
        try loop.turn(timeoutSeconds: 1)
        #expect(served == 1)
    }

    @Test func `signal numbers are those of this system`() {
        let numbers = [SIGHUP, SIGINT, SIGKILL, SIGUSR1, SIGUSR2, SIGTERM, SIGCHLD]
        #expect(ProcessSignal.allCases.map(\.rawValue) == numbers)
    }

    @Test func `an own thread returns its value or its error`() async throws {
        #expect(try await OwnThread.run(name: "a name that is far too long") { 42 } == 42)
        await #expect(throws: SystemError.self) {
            try await OwnThread.run(name: "x") { throw SystemError("test", EIO) }
        }
    }

    @Test func `users and groups are found by name and number`() throws {
        let root = try #require(try UserDatabase.account(uid: 0))
        #expect(root.name == "root" && root.gid == 0 && root.home == "/root")
        #expect(try UserDatabase.account(named: "root") == root)
        #expect(try UserDatabase.account(named: "no-such-user-here") == nil)
        #expect(try UserDatabase.account(uid: 3_999_999_999) == nil)
        #expect(try UserDatabase.groupID(named: "root") == 0)
        #expect(try UserDatabase.groupID(named: "no-such-group-here") == nil)
        #expect(try UserDatabase.groupIDs(of: root).contains(0))
        #expect(try UserDatabase.isMember(uid: 0, ofGroup: "root"))
        #expect(try UserDatabase.isMember(uid: 0, ofGroup: "nogroup") == false)
        #expect(try UserDatabase.isMember(uid: 3_999_999_999, ofGroup: "root") == false)
    }
}
