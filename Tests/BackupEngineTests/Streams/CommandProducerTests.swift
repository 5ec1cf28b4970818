import Glibc
import Platform
import TestSupport
import Testing

@testable import BackupEngine

/// A shell script as the producer of `/out`.
private func script(
    _ text: String, _ arguments: [String] = [], timeoutSeconds: Double = 30, limitBytes: UInt64? = nil, secret: [UInt8]? = nil
) -> StreamSource {
    var request = CommandRequest(argv: ["/bin/sh", "-c", text, "sh"] + arguments, timeoutSeconds: timeoutSeconds, graceSeconds: 0.2)
    request.outputLimitBytes = 4096
    return StreamSource(path: "/out", producer: CommandProducer(request, secret: secret, limitBytes: limitBytes))
}

/// True while some process has this word among its arguments.
private func isRunning(_ word: String) -> Bool {
    directoryEntries("/proc").contains { name in
        let bytes = (try? DurableFiles.read(FilePath("/proc").appending(name) / "cmdline", limit: 1 << 16)) ?? []
        return bytes.split(separator: 0).contains { $0.elementsEqual(word.utf8) }
    }
}

@Suite struct CommandProducerTests {
    private func message(_ source: StreamSource) throws -> String? {
        let scene = try BackupScene("command")
        let found = failure { _ = try scene.backUp(streams: [source]) }
        #expect(try scene.repository.listSnapshots().isEmpty)
        #expect(found?.code == .producer)
        return found?.message.en
    }

    @Test func `what a command prints is stored, its arguments reach it as they are, and no shell reads them`() throws {
        let scene = try BackupScene("command-good")
        let report = try scene.backUp(streams: [script("printf '%s|' \"$@\"; echo warned >&2", ["a b", "$HOME", "*", ""])])
        #expect(try scene.content("/out", report.snapshot) == Array("a b|$HOME|*||".utf8))
        #expect(report.notes.map(\.en) == ["command '/bin/sh': warned"])
        #expect(report.isComplete)
    }

    @Test func `a command that fails, dies or prints nothing leaves no snapshot, and its last words are told`() throws {
        #expect(try message(script("echo data; echo 'no such table' >&2; exit 3")) == "'/out': command '/bin/sh' exited with status 3: no such table")
        #expect(try message(script("echo data; kill -9 $$")) == "'/out': command '/bin/sh' ended by signal 9")
        #expect(try message(script("exit 0")) == "'/out': command '/bin/sh' printed nothing")
        #expect(try message(script("head -c 3000000 /dev/zero; exit 1")) == "'/out': command '/bin/sh' exited with status 1")
    }

    @Test func `of a talkative command the last words are kept`() throws {
        let text = try message(script("i=0; while [ $i -lt 20000 ]; do echo line $i >&2; i=$((i+1)); done; echo x; exit 1"))
        #expect(text?.hasSuffix("line 19998; line 19999") == true)
        #expect((text?.count ?? .max) < 800)
    }

    @Test func `a program that is not there is a failure of its entry`() throws {
        let source = StreamSource(path: "/out", producer: CommandProducer(CommandRequest(argv: ["/nonexistent/dump"])))
        #expect(try message(source) == "'/out': command '/nonexistent/dump': not found, or not executable")
    }

    @Test(arguments: ["trap '' TERM; sleep WORD & echo x; sleep WORD", "echo x; exec 1>&-; sleep WORD"])
    func `a command that hangs is ended by its time limit, with everything it started`(text: String) throws {
        let word = "86\(UInt32.random(in: 100_000...999_999))"
        let started = Monotonic.nanoseconds()
        let found = try message(script(text.replacing("WORD", with: word), timeoutSeconds: 0.4))
        #expect(found == "'/out': command '/bin/sh' exceeded its time limit and was ended")
        #expect(Monotonic.nanoseconds() - started < 8_000_000_000)
        #expect(!isRunning(word))
    }

    @Test func `what a command leaves behind in its group ends with it`() throws {
        let scene = try BackupScene("command-group")
        let word = "87\(UInt32.random(in: 100_000...999_999))"
        _ = try scene.backUp(streams: [script("sleep \(word) >/dev/null 2>&1 & echo x")])
        #expect(!isRunning(word))
    }

    @Test func `a cancelled backup ends its command and is interrupted, not failed`() throws {
        let scene = try BackupScene("command-cancel")
        let word = "88\(UInt32.random(in: 100_000...999_999))"
        let flag = CancellationFlag()
        let thread = try WorkerThread(name: "cancel") {
            for _ in 0..<200 where !isRunning(word) { usleep(10_000) }
            flag.cancel()
        }
        let request = BackupRequest(sources: [], streams: [script("echo x; sleep \(word)")], hostname: "host")
        #expect(code { _ = try Archiver(repository: scene.repository).run(request, cancellation: flag) } == .interrupted)
        thread.join()
        #expect(!isRunning(word))
        #expect(try scene.repository.listSnapshots().isEmpty)
    }

    @Test func `more output than allowed is a failure, and the command does not go on`() throws {
        let word = "89\(UInt32.random(in: 100_000...999_999))"
        let found = try message(script("while :; do echo \"$1\"; done", [word], limitBytes: 100_000))
        #expect(found == "'/out': command '/bin/sh' printed more than the limit of 100000 bytes")
        #expect(!isRunning(word))
    }

    @Test func `a secret is a file for the command alone, and descriptors of this process are not`() throws {
        let scene = try BackupScene("command-secret")
        let text =
            "cat \(PipedCommand.secretPath); cat \(PipedCommand.secretPath); stat -Lc ' %a %F' \(PipedCommand.secretPath); tr '\\0' ' ' </proc/$$/environ; ls -m /proc/$$/fd; :"
        let report = try scene.backUp(streams: [script(text, secret: Array("s3cret".utf8))])
        let words = String(decoding: try scene.content("/out", report.snapshot), as: UTF8.self)
        #expect(words.hasPrefix("s3crets3cret 600 regular file\n"))
        #expect(words.components("s3cret") == 2)
        // No pipeline in the shell: its ends would be open for a moment.
        #expect(words.hasSuffix("0, 1, 2, 3\n"))
    }

    @Test func `standard input is stored to its end, and nothing at all is a failure`() throws {
        let scene = try BackupScene("stdin")
        var ends: [Int32] = [0, 0]
        try #require(unsafe pipe(&ends) == 0)
        let (reading, writing) = (ends[0], ends[1])
        let thread = try WorkerThread(name: "writer") {
            for number in 0..<100_000 {
                let line = Array("line \(number)\n".utf8)
                _ = unsafe line.withUnsafeBytes { unsafe write(writing, $0.baseAddress, $0.count) }
            }
            close(writing)
        }
        let source = StreamSource(path: "/stdin", producer: StandardInputProducer(descriptor: reading))
        let report = try scene.backUp(streams: [source])
        thread.join()
        #expect(try scene.content("/stdin", report.snapshot).split(separator: 10).count == 100_000)
        #expect(code { _ = try scene.backUp(streams: [source]) } == .producer)
        close(reading)
    }
}

extension String {
    /// How often a text occurs.
    fileprivate func components(_ text: String) -> Int { ranges(of: text).count }
}
