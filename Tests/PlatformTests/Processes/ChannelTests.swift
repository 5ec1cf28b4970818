internal import Glibc
internal import Platform
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(2))) struct ChannelTests {
    private func pair(sendLimitSeconds: Double? = nil) throws -> (Channel, Channel) {
        let pair = try ChannelPair.make(sendLimitSeconds: sendLimitSeconds)
        return (pair.first, pair.second)
    }

    private struct NothingCame: Error {}

    /// The next frame; the testing macros take no noncopyable values.
    private func next(_ channel: Channel) throws -> ChannelMessage {
        guard let message = try channel.receive(timeoutSeconds: 20) else { throw NothingCame() }
        return message
    }

    private func isEnded(_ channel: Channel) throws -> Bool {
        if let _ = try channel.receive(timeoutSeconds: 5) { return false }
        return true
    }

    private func bytes(_ channel: Channel) throws -> [UInt8] { try next(channel).bytes }
    private func hasDescriptor(_ channel: Channel) throws -> Bool { try next(channel).hasDescriptor }

    /// Writes bytes past the framing, as a broken or hostile peer would.
    private func writeRaw(_ bytes: [UInt8], to channel: Channel) {
        let count = unsafe bytes.withUnsafeBytes { unsafe write(channel.descriptor, $0.baseAddress, $0.count) }
        #expect(count == bytes.count)
    }

    private func code(_ body: () throws -> Void) -> ChannelError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? ChannelError)?.code
        }
    }

    @Test func `frames arrive whole and in order, empty ones too`() throws {
        let (left, right) = try pair()
        let frames: [[UInt8]] = [[], [1], Array("xin chào".utf8), [UInt8](repeating: 7, count: 50_000), []]
        for frame in frames { try left.send(bytes: frame) }
        for frame in frames {
            let message = try next(right)
            let (bytes, hasDescriptor) = (message.bytes, message.hasDescriptor)
            #expect(bytes == frame)
            #expect(!hasDescriptor)
        }
    }

    @Test func `a value travels as JSON`() throws {
        struct Order: Codable, Equatable { var id: Int; var path: String }
        let (left, right) = try pair()
        try left.send(Order(id: 7, path: "/srv/hồ sơ"))
        #expect(try right.receive(as: Order.self) == Order(id: 7, path: "/srv/hồ sơ"))
        try left.send(bytes: Array("{\"id\":\"x\"}".utf8))
        #expect(code { _ = try right.receive(as: Order.self) } == .malformed)
    }

    @Test func `a descriptor comes with its own frame, open and close-on-exec`() throws {
        let (left, right) = try pair()
        let file = try FileDescriptor.open("/etc/hostname")
        try left.send(bytes: [1])
        try left.send(bytes: [2, 2], descriptor: file.raw)
        try left.send(bytes: [3])
        #expect(try hasDescriptor(right) == false)
        var second = try next(right)
        let secondBytes = second.bytes
        #expect(secondBytes == [2, 2])
        guard let taken = second.takeDescriptor() else { throw NothingCame() }
        let received = taken.raw
        #expect(received != file.raw)
        #expect(fcntl(received, F_GETFD) == FD_CLOEXEC)
        let original = try file.status(path: "/etc/hostname").inode
        var status = stat()
        #expect(unsafe fstat(received, &status) == 0 && status.st_ino == original)
        #expect(try hasDescriptor(right) == false)
    }

    @Test func `an untaken descriptor is closed with its message`() throws {
        let (left, right) = try pair()
        let (observer, sent) = try pair()
        try left.send(bytes: [9], descriptor: sent.descriptor)
        #expect(try hasDescriptor(right))
        _ = consume sent
        #expect(try isEnded(observer))
    }

    @Test func `the end between two frames is nil, inside one an error`() throws {
        let (left, right) = try pair()
        left.shutDown()
        #expect(try isEnded(right))
        for start in [[0, 0], [0, 0, 0, 5, 1, 2]] as [[UInt8]] {
            let (writer, end) = try pair()
            writeRaw(start, to: writer)
            writer.shutDown()
            #expect(code { _ = try end.receive() } == .truncated)
        }
    }

    @Test func `sending to a closed peer is an error, not a signal`() throws {
        let (left, right) = try pair()
        _ = consume right
        #expect(code { try left.send(bytes: [1]) } == .closed)
        #expect(code { try left.send(bytes: [1]) } == .closed)
    }

    @Test func `a frame above the limit is refused on both sides`() throws {
        let (left, right) = try pair()
        let big = [UInt8](repeating: 0, count: FrameParser.payloadLimitBytes + 1)
        #expect(code { try left.send(bytes: big) } == .oversized)
        try left.send(bytes: [5])
        #expect(try bytes(right) == [5])
        let (writer, end) = try pair()
        writeRaw([0x01, 0, 0, 1, 9], to: writer)
        #expect(code { _ = try end.receive() } == .oversized)
        #expect(code { _ = try end.receive() } == .oversized)
    }

    @Test func `the largest frame and many senders at once do not mix`() async throws {
        let (left, right) = try pair()
        var random = SeededRandom(for: "channel")
        let big = random.bytes(1 << 16)
        let whole = Array(repeatElement(big, count: FrameParser.payloadLimitBytes / big.count).joined())
        let senders = Task.detached {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await OwnThread.run(name: "big") { try left.send(bytes: whole) } }
                for sender in UInt8(0)..<8 {
                    group.addTask {
                        try await OwnThread.run(name: "sender") {
                            for count in 0..<200 { try left.send(bytes: [UInt8](repeating: sender, count: count)) }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        let (seen, sawBig) = try await OwnThread.run(name: "receiver") {
            var next = [Int](repeating: 0, count: 8)
            var sawBig = false
            for _ in 0..<(8 * 200 + 1) {
                guard let message = try right.receive(timeoutSeconds: 60) else { break }
                if message.bytes.count == whole.count {
                    sawBig = message.bytes == whole
                } else if let sender = message.bytes.first {
                    // Frames of one sender come in its order, each of one byte value.
                    if !message.bytes.allSatisfy({ $0 == sender }) || message.bytes.count <= next[Int(sender)] - 1 { return (next, false) }
                    next[Int(sender)] = message.bytes.count
                }
            }
            return (next, sawBig)
        }
        try await senders.value
        #expect(sawBig)
        #expect(seen == [Int](repeating: 199, count: 8))
    }

    @Test func `receiving gives up at its time and goes on with the same frame later`() throws {
        let (writer, end) = try pair()
        #expect(code { _ = try end.receive(timeoutSeconds: 0.05) } == .timedOut)
        writeRaw([0, 0, 0, 2, 1], to: writer)
        #expect(code { _ = try end.receive(timeoutSeconds: 0) } == .timedOut)
        writeRaw([2], to: writer)
        #expect(try bytes(end) == [1, 2])
    }

    @Test func `a peer that reads nothing is given up`() throws {
        let (left, right) = try pair(sendLimitSeconds: 0.2)
        let code = code { for _ in 0..<1000 { try left.send(bytes: [UInt8](repeating: 0, count: 1 << 20)) } }
        #expect(code == .timedOut)
        #expect(self.code { try left.send(bytes: [1]) } == .closed)
        _ = right
    }

    @Test func `a descriptor without a frame of its own is refused`() async throws {
        // Python sends the header and, with a later byte, a descriptor.
        let (writer, end) = try pair()
        let script = """
            import socket,array
            s=socket.socket(fileno=3)
            s.sendall(b'\\0\\0\\0\\2')
            s.sendmsg([b'a'],[(socket.SOL_SOCKET,socket.SCM_RIGHTS,array.array('i',[0]))])
            """
        let child = try RoleSpawner(executable: "/usr/bin/python3").spawn(
            arguments: ["python3", "-c", script], environment: [:], descriptors: [writer.descriptor])
        #expect(code { _ = try end.receive(timeoutSeconds: 20) } == .unexpectedDescriptor)
        #expect(try child.wait(timeoutSeconds: 20)?.isSuccess == true)
    }

    @Test func `of several descriptors in one message only one is taken, the others leak nowhere`() async throws {
        let (writer, end) = try pair()
        let script = """
            import socket,array
            s=socket.socket(fileno=3)
            a,b=socket.socketpair(); c,d=socket.socketpair()
            s.sendmsg([b'\\0\\0\\0\\1x'],[(socket.SOL_SOCKET,socket.SCM_RIGHTS,array.array('i',[a.fileno(),c.fileno()]))])
            c.close(); d.settimeout(20)
            assert d.recv(1)==b''
            """
        let child = try RoleSpawner(executable: "/usr/bin/python3").spawn(
            arguments: ["python3", "-c", script], environment: [:], descriptors: [writer.descriptor])
        let message = try next(end)
        let hasOne = message.hasDescriptor
        #expect(hasOne)
        #expect(try child.wait(timeoutSeconds: 30)?.isSuccess == true)
    }

    @Test func `the frame parser survives anything and agrees with itself however the bytes are cut`() throws {
        func frames(_ input: [UInt8], pieces: () -> Int) -> ([[UInt8]], Bool) {
            var parser = FrameParser()
            var result: [[UInt8]] = []
            var position = 0
            while position < input.count {
                let end = min(input.count, position + pieces())
                var part = input[position..<end]
                position = end
                while !part.isEmpty {
                    do {
                        if let frame = try parser.consume(&part) { result.append(frame) }
                    } catch {
                        return (result, true)
                    }
                }
            }
            return (result, false)
        }
        func encoded(_ frames: [[UInt8]]) throws -> [UInt8] {
            try frames.flatMap { try FrameParser.header(payloadBytes: $0.count) + $0 }
        }
        let corpus = try [
            encoded([[]]), encoded([[1, 2, 3], [], [4]]), encoded([[UInt8](repeating: 3, count: 300), [1]]),
            [0xFF, 0xFF, 0xFF, 0xFF], [1, 0, 0, 0],
        ]
        var random = SeededRandom(for: "frame cuts")
        try fuzz("frame parser", corpus: corpus) { input in
            let (whole, isBroken) = frames(input) { input.count }
            let (cut, isCutBroken) = frames(input) { random.number(1..<8) }
            #expect(whole == cut && isBroken == isCutBroken)
            // What was taken out, encoded again, is what went in.
            let again = try encoded(whole)
            #expect(Array(input.prefix(again.count)) == again)
        }
    }
}
