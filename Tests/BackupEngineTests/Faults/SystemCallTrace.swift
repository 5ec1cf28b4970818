import Glibc
import Platform
import TestSupport

/// What a program did to the files below one directory, in the order of its system calls.
struct SystemCallTrace {
    /// One call. Its place is what it does to which kind of file, and the how-manieth such call of the whole process it is.
    struct Call {
        let number: Int
        let name: String
        /// The path with names that differ from run to run replaced: `data/XX/ID-tmp`.
        let kind: String
        let occurrence: Int
        /// Paths relative to the directory; two for a rename.
        let paths: [String]
        let details: [Int]
        /// What it returned, negative for an error; nil when that was not recorded, or the process died in it.
        var result: Int?

        var place: Place { Place(name: name, kind: kind, occurrence: occurrence) }
    }

    struct Place: Hashable, Sendable, CustomStringConvertible {
        let name: String
        let kind: String
        let occurrence: Int
        /// What is done to which kind of file.
        var action: String { "\(name) \(kind)" }
        var description: String { "\(action) (\(occurrence))" }
    }

    enum Event {
        case enter(Int)
        case leave(Int)
    }

    private(set) var calls: [Call] = []
    private(set) var events: [Event] = []
    /// The calls that were made to fail, and how.
    private(set) var faults: [(number: Int, action: String)] = []
    /// The bytes of all writes, in their order.
    let data: [UInt8]

    init(log: FilePath, data: FilePath? = nil) throws {
        self.data = try data.map { try DurableFiles.read($0, limit: 1 << 30) } ?? []
        let text = String(decoding: try DurableFiles.read(log, limit: 1 << 28), as: UTF8.self)
        var seen: [[String]: Int] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard fields.count > 1, let number = Int(fields[1]) else { continue }
            switch fields[0] {
            case "enter":
                let key = [fields[2], fields[3]]
                seen[key, default: 0] += 1
                let numbers = fields.dropFirst(4).drop { Int($0) == nil }.compactMap { Int($0) }
                let paths = fields.dropFirst(4).prefix { Int($0) == nil }
                calls.append(
                    Call(
                        number: number, name: key[0], kind: key[1], occurrence: seen[key, default: 0], paths: Array(paths),
                        details: numbers))
                events.append(.enter(number))
            case "leave":
                calls[number - 1].result = Int(fields[2])
                events.append(.leave(number))
            case "fault": faults.append((number, fields[2]))
            default: continue
            }
        }
    }

    /// Everything that the calls of one program can be made to do.
    struct Injection: Sendable {
        let place: Place
        /// `EIO`, `ENOSPC`, with `+` from there on, or `KILL`.
        let action: String
    }

    /// Runs `sentinelctl repo …` under the tracer.
    ///
    /// - Parameters:
    ///   - directory: The calls on files below it are followed.
    ///   - isRecording: Keeps the written bytes and all results.
    ///   - scratch: Where log and data go.
    static func run(
        _ arguments: [String], environment: [String: String], below directory: FilePath, scratch: FilePath,
        isRecording: Bool = false, injecting injection: Injection? = nil, calls: String = "write"
    ) async throws -> (output: ProcessOutput, trace: SystemCallTrace) {
        guard let python = availableCommand("python3") else { throw SystemError("exec", ENOENT, subject: "python3") }
        var generator = SystemRandomNumberGenerator()
        let log = scratch / "trace-\(String(generator.next() as UInt64, radix: 36))"
        let data = isRecording ? FilePath(bytes: log.bytes + Array(".data".utf8)) : nil
        var words = [python, "\(testResource("Tests/Tools/trace-calls.py"))", "--below", "\(directory)", "--log", "\(log)", "--calls", calls]
        if let data { words += ["--data", "\(data)"] }
        if let injection {
            words += ["--fail", injection.place.name, injection.place.kind, "\(injection.place.occurrence)", injection.action]
        }
        let output = try await runProcess(
            words + ["--"] + (try SentinelProgram.command(arguments)), environment: environment, timeLimitSeconds: 120)
        return (output, try SystemCallTrace(log: log, data: data))
    }
}
