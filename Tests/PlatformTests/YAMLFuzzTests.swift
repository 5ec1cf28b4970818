import Platform
import TestSupport
import Testing

@Suite struct YAMLFuzzTests {
    @Test func `no bytes make the parser crash, and every error names a line of the file`() throws {
        let corpus = [
            "a: {b: [1, 'two', \"three\\n\"], c: |\n  text\n  more\n}\n", "- - - a\n- ? b\n  : c\n- >-\n  folded\n", "%YAML 1.1\n---\na: ~\n...\n",
            "a: &x 1\nb: *x\nc: !t 2\n", "tên: 'giá trị' # ghi chú\nk:\n  - {x: y}\n  -\n   - z\n", "\u{feff}a: 1\r\nb: 2\r\n",
        ].map { Array($0.utf8) }
        try fuzz("YAML", corpus: corpus, iterations: 5000) { bytes in
            do throws(YAMLError) {
                _ = try YAMLDocument.parse(bytes, file: "f")
            } catch {
                // Line ends of YAML: LF, CR, NEL and the two separators of Unicode; one line more for the end itself.
                let lines = bytes.count { $0 == 0x0A || $0 == 0x0D || $0 == 0x85 || $0 == 0xA8 || $0 == 0xA9 } + 2
                #expect((1...lines).contains(error.line))
                #expect(error.message.en.hasPrefix("f:\(error.line): "))
            }
        }
    }
}
