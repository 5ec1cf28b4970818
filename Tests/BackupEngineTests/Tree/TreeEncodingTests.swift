import Platform
import TestSupport
import Testing

@testable import BackupEngine

@Suite struct TreeEncodingTests {
    static func quoted(_ name: [UInt8]) -> String {
        var output: [UInt8] = []
        GoText.appendQuotedName(name, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    private func add(_ node: Node, to encoder: inout TreeEncoder) -> Bool { encoder.append(node) }

    static func json(_ bytes: [UInt8]) -> String {
        var output: [UInt8] = []
        GoText.appendJSONString(bytes, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    @Test func `the empty tree has the ID that restic knows`() throws {
        let bytes = TreeEncoder().finish()
        #expect(String(decoding: bytes, as: UTF8.self) == "{\"nodes\":[]}\n")
        #expect(try SHA256.hash(bytes).hex == "ac08ce34ba4f8123618661bef2425f7028ffb9ac740578a3ee88684d2523fee8")
    }

    static let names: [(name: [UInt8], quoted: String)] = [
        (Array("plain name.txt".utf8), #""plain name.txt""#),
        (Array("a\"b".utf8), #""a\\\"b""#),
        (Array("a\\b".utf8), #""a\\\\b""#),
        (Array("a\nb\tc\rd".utf8), #""a\\nb\\tc\\rd""#),
        ([0x61, 0xFF], #""a\\xff""#),
        ([0x7F, 1, 7, 8, 11, 12], #""\\x7f\\x01\\a\\b\\v\\f""#),
        (Array("\u{A0}\u{AD}\u{200B}".utf8), #""\\u00a0\\u00ad\\u200b""#),
        (Array("\u{E000}\u{F0000}".utf8), #""\\ue000\\U000f0000""#),
        (Array("Phường Đống Đa 😀".utf8), "\"Phường Đống Đa 😀\""),
        (Array("<&>".utf8), #""\u003c\u0026\u003e""#),
        (Array("\u{2028}\u{3000}".utf8), #""\\u2028\\u3000""#),
        (Array("\u{FFFD}".utf8), "\"\u{FFFD}\""),
        // Overlong, surrogate, cut off: each byte for itself.
        ([0xC0, 0x80], #""\\xc0\\x80""#),
        ([0xED, 0xA0, 0x80], #""\\xed\\xa0\\x80""#),
        ([0xE2, 0x82], #""\\xe2\\x82""#),
        ([0xF4, 0x90, 0x80, 0x80], #""\\xf4\\x90\\x80\\x80""#),
    ]

    @Test func `names are quoted by Go's rules and come back unchanged`() throws {
        for (name, expected) in Self.names {
            #expect(Self.quoted(name) == expected)
            var encoder = TreeEncoder()
            #expect(add(Node(name: name, kind: .dir), to: &encoder))
            #expect(try Tree(decoding: encoder.finish()).nodes.map(\.name) == [name])
        }
    }

    @Test func `other strings are escaped as encoding/json does`() {
        #expect(Self.json(Array("a<b>&\"\\/".utf8)) == #""a\u003cb\u003e\u0026\"\\/""#)
        #expect(Self.json([0x61, 0xFF, 0x62]) == #""a\ufffdb""#)
        #expect(Self.json([0, 8, 9, 10, 12, 13, 31, 127]) == "\"\\u0000\\b\\t\\n\\f\\r\\u001f\u{7F}\"")
        #expect(Self.json(Array("\u{2028}é".utf8)) == "\"\\u2028é\"")
    }

    /// As stock restic 0.14 writes it, up to the IDs; the zone is that of a child process, because it belongs to the whole process.
    @Test func `a node has its fields in restic's order, times in the local zone`() async {
        await #expect(processExitsWith: .success) {
            try #require(CivilTime.setZone("Etc/GMT-1"))
            var node = Node(name: Array("f".utf8), kind: .file)
            node.mode = FileMode(rawValue: 0o644)
            node.modified = try #require(Timestamp(rfc3339: "2020-01-02T03:04:05Z"))
            node.accessed = node.modified
            node.changed = try #require(Timestamp(rfc3339: "1965-05-05T00:00:00.5Z"))
            node.uid = 1000
            node.user = "u"
            node.inode = .max
            node.deviceID = 9_007_199_254_740_993
            node.size = 5
            node.links = 2
            node.extendedAttributes = [
                ExtendedAttribute(name: Array("user.a".utf8), value: Array("b".utf8)),
                ExtendedAttribute(name: Array("user.empty".utf8), value: []),
            ]
            node.content = [.zero]
            let text = String(decoding: try #require(Tree(nodes: [node]).encoded()), as: UTF8.self)
            try #require(
                text
                    == #"{"nodes":[{"name":"f","type":"file","mode":420,"mtime":"2020-01-02T04:04:05+01:00","atime":"2020-01-02T04:04:05+01:00","ctime":"1965-05-05T01:00:00.5+01:00","uid":1000,"gid":0,"user":"u","inode":18446744073709551615,"device_id":9007199254740993,"size":5,"links":2,"extended_attributes":[{"name":"user.a","value":"Yg=="},{"name":"user.empty","value":""}],"content":["0000000000000000000000000000000000000000000000000000000000000000"]}]}"#
                    + "\n")
            try #require(try Tree(decoding: Array(text.utf8)).nodes == [node])
        }
    }

    @Test func `a link target that is no UTF-8 is kept beside its readable form`() throws {
        var node = Node(name: [0x6C], kind: .symlink)
        node.linkTarget = [0x61, 0xFF]
        let tree = Tree(nodes: [node])
        let bytes = try #require(tree.encoded())
        #expect(String(decoding: bytes, as: UTF8.self).contains(#""linktarget":"a\ufffd","linktarget_raw":"Yf8=""#))
        #expect(try Tree(decoding: bytes) == tree)
    }

    static let times: [(text: String, seconds: Int64)] = [
        ("0001-01-01T00:00:00Z", -62_135_596_800), ("1969-12-31T23:59:59Z", -1), ("9999-12-31T23:59:59Z", 253_402_300_799),
        // Beyond the years that RFC 3339 has: moved to the nearest year, month and day kept.
        ("9999-01-01T00:00:00Z", 253_402_300_800), ("0000-12-31T23:59:59Z", -62_167_219_201),
        // 29 February of the year 10000 becomes 1 March.
        ("9999-03-01T00:00:00Z", 253_402_300_800 + 59 * 86400),
    ]

    @Test func `times beyond the calendar are clamped as Go does`() async {
        await #expect(processExitsWith: .success) {
            try #require(CivilTime.setZone("UTC"))
            for (text, seconds) in Self.times {
                var output: [UInt8] = []
                GoTime.appendJSON(Timestamp(seconds: seconds), to: &output)
                try #require(String(decoding: output, as: UTF8.self) == "\"\(text)\"")
            }
        }
    }

    @Test func `absurd times do not trap`() {
        for seconds in [Int64.min, .max, -67_768_100_567_755_200, 67_767_976_233_316_806] {
            var output: [UInt8] = []
            GoTime.appendJSON(Timestamp(seconds: seconds), to: &output)
            #expect(output.count >= 22)
        }
    }

    @Test func `names that do not ascend are refused`() {
        var encoder = TreeEncoder()
        #expect(add(Node(name: Array("b".utf8), kind: .dir), to: &encoder))
        #expect(!add(Node(name: Array("b".utf8), kind: .dir), to: &encoder))
        #expect(!add(Node(name: Array("a".utf8), kind: .dir), to: &encoder))
        #expect(add(Node(name: [0xFF], kind: .dir), to: &encoder))
        #expect(encoder.nodeCount == 2)
        #expect(Tree(nodes: [Node(name: [1], kind: .dir), Node(name: [1], kind: .dir)]).encoded() == nil)
    }

    /// Appending once copied the whole tree for each node: 50 000 nodes took minutes.
    @Test func `a directory of 50 000 entries is encoded and decoded in linear time`() throws {
        var encoder = TreeEncoder()
        let began = Monotonic.nanoseconds()
        for index in 0..<50_000 {
            var node = Node(name: Array(padded(index, 6).utf8), kind: .file)
            node.modified = Timestamp(seconds: 1_700_000_000 + Int64(index), nanoseconds: 1)
            node.accessed = node.modified
            node.content = [.zero]
            #expect(add(node, to: &encoder))
        }
        let bytes = encoder.finish()
        #expect(try Tree(decoding: bytes).nodes.count == 50_000)
        #expect(Monotonic.nanoseconds() - began < 10_000_000_000)
    }
}
