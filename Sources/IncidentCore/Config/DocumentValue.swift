internal import Platform

/// One value of a file, with the path of keys that leads to it. Every accessor reports what is wrong and then returns nil.
struct DocumentValue {
    let node: YAMLNode
    /// `health.checks.web.interval`, for messages.
    let path: String
    let problems: DocumentProblems
    /// Where the key of this value stands, if it has one.
    var keyPosition: YAMLPosition?

    /// The line to look at: that of the key for a group below it, else that of the value.
    var position: YAMLPosition {
        if case .scalar = node.value { return node.position }
        return keyPosition ?? node.position
    }

    func report(_ code: DocumentProblem.Code, _ problem: Phrase, hint: Phrase? = nil) {
        problems.report(
            code, at: position, Phrase(vi: "\(path): \(problem.vi)", en: "\(path): \(problem.en)"), hint: hint)
    }

    func reportWrongType(expected: Phrase, hint: Phrase? = nil) {
        let found: Phrase =
            switch node.value {
            case .scalar(let scalar):
                if scalar.isNull {
                    Phrase(vi: "không có giá trị", en: "no value")
                } else {
                    Phrase(vi: "'\(excerpt(scalar.text))'", en: "'\(excerpt(scalar.text))'")
                }
            case .sequence: Phrase(vi: "một danh sách", en: "a list")
            case .mapping: Phrase(vi: "một nhóm khóa", en: "a mapping")
            }
        report(
            .wrongType, Phrase(vi: "cần \(expected.vi), nhưng là \(found.vi)", en: "expected \(expected.en), found \(found.en)"),
            hint: hint)
    }

    /// A non-empty text. Numbers count as text: a phone number needs no quotes.
    func string(maximumCharacters: Int = 500) -> String? {
        let expected = Phrase(vi: "một chuỗi", en: "a text")
        guard case .scalar(let scalar) = node.value, !scalar.isNull else {
            reportWrongType(expected: expected)
            return nil
        }
        if scalar.text.allSatisfy(\.isWhitespace) {
            report(.wrongValue, Phrase(vi: "chuỗi rỗng", en: "the text is empty"))
            return nil
        }
        if scalar.text.count > maximumCharacters {
            report(
                .tooLarge,
                Phrase(
                    vi: "dài \(scalar.text.count) ký tự, giới hạn là \(maximumCharacters)",
                    en: "\(scalar.text.count) characters long, the limit is \(maximumCharacters)"))
            return nil
        }
        return scalar.text
    }

    /// A text of one line without control characters.
    func line(maximumCharacters: Int = 200) -> String? {
        guard let text = string(maximumCharacters: maximumCharacters) else { return nil }
        if escapedForDisplay(text) != text, text.unicodeScalars.contains(where: { $0.value != 0x5C && isUnsafe($0) }) {
            report(.wrongValue, Phrase(vi: "chứa ký tự điều khiển", en: "holds control characters"))
            return nil
        }
        return text
    }

    private func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        let text = String(scalar)
        return escapedForDisplay(text) != text
    }

    /// A name that people type and that other parts refer to: letters, digits, `-`, `_`, `.`; at most 64.
    func name() -> String? {
        guard let text = string(maximumCharacters: 64) else { return nil }
        if !Self.isName(text) {
            report(
                .wrongValue, Phrase(vi: "tên '\(excerpt(text))' không hợp lệ", en: "'\(excerpt(text))' is no valid name"),
                hint: Self.nameHint)
            return nil
        }
        return text
    }

    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLetterOrDigit(first), text.utf8.count <= 64 else { return false }
        return text.utf8.allSatisfy { isLetterOrDigit($0) || [0x2D, 0x2E, 0x5F].contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    static let nameHint = Phrase(
        vi: "chỉ dùng chữ không dấu, chữ số và - _ . ; tối đa 64 ký tự, bắt đầu bằng chữ hoặc số",
        en: "use letters, digits and - _ . only; at most 64, the first a letter or digit")

    func reference(to kind: DocumentProblems.NameKind) -> String? {
        guard let name = string(maximumCharacters: 64) else { return nil }
        problems.refer(to: kind, name, in: path, at: position)
        return name
    }

    func integer(_ range: ClosedRange<Int>) -> Int? {
        let expected = Phrase(
            vi: "một số nguyên từ \(range.lowerBound) đến \(range.upperBound)",
            en: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        guard case .scalar(let scalar) = node.value, scalar.isPlain, let value = Int(scalar.text) else {
            reportWrongType(expected: expected)
            return nil
        }
        guard range.contains(value) else {
            reportWrongType(expected: expected)
            return nil
        }
        return value
    }

    func boolean() -> Bool? {
        if case .scalar(let scalar) = node.value, scalar.isPlain {
            if scalar.text == "true" { return true }
            if scalar.text == "false" { return false }
        }
        reportWrongType(expected: Phrase(vi: "true hoặc false", en: "true or false"))
        return nil
    }

    /// One of the raw values of an enumeration.
    func choice<Value: RawRepresentable & CaseIterable>(_ type: Value.Type) -> Value? where Value.RawValue == String {
        guard let text = string() else { return nil }
        if let value = Value(rawValue: text) { return value }
        let known = Value.allCases.map(\.rawValue)
        let list = known.joined(separator: ", ")
        report(
            .wrongValue,
            Phrase(vi: "không nhận giá trị '\(excerpt(text))'", en: "'\(excerpt(text))' is not a valid value"),
            hint: Suggestion.hint(for: text, among: known) ?? Phrase(vi: "chọn một trong: \(list)", en: "one of: \(list)"))
        return nil
    }

    /// An absolute path, normalised.
    func absolutePath() -> FilePath? {
        guard let text = string(maximumCharacters: 4000) else { return nil }
        let path = FilePath(text)
        guard path.isAbsolute, !path.components.contains(Array("..".utf8)) else {
            report(
                .wrongValue, Phrase(vi: "'\(path)' không phải đường dẫn tuyệt đối", en: "'\(path)' is not an absolute path"),
                hint: Phrase(vi: "viết đường dẫn bắt đầu bằng '/', không có '..'", en: "write a path that starts with '/' and has no '..'"))
            return nil
        }
        return path.normalised
    }

    /// A path below some directory: relative, without `..`.
    func relativePath() -> FilePath? {
        guard let text = string(maximumCharacters: 4000) else { return nil }
        let path = FilePath(text)
        guard !path.isAbsolute, !path.components.isEmpty, !path.components.contains(Array("..".utf8)) else {
            report(
                .wrongValue, Phrase(vi: "'\(path)' phải là đường dẫn tương đối", en: "'\(path)' must be a relative path"),
                hint: Phrase(
                    vi: "viết đường dẫn tính từ thư mục được khôi phục, không có '/' ở đầu và không có '..'",
                    en: "write it relative to the restored directory, without a leading '/' and without '..'"))
            return nil
        }
        return path.normalised
    }

    /// The items of a list that must not be empty.
    func items(maximumCount: Int = 1000) -> [DocumentValue]? {
        guard case .sequence(let nodes) = node.value else {
            reportWrongType(
                expected: Phrase(vi: "một danh sách", en: "a list"),
                hint: Phrase(vi: "đặt trong ngoặc vuông: [a, b]", en: "write it in brackets: [a, b]"))
            return nil
        }
        if nodes.isEmpty {
            report(
                .emptyList, Phrase(vi: "danh sách rỗng", en: "the list is empty"),
                hint: Phrase(vi: "thêm ít nhất một mục, hoặc xóa khóa này", en: "add an item, or remove the key"))
            return nil
        }
        if nodes.count > maximumCount {
            report(
                .tooLarge,
                Phrase(vi: "có \(nodes.count) mục, giới hạn là \(maximumCount)", en: "\(nodes.count) items, the limit is \(maximumCount)"))
            return nil
        }
        return nodes.enumerated().map { DocumentValue(node: $1, path: "\(path)[\($0)]", problems: problems) }
    }

    /// The keys of a mapping, to be asked for by name.
    func section() -> DocumentSection? {
        guard case .mapping(let entries) = node.value else {
            reportWrongType(expected: Phrase(vi: "một nhóm khóa", en: "a mapping"))
            return nil
        }
        return DocumentSection(entries: entries, position: position, path: path, problems: problems)
    }

    /// The entries of a mapping whose keys are names that the author of the file chose.
    func named() -> [(name: String, value: DocumentValue)]? {
        guard case .mapping(let entries) = node.value else {
            reportWrongType(
                expected: Phrase(vi: "một nhóm khóa 'tên: nội dung'", en: "a mapping of names"))
            return nil
        }
        if entries.isEmpty {
            report(
                .emptyList, Phrase(vi: "nhóm rỗng", en: "the mapping is empty"),
                hint: Phrase(vi: "thêm ít nhất một mục, hoặc xóa khóa này", en: "add an entry, or remove the key"))
            return nil
        }
        return entries.compactMap { entry in
            guard Self.isName(entry.key) else {
                let name = excerpt(entry.key)
                problems.report(
                    .wrongValue, at: entry.keyPosition,
                    Phrase(vi: "\(path): tên '\(name)' không hợp lệ", en: "\(path): '\(name)' is no valid name"), hint: Self.nameHint)
                return nil
            }
            let child = DocumentValue(
                node: entry.value, path: "\(path).\(entry.key)", problems: problems, keyPosition: entry.keyPosition)
            return (entry.key, child)
        }
    }

    /// A text shortened for a message.
    func excerpt(_ text: String) -> String {
        text.count <= 60 ? escapedForDisplay(text) : escapedForDisplay(String(text.prefix(57))) + "..."
    }
}
