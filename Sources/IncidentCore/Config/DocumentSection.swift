internal import Platform

/// A mapping whose keys we know. It remembers which keys were asked for, so that ``finish()`` can report all others.
struct DocumentSection {
    let position: YAMLPosition
    let path: String
    let problems: DocumentProblems
    private let entries: [String: YAMLEntry]
    private var known: [String] = []
    private var planned: Set<String> = []

    init(entries: [YAMLEntry], position: YAMLPosition, path: String, problems: DocumentProblems) {
        // The YAML reader has refused duplicate keys, so nothing is lost.
        self.entries = Dictionary(entries.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        self.position = position
        self.path = path
        self.problems = problems
    }

    /// The value of an optional key; nil when the key is absent. A key without a value is reported.
    mutating func optional(_ key: String) -> DocumentValue? {
        known.append(key)
        guard let entry = entries[key] else { return nil }
        let value = DocumentValue(node: entry.value, path: child(key), problems: problems, keyPosition: entry.keyPosition)
        if entry.value.isNull {
            problems.report(
                .wrongType, at: entry.keyPosition,
                Phrase(vi: "\(child(key)): không có giá trị", en: "\(child(key)): has no value"),
                hint: Phrase(
                    vi: "ghi giá trị, hoặc xóa khóa này; kiểm tra thụt dòng của phần bên dưới",
                    en: "give it a value or remove the key; check the indentation below it"))
            return nil
        }
        return value
    }

    /// The value of a key that must be there.
    mutating func required(_ key: String) -> DocumentValue? {
        if !has(key) {
            problems.report(
                .missingKey, at: position,
                Phrase(vi: "\(place.vi): thiếu khóa '\(key)'", en: "\(place.en): key '\(key)' is missing"))
        }
        return optional(key)
    }

    /// Keys of the format that this version does not implement: naming them is no slip of the pen.
    mutating func notAvailable(_ keys: String...) { planned.formUnion(keys) }

    func has(_ key: String) -> Bool { entries[key] != nil }

    func keyPosition(_ key: String) -> YAMLPosition { entries[key]?.keyPosition ?? position }

    /// Reports the keys that nothing asked for.
    consuming func finish() {
        for (key, entry) in entries where !known.contains(key) {
            let name = key.count <= 60 ? escapedForDisplay(key) : escapedForDisplay(String(key.prefix(57))) + "..."
            if planned.contains(key) {
                problems.report(
                    .notAvailable, at: entry.keyPosition,
                    Phrase(
                        vi: "phiên bản này chưa hỗ trợ khóa '\(name)' (\(place.vi))",
                        en: "key '\(name)' is not available in this version (\(place.en))"),
                    hint: Phrase(vi: "xóa hoặc ghi chú khóa này", en: "remove the key or comment it out"))
            } else {
                let list = known.sorted().joined(separator: ", ")
                problems.report(
                    .unknownKey, at: entry.keyPosition,
                    Phrase(vi: "khóa lạ '\(name)' (\(place.vi))", en: "unknown key '\(name)' (\(place.en))"),
                    hint: Suggestion.hint(for: key, among: known)
                        ?? Phrase(vi: "các khóa có thể dùng: \(list)", en: "known keys: \(list)"))
            }
        }
    }

    private var place: Phrase {
        path.isEmpty ? Phrase(vi: "ở mức ngoài cùng", en: "at the top level") : Phrase(vi: "trong \(path)", en: "in \(path)")
    }

    private func child(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}
