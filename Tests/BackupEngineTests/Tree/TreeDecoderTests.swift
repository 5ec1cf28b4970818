import Platform
import TestSupport
import Testing

@testable import BackupEngine

@Suite struct TreeDecoderTests {
    static func decode(_ text: String) throws(TreeFormatError) -> Tree { try Tree(decoding: Array(text.utf8)) }

    @Test func `what other writers may write is read`() throws {
        #expect(try Self.decode(#"{"nodes":[]}"#).nodes.isEmpty)
        #expect(try Self.decode("{\"nodes\":null}\n").nodes.isEmpty)
        #expect(try Self.decode("{}").nodes.isEmpty)
        let id = String(repeating: "AB", count: 32)
        let text =
            #" { "x": [1, {"y": [true, false, null, -1.5e3, "\u00e9"]}, []], "nodes" : [ {"name":"a","type":"dir","later":{"k":[]},"subtree":"\#(id)"} ] , "z": {} } "#
        let nodes = try Self.decode(text).nodes
        #expect(nodes.count == 1)
        #expect(nodes.first?.subtree?.hex == id.lowercased())
        #expect(nodes.first?.modified == Node.unsetTime)
        #expect(nodes.first?.content == nil)
    }

    @Test func `numbers keep all 64 bits`() throws {
        let nodes = try Self.decode(#"{"nodes":[{"name":"a","type":"file","inode":18446744073709551615,"size":9007199254740993,"content":[]}]}"#).nodes
        #expect(nodes.first?.inode == .max)
        #expect(nodes.first?.size == 9_007_199_254_740_993)
        #expect(nodes.first?.content == [])
    }

    @Test func `escapes are undone, over-escaped names too`() throws {
        let nodes = try Self.decode(
            #"{"nodes":[{"name":"\\x41\\101\\u00e9\\U0001F600\\\"\\\\","type":"\u0064ir"},{"name":"\ud83d\ude00\ud83d","type":"dir"}]}"#
        ).nodes
        #expect(nodes.map(\.name) == [Array("AAé😀\"\\".utf8), Array("😀\u{FFFD}".utf8)])
        #expect(nodes.map(\.kind) == [.dir, .dir])
    }

    @Test func `the raw link target wins`() throws {
        let text = #"{"nodes":[{"name":"l","type":"symlink","linktarget":"a\ufffd","linktarget_raw":"Yf8="}]}"#
        #expect(try Self.decode(text).nodes.first?.linkTarget == [0x61, 0xFF])
    }

    @Test(arguments: [
        "", "[]", "{", #"{"nodes":["#, #"{"nodes":[]"#, #"{"nodes":[]} x"#, #"{"nodes":[{"name":"a"}"#, #"{"nodes":[{"name":"a"},]}"#,
        #"{"nodes":[{"name":"\\'"}]}"#, #"{"nodes":[{"name":"\\x4"}]}"#, #"{"nodes":[{"name":"\\ud800"}]}"#, #"{"nodes":[{"name":"\\400"}]}"#,
        #"{"nodes":[{"name":"a\"b"}]}"#, #"{"nodes":[{"name":"\q"}]}"#, #"{"nodes":[{"size":-1}]}"#, #"{"nodes":[{"size":1.0}]}"#,
        #"{"nodes":[{"size":18446744073709551616}]}"#, #"{"nodes":[{"uid":4294967296}]}"#, #"{"nodes":[{"subtree":"ab"}]}"#,
        #"{"nodes":[{"mtime":"yesterday"}]}"#, #"{"nodes":[{"content":["x"]}]}"#, #"{"nodes":{}}"#, #"{nodes:[]}"#,
        #"{"nodes":[{"linktarget_raw":"Y"}]}"#, "{\"nodes\":[{\"name\":\"a\nb\"}]}",
    ])
    func `malformed trees are refused`(text: String) {
        #expect(throws: TreeFormatError.self) { try Self.decode(text) }
    }

    @Test func `deep nesting is refused without recursion`() {
        let deep = String(repeating: "[", count: 1_000_000)
        #expect(throws: TreeFormatError.self) { try Self.decode("{\"x\":\(deep)") }
        #expect(throws: Never.self) { try Self.decode("{\"x\":\(String(repeating: "[", count: 64))\(String(repeating: "]", count: 64))}") }
    }

    @Test func `a damaged tree is decoded or refused, never worse`() throws {
        var node = Node(name: Array("tệp \u{FF}\n".utf8) + [0xFE], kind: .file)
        node.content = [.zero, .zero]
        node.extendedAttributes = [ExtendedAttribute(name: Array("user.x".utf8), value: [1, 2, 3])]
        node.modified = Timestamp(seconds: 1_700_000_000, nanoseconds: 123)
        node.size = 12
        var link = Node(name: [0xFF], kind: .symlink)
        link.linkTarget = [0xC3]
        let corpus = try [#require(Tree(nodes: [node, link]).encoded()), Array(#"{"a":[{"b":1}],"nodes":[{"name":"\\u00e9"}]}"#.utf8)]
        try fuzz("the tree decoder", corpus: corpus, iterations: 4000) { input in
            do {
                let tree = try Tree(decoding: input)
                // What is read can be written, and reads the same again.
                if let bytes = tree.encoded() { _ = try Tree(decoding: bytes) }
            } catch is TreeFormatError {}
        }
    }
}
