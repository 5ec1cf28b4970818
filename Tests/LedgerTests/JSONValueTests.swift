import Ledger
import Platform
import TestSupport
import Testing

@Suite struct JSONValueTests {
    @Test func `members stand in the order of their bytes, without spaces`() {
        let value: JSONValue = ["b": [1, nil, true], "a": "x\"\\\n\u{1}/é", "Z": -7, "é": [:], "z": []]
        #expect(value.canonicalText == #"{"Z":-7,"a":"x\"\\\n\u0001/é","b":[1,null,true],"z":[],"é":{}}"#)
    }

    @Test func `what is written can be read again`() throws {
        let value: JSONValue = ["n": .integer(.min), "m": .integer(.max), "s": "😀 \u{7F} \t", "deep": [[["x"]]]]
        #expect(try JSONValue(parsing: value.canonicalBytes, limitBytes: 1000) == value)
    }

    @Test func `escapes are read, surrogate pairs included`() throws {
        let value = try JSONValue(parsing: #" [ "\u0041\ud83d\ude00\/\b" , -0 ] "#, limitBytes: 100)
        #expect(value == ["A😀/\u{8}", 0])
    }

    @Test(arguments: [
        ("", JSONError.Code.syntax), ("[1,]", .syntax), ("{\"a\":1,}", .syntax), ("[1", .syntax), ("01", .syntax), ("-", .syntax),
        ("1 2", .syntax), ("\"a", .syntax), ("\"\n\"", .syntax), (#""\x""#, .syntax), ("nul", .syntax), ("{1:2}", .syntax),
        ("1.5", .notAnInteger), ("1e3", .notAnInteger), ("9223372036854775808", .notAnInteger),
        ("-9223372036854775809", .notAnInteger), ("99999999999999999999999", .notAnInteger),
        (#""\ud800""#, .invalidText), (#""\ud800\u0041""#, .invalidText), (#""\udc00""#, .invalidText),
        (#"{"a":1,"a":2}"#, .duplicateKey),
    ])
    func `malformed input is refused by name`(_ text: String, _ code: JSONError.Code) {
        #expect { try JSONValue(parsing: text, limitBytes: 1000) } throws: { ($0 as? JSONError)?.code == code }
    }

    @Test func `invalid UTF-8 is refused`() {
        #expect { try JSONValue(parsing: [0x22, 0xFF, 0x22], limitBytes: 10) } throws: { ($0 as? JSONError)?.code == .invalidText }
    }

    @Test func `depth and size are limited`() throws {
        let open = String(repeating: "[", count: 64)
        let close = String(repeating: "]", count: 64)
        _ = try JSONValue(parsing: open + close, limitBytes: 1000)
        #expect { try JSONValue(parsing: "[\(open)\(close)]", limitBytes: 1000) } throws: { ($0 as? JSONError)?.code == .tooDeep }
        let many = String(repeating: "[", count: 1_000_000)
        #expect { try JSONValue(parsing: many, limitBytes: 2_000_000) } throws: { ($0 as? JSONError)?.code == .tooDeep }
        #expect { try JSONValue(parsing: "[1,2]", limitBytes: 4) } throws: { ($0 as? JSONError)?.code == .tooLarge }
    }

    struct Sample: Codable, Equatable {
        var id: Int64
        var name: String?
        var list: [UInt8]
        var nested: [String: Bool]
        var free: JSONValue
    }

    @Test func `Swift values convert both ways, integers exactly`() throws {
        let sample = Sample(id: .max, name: "Ơ", list: [0, 255], nested: ["a": true], free: ["k": [1, nil, "x", false]])
        let value = try JSONValue(encoding: sample)
        #expect(value["id"]?.integer == .max)
        #expect(try value.decode(as: Sample.self) == sample)
        #expect { try JSONValue(encoding: [1.5]) } throws: { ($0 as? JSONError)?.code == .notAnInteger }
        #expect { try (["id": "x"] as JSONValue).decode(as: Sample.self) } throws: {
            ($0 as? JSONError)?.detail.contains("id") == true
        }
    }

    @Test func `damaged input never traps, and what is accepted has one form`() throws {
        let corpus = [
            #"{"actor":{"kind":"system","name":"watch"},"facts":{"path":"/srv","n":-12},"list":[1,2,[true,false,null]]}"#,
            #"["\u0041\ud83d\ude00",{"a":{"b":{"c":[]}}},-9223372036854775808]"#,
        ].map { Array($0.utf8) }
        try fuzz("ledger.json", corpus: corpus) { input in
            guard let value = try? JSONValue(parsing: input, limitBytes: 1 << 16) else { return }
            let bytes = value.canonicalBytes
            let again = try JSONValue(parsing: bytes, limitBytes: 1 << 20)
            if again.canonicalBytes != bytes { throw BodyFailure() }
        }
    }
}
