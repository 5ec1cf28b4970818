import Platform
import Testing

private func parse(_ text: String, limits: YAMLLimits = YAMLLimits()) throws -> YAMLNode {
    try YAMLDocument.parse(Array(text.utf8), file: "t.yaml", limits: limits)
}

/// A tree as one line: scalars in quotes when they were not plain, with the line of each key.
private func shape(_ node: YAMLNode) -> String {
    switch node.value {
    case .scalar(let scalar): scalar.isPlain ? scalar.text : "\"\(scalar.text)\""
    case .sequence(let items): "[" + items.map(shape).joined(separator: " ") + "]"
    case .mapping(let entries): "{" + entries.map { "\($0.key)@\($0.keyPosition.line):\(shape($0.value))" }.joined(separator: " ") + "}"
    }
}

private func failure(_ text: String, limits: YAMLLimits = YAMLLimits()) -> YAMLError? {
    do {
        _ = try parse(text, limits: limits)
        return nil
    } catch let error as YAMLError {
        return error
    } catch {
        return nil
    }
}

@Suite struct YAMLDocumentTests {
    @Test func `a tree keeps order, quoting and lines`() throws {
        let text = """
            # comment
            b: 1
            a: "2"
            list: [x, 'y', {z: ~}]
            deep:
              - one
              - k: |
                  two
                  lines
            """
        #expect(try shape(parse(text)) == "{b@2:1 a@3:\"2\" list@4:[x \"y\" {z@4:~}] deep@5:[one {k@7:\"two\nlines\"}]}")
    }

    @Test func `positions count from one, in characters`() throws {
        let node = try parse("tên: {giá: trị}")
        guard case .mapping(let entries) = node.value, case .mapping(let inner) = entries[0].value.value else {
            Issue.record("not a mapping")
            return
        }
        #expect(entries[0].keyPosition == YAMLPosition(line: 1, column: 1))
        #expect(inner[0].value.position == YAMLPosition(line: 1, column: 12))
    }

    @Test(arguments: [
        ("a: &x 1", YAMLError.Code.unsupported, "t.yaml:1: anchor '&x' is not supported"),
        ("a: 1\nb: *x", .unsupported, "t.yaml:2: alias '*x' is not supported"),
        ("a: !!str 1", .unsupported, "t.yaml:1: tag 'tag:yaml.org,2002:str' is not supported"),
        ("a: !local {b: 1}", .unsupported, "t.yaml:1: tag '!local' is not supported"),
        ("a: 1\n---\nb: 2", .unsupported, "t.yaml:2: a second YAML document in the same file"),
        ("a: 1\nb: 2\na: 3", .duplicateKey, "t.yaml:3: key 'a' is given twice, first in line 1"),
        ("[a]: 1", .unsupported, "t.yaml:1: a key must be a plain text"),
        ("a: \"\\0\"", .syntax, "t.yaml:1: the text holds a NUL character"),
        ("a: 1\nb: [1, 2\nc: 3", .syntax, "t.yaml:3: YAML syntax: did not find expected ',' or ']'"),
        ("a: 1\n\tb: 2", .syntax, "t.yaml:2: YAML syntax: found a tab character that violates indentation"),
        ("a: @b", .syntax, "t.yaml:1: YAML syntax: found character that cannot start any token"),
        ("a: b: c", .syntax, "t.yaml:1: YAML syntax: mapping values are not allowed in this context"),
        ("a: 'x", .syntax, "t.yaml:1: YAML syntax: found unexpected end of stream"),
        ("a: 1\nb: \u{1}", .syntax, "t.yaml:2: YAML syntax: control characters are not allowed"),
        ("", .empty, "t.yaml:1: the file is empty"),
        ("# only a comment\n", .empty, "t.yaml:1: the file is empty"),
        ("---\n...\n", .empty, "t.yaml:1: the file is empty"),
        ("*a", .unsupported, "t.yaml:1: alias '*a' is not supported"),
        ("a: &\u{1b}[2J 1", .syntax, "t.yaml:1: YAML syntax: control characters are not allowed"),
    ])
    func `what we do not read is refused with its line`(text: String, code: YAMLError.Code, message: String) {
        let error = failure(text)
        #expect(error?.code == code)
        #expect(error?.message.en == message)
    }

    @Test func `every message has its Vietnamese text`() {
        let error = failure("a: 1\n\tb: 2")
        #expect(error?.message.vi == "t.yaml:2: sai cú pháp YAML: ký tự Tab làm sai thụt dòng")
        #expect(error?.hint?.vi == "thụt dòng bằng dấu cách, không dùng phím Tab; chuỗi bắt đầu bằng @ ` % phải đặt trong dấu nháy")
    }

    @Test func `bytes that are no UTF-8 are refused with their line`() throws {
        let bytes = Array("a: 1\nb: 2\nc: ".utf8) + [0xC3, 0x28]
        let error = #expect(throws: YAMLError.self) { try YAMLDocument.parse(bytes, file: "t.yaml") }
        #expect(error?.code == .syntax)
        #expect(error?.line == 3)
    }

    @Test func `one mebibyte is read, one byte more is refused`() throws {
        let comment = String(repeating: "#", count: (1 << 20) - 5)
        #expect(throws: Never.self) { try parse("a: 1\n" + comment) }
        #expect(failure("a: 1\n" + comment + "#")?.message.en == "t.yaml:1: the file has 1048577 bytes, the limit is 1048576")
    }

    @Test(arguments: [("[", "]"), ("{a: ", "}")])
    func `depth 32 is read, depth 33 is refused`(open: String, close: String) throws {
        func nested(_ depth: Int) -> String {
            String(repeating: open, count: depth) + "x" + String(repeating: close, count: depth)
        }
        #expect(throws: Never.self) { try parse(nested(32)) }
        #expect(failure(nested(33))?.code == .limit)
        #expect(failure(nested(33))?.message.en == "t.yaml:1: nested deeper than 32 levels")
        #expect(failure(String(repeating: open, count: 100_000))?.code == .limit)
    }

    @Test func `the number of values is limited`() {
        let limits = YAMLLimits(nodeCount: 10)
        #expect(failure("[1,2,3,4,5,6,7,8,9]", limits: limits) == nil)
        #expect(failure("[1,2,3,4,5,6,7,8,9,10]", limits: limits)?.code == .limit)
        #expect(failure("{a: 1, b: 2, c: 3, d: 4, e: 5}", limits: limits)?.code == .limit)
    }

    @Test func `an alias bomb is refused at its first anchor`() {
        var bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
        for (name, previous) in zip("bcdefghi", "abcdefgh") {
            bomb += "\(name): &\(name) [" + Array(repeating: "*\(previous)", count: 9).joined(separator: ", ") + "]\n"
        }
        let error = failure(bomb)
        #expect(error?.code == .unsupported)
        #expect(error?.line == 1)
    }

    @Test func `a mapping of many keys takes time in proportion`() throws {
        let text = (0..<40_000).map { "k\($0): v" }.joined(separator: "\n")
        let clock = ContinuousClock()
        let duration = try clock.measure { _ = try parse(text) }
        // Quadratic behaviour would take minutes.
        #expect(duration < .seconds(10))
    }

    @Test func `a hostile file name is escaped`() {
        let error = #expect(throws: YAMLError.self) { try YAMLDocument.parse([], file: "a\u{1b}[31m\nb") }
        #expect(error?.message.en == "a\\x1b[31m\\nb:1: the file is empty")
    }
}
