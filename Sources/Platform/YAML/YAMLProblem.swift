/// libyaml's sentences about broken syntax, in both languages.
///
/// The English text is libyaml 0.2.5's own (scanner.c, parser.c, reader.c); a sentence not listed here is shown as it is.
enum YAMLProblem {
    static func phrase(_ problem: String) -> Phrase {
        let vi = vietnamese[problem] ?? problem
        return Phrase(vi: "sai cú pháp YAML: \(vi)", en: "YAML syntax: \(problem)")
    }

    static func hint(_ problem: String) -> Phrase? {
        switch problem {
        case "found character that cannot start any token", "found a tab character that violates indentation",
            "found a tab character where an indentation space is expected":
            Phrase(
                vi: "thụt dòng bằng dấu cách, không dùng phím Tab; chuỗi bắt đầu bằng @ ` % phải đặt trong dấu nháy",
                en: "indent with spaces, not tabs; a text that starts with @ ` % must be quoted")
        case "mapping values are not allowed in this context", "could not find expected ':'":
            Phrase(
                vi: "chuỗi có dấu hai chấm phải đặt trong dấu nháy; kiểm tra thụt dòng và dấu ':' của dòng trước",
                en: "quote a text that holds a colon; check the indentation and the ':' of the line before")
        case "did not find expected key", "did not find expected '-' indicator":
            Phrase(vi: "kiểm tra thụt dòng", en: "check the indentation")
        case "did not find expected ',' or '}'", "did not find expected ',' or ']'":
            Phrase(vi: "thiếu dấu đóng ngoặc hoặc dấu phẩy", en: "a closing bracket or a comma is missing")
        case "found unexpected end of stream":
            Phrase(vi: "thiếu dấu nháy đóng", en: "a closing quote is missing")
        default: nil
        }
    }

    private static let vietnamese: [String: String] = [
        "found character that cannot start any token": "ký tự không thể mở đầu một giá trị",
        "found a tab character that violates indentation": "ký tự Tab làm sai thụt dòng",
        "found a tab character where an indentation space is expected": "ký tự Tab ở chỗ phải thụt dòng bằng dấu cách",
        "mapping values are not allowed in this context": "dấu ':' không được phép ở vị trí này",
        "could not find expected ':'": "thiếu dấu ':'",
        "did not find expected key": "không tìm thấy khóa ở vị trí cần có",
        "did not find expected '-' indicator": "thiếu dấu '-'",
        "did not find expected ',' or '}'": "thiếu ',' hoặc '}'",
        "did not find expected ',' or ']'": "thiếu ',' hoặc ']'",
        "did not find expected node content": "thiếu giá trị",
        "did not find expected <document start>": "thừa nội dung sau khi tài liệu đã kết thúc",
        "did not find expected <stream-start>": "không đọc được phần đầu tệp",
        "block sequence entries are not allowed in this context": "dấu '-' không được phép ở vị trí này",
        "block mapping entries are not allowed in this context": "khóa không được phép ở vị trí này",
        "mapping keys are not allowed in this context": "khóa không được phép ở vị trí này",
        "found unexpected end of stream": "tệp kết thúc giữa chừng",
        "found unexpected document indicator": "dấu phân cách tài liệu ở giữa một chuỗi",
        "found unexpected ':'": "dấu ':' không được phép ở vị trí này",
        "found unknown escape character": "ký tự thoát không hợp lệ trong chuỗi có dấu nháy kép",
        "did not find expected hexdecimal number": "thiếu chữ số thập lục phân sau ký tự thoát",
        "found invalid Unicode character escape code": "mã ký tự Unicode không hợp lệ",
        "did not find expected comment or line break": "thừa ký tự ở cuối dòng",
        "found extra content": "thừa nội dung",
        "control characters are not allowed": "không được có ký tự điều khiển",
        "invalid leading UTF-8 octet": "byte đầu của ký tự UTF-8 không hợp lệ",
        "invalid trailing UTF-8 octet": "byte sau của ký tự UTF-8 không hợp lệ",
        "incomplete UTF-8 octet sequence": "ký tự UTF-8 bị cắt ngắn",
        "invalid length of a UTF-8 sequence": "độ dài ký tự UTF-8 không hợp lệ",
        "invalid Unicode character": "ký tự Unicode không hợp lệ",
    ]
}
