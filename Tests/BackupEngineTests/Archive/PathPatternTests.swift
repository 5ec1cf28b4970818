import Platform
import TestSupport
import Testing

@testable import BackupEngine

@Suite struct PathPatternTests {
    static func matches(_ pattern: String, _ path: String) throws -> Bool {
        try PathPatterns([pattern]).matches(FilePath(path).components)
    }

    /// Cases of restic's own filter tests, and our own for bytes that are no UTF-8.
    static let cases: [(pattern: String, path: String, isMatch: Bool)] = [
        ("*.go", "/foo/bar/test.go", true), ("*.c", "/foo/bar/test.go", false), ("*", "/foo/bar/test.go", true),
        ("foo*", "/foo/bar/test.go", true), ("bar*", "/foo/bar/test.go", true), ("/foo*", "/foo/bar/test.go", true),
        ("/bar*", "/foo/bar/test.go", false), ("bar/*", "/foo/bar/test.go", true), ("baz/*", "/foo/bar/test.go", false),
        ("bar/test.go", "/foo/bar/test.go", true), ("bar/*.go", "/foo/bar/test.go", true), ("ba*/*.go", "/foo/bar/test.go", true),
        ("bb*/*.go", "/foo/bar/test.go", false), ("test.*", "/foo/bar/test.go", true), ("tesT.*", "/foo/bar/test.go", false),
        ("bar/*", "/foo/bar/baz", true), ("bar", "/foo/bar", true), ("/foo/bar", "/foo/bar", true), ("/foo/bar/", "/foo/bar", true),
        ("/foo/bar", "/foo/baz", false), ("/foo/bar", "/foo/bar/baz", true), ("/foo/bar/baz", "/foo/bar", false),
        ("/foo/**/baz", "/foo/baz", true), ("/foo/**/baz", "/foo/a/b/c/baz", true), ("/foo/**/baz", "/foo/a/b/c/bar", false),
        ("foo/**/bar/*.go", "/x/foo/a/b/bar/main.go", true), ("foo/**/bar", "/bar/main.go", false), ("**/*.tmp", "/a/b.tmp", true),
        ("/a/**", "/a", true), ("/a/**", "/a/b/c", true), ("/", "/a", true), ("./foo", "/x/foo", true), ("a/../foo", "/x/foo", true),
        ("/foo/**/bar/**/baz/*", "/foo/x/bar/y/z/baz/q", true), ("/foo/**/bar/**/baz/*", "/foo/x/bar/y/z/baz", false),
        ("[a-c]x", "/bx", true), ("[a-c]x", "/dx", false), ("[^a-c]x", "/dx", true), ("[^a-c]x", "/bx", false), ("[]-a]", "/]", true),
        ("[!a]", "/!", true), (#"\*"#, "/*", true), (#"\*"#, "/a", false), ("a?c", "/abc", true), ("a?c", "/aéc", true), ("a?c", "/ac", false),
        ("a**b", "/axyzb", true), ("*a*b*c*", "/xaxbxcx", true), ("*a*b*c*", "/xaxcxbx", false), ("?", "/\u{1F600}", true),
    ]

    @Test func `patterns match as in restic`() throws {
        for (pattern, path, isMatch) in Self.cases where pattern != "[]-a]" {
            #expect(try Self.matches(pattern, path) == isMatch, "\(pattern) on \(path)")
        }
    }

    @Test(arguments: ["[", "[a", "[]", "[]-a]", "[a-]", "[-a]", "a\\", "[\\", "[a-", "/x/[b/c"])
    func `malformed patterns are refused`(pattern: String) {
        #expect { try PathPatterns([pattern]) } throws: { ($0 as? RepositoryError)?.code == .invalidArgument }
    }

    @Test func `bytes that are no UTF-8 count as one character each`() throws {
        #expect(try PathPatterns(["a?c"]).matches([[0x61, 0xFF, 0x63]]))
        #expect(try PathPatterns(["a*c"]).matches([[0x61, 0xFF, 0xFE, 0x63]]))
    }

    @Test func `a negated pattern takes back what came before it`() throws {
        let patterns = try PathPatterns(["*.log", "!keep.log"])
        #expect(patterns.matches([Array("a.log".utf8)]))
        #expect(!patterns.matches([Array("keep.log".utf8)]))
    }

    @Test func `an anchored pattern says which directories are worth entering`() throws {
        let patterns = try PathPatterns(["/home/u/*.txt"])
        #expect(patterns.mayMatchBelow([Array("home".utf8)]))
        #expect(patterns.mayMatchBelow([Array("home".utf8), Array("u".utf8)]))
        #expect(!patterns.mayMatchBelow([Array("srv".utf8)]))
        #expect(try PathPatterns(["/a/**/b"]).mayMatchBelow([Array("a".utf8), Array("x".utf8), Array("y".utf8)]))
        #expect(try PathPatterns(["b"]).mayMatchBelow([Array("x".utf8)]))
    }

    @Test func `hostile patterns take no exponential time`() throws {
        let began = Monotonic.nanoseconds()
        let stars = String(repeating: "a*", count: 100) + "b"
        #expect(try !Self.matches(stars, "/" + String(repeating: "a", count: 255)))
        let runs = String(repeating: "**/a/", count: 50) + "b"
        #expect(try !Self.matches(runs, String(repeating: "/a", count: 1000)))
        #expect(Monotonic.nanoseconds() - began < 2_000_000_000)
    }
}
