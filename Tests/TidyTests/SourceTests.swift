import Testing

@Suite struct SourceTests {
    @Test func `no source traps on what it was given`() throws {
        var wrong: [String] = []
        for path in try Repository.files(in: "Sources", endingIn: ".swift") {
            let code = codeOnly(try Repository.text(path))
            wrong += occurrences(of: ["try!", "as!", "fatalError"], in: code, path: path)
        }
        #expect(wrong.isEmpty)
    }

    @Test func `nobody asks Foundation for time zones or calendars`() throws {
        // In a statically linked binary they silently mean GMT; Platform/Clocks asks glibc.
        let forbidden = ["TimeZone", "Calendar", "DateFormatter", "ISO8601DateFormatter", "DateComponents", "formatted", "Locale"]
        var wrong: [String] = []
        for path in try Repository.files(in: "Sources", endingIn: ".swift") {
            wrong += occurrences(of: forbidden, in: codeOnly(try Repository.text(path)), path: path)
        }
        #expect(wrong.isEmpty)
    }

    @Test func `nothing is left for later`() throws {
        // Written in halves, so that this file is no finding.
        let marks = ["TO" + "DO", "FIX" + "ME", "HA" + "CK", "X" + "XX"]
        var wrong: [String] = []
        for folder in ["Sources", "Tests", "scripts", "Benchmarks"] {
            for path in try Repository.files(in: folder) {
                wrong += occurrences(of: marks, in: try Repository.text(path), path: path)
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func `one file, one concept: none is longer than 600 lines`() throws {
        var long: [String] = []
        for path in try Repository.files(in: "Sources", endingIn: ".swift") {
            let count = try Repository.text(path).split(separator: "\n", omittingEmptySubsequences: false).count
            if count > 600 { long.append("\(path): \(count) lines") }
        }
        #expect(long.isEmpty)
    }

    @Test func `Vietnamese texts carry their diacritics`() throws {
        // Five words of Vietnamese without one mark do not occur; a text typed without marks does.
        var wrong: [String] = []
        for path in try Repository.files(in: "Sources", endingIn: ".swift") {
            let lines = try Repository.text(path).split(separator: "\n", omittingEmptySubsequences: false)
            for (number, line) in lines.enumerated() {
                for part in line.split(separator: "vi: \"", omittingEmptySubsequences: false).dropFirst() {
                    let text = plainText(part.prefix { $0 != "\"" })
                    let words = text.split { !$0.isLetter }.filter { $0.count > 1 }
                    let isBare = text.utf8.allSatisfy { $0 < 0x80 }
                    if isBare, words.count >= 5 { wrong.append("\(path):\(number + 1): \(text)") }
                }
            }
        }
        #expect(wrong.isEmpty)
    }
}

/// A literal without its interpolations, quoted commands and options, which are in no language.
private func plainText(_ literal: Substring) -> String {
    var result = ""
    var depth = 0
    var isQuoted = false
    var previous: Character = " "
    for character in literal {
        if character == "(", previous == "\\" || depth > 0 {
            depth += 1
        } else if character == ")", depth > 0 {
            depth -= 1
        } else if character == "'" {
            isQuoted.toggle()
        } else if depth == 0, !isQuoted, character != "\\" {
            result.append(character)
        }
        previous = character
    }
    return result
}

@Suite struct CodeOnlyTests {
    @Test(arguments: [
        ("let a = 1 // try!", "let a = 1 "),
        ("a /* b /* c */ d */ e", "a  e"),
        ("f(\"try! \\\" x\") + 1", "f(\"\") + 1"),
        ("g(\"\"\"\n as! \"x\"\n\"\"\")", "g(\"\"\n\n)"),
        ("h(#\"a\"b\"#)", "h(\"\")"),
    ])
    func `comments and strings are no code`(source: String, code: String) {
        #expect(codeOnly(source) == code)
    }

    @Test func `a word inside a longer name is no occurrence`() {
        #expect(occurrences(of: ["Calendar"], in: "let myCalendar = CalendarDay()", path: "x").isEmpty)
        #expect(occurrences(of: ["try!"], in: "a = try! b()", path: "x") == ["x:1: try!"])
    }
}
