import Platform
import TestSupport
import Testing

/// The model of a disk that loses power, on calls written by hand.
@Suite struct DiskModelTests {
    /// A file made as `TemporaryFile` makes it; each line a call, with its fsyncs numbered 6 and 8.
    private static let calls = [
        "openat\tindex/ID-tmp\tindex/x-tmp\t194", "write\tindex/ID-tmp\tindex/x-tmp\t0\t4", "write\tindex/ID-tmp\tindex/x-tmp\t4\t3",
        "fsync\tindex/ID-tmp\tindex/x-tmp", "rename\tindex/ID\tindex/x-tmp\tindex/x", "fsync\tindex\tindex",
    ]

    /// What lies on the disk after these calls and a power cut.
    private func disk(_ calls: [String], _ loss: DiskModel.Loss, seed: UInt64 = 1) throws -> [String: String] {
        try withTemporaryDirectory("disk") { root in
            try DurableFiles.makeDirectories(root / "repo/index")
            try DurableFiles.create(root / "repo/config", Array("config".utf8))
            let lines = calls.enumerated().map { "enter\t\($0 + 1)\t\($1)\nleave\t\($0 + 1)\t\($1.hasPrefix("write") ? ($0 == 1 ? 4 : 3) : 0)\n" }
            try DurableFiles.create(root / "log", Array(lines.joined().utf8))
            try DurableFiles.create(root / "data", Array("abcdefg".utf8))
            let trace = try SystemCallTrace(log: root / "log", data: root / "data")
            var random = SeededRandom(seed: seed)
            var last: DiskModel?
            var model = try DiskModel(root / "repo")
            try model.replay(trace) { last = $2 }
            try #require(last).write(to: root / "after", loss, &random)
            let files = onlyFiles(below: root / "after")
            let names = files.map { String(decoding: $0.bytes.dropFirst((root / "after").bytes.count + 1), as: UTF8.self) }
            return Dictionary(
                uniqueKeysWithValues: try zip(names, files).map { ($0, String(decoding: try DurableFiles.read($1, limit: 100), as: UTF8.self)) })
        }
    }

    @Test func `what was forced to disk in the right order is there, whatever is lost`() throws {
        for loss in DiskModel.Loss.allCases { #expect(try disk(Self.calls, loss) == ["config": "config", "index/x": "abcdefg"]) }
    }

    @Test func `a name that was not forced is lost, with the file`() throws {
        #expect(try disk(Array(Self.calls.dropLast()), .everything) == ["config": "config"])
        #expect(try disk(Array(Self.calls.dropLast()), .content) == ["config": "config", "index/x": "abcdefg"])
    }

    @Test func `content that was not forced is lost, though the name is there`() throws {
        var calls = Self.calls
        calls.remove(at: 3)
        for loss in [DiskModel.Loss.everything, .content] { #expect(try disk(calls, loss) == ["config": "config", "index/x": ""]) }
        let some = try Set((0..<40).map { try disk(calls, .some, seed: $0)["index/x"] ?? "no file" })
        #expect(some.isSuperset(of: ["", "abcdefg", "\0\0\0\0\0\0\0"]) && some.count > 4 && !some.contains("no file"))
    }

    @Test func `a removal that was not forced may be undone`() throws {
        let calls = ["unlink\tconfig\tconfig"]
        #expect(try disk(calls, .everything) == ["config": "config"])
        #expect(try disk(calls, .content) == [:])
        #expect(try disk(calls + ["fsync\t.\t."], .everything) == [:])
    }
}
