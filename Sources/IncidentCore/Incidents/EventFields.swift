package import Ledger
package import Platform

extension Phrase {
    /// `{"en": …, "vi": …}`, each cut to `limit` bytes.
    package func json(limit: Int = 600) -> JSONValue {
        ["vi": JSONValue(bounded(vi, limit)), "en": JSONValue(bounded(en, limit))]
    }
}

extension JSONValue {
    /// The phrase that ``Platform/Phrase/json(limit:)`` wrote.
    package var phrase: Phrase? {
        guard let vi = self["vi"]?.string, let en = self["en"]?.string else { return nil }
        return Phrase(vi: vi, en: en)
    }
}

extension Event {
    func string(_ name: String) -> String? { facts[name]?.string }
    func integer(_ name: String) -> Int64? { facts[name]?.integer }
    func bool(_ name: String) -> Bool { facts[name]?.bool ?? false }
}

/// `text` in at most `limit` bytes, as JSON writes it; what is cut off is marked with `…`. Leaves of the ledger are bounded,
/// names and messages are not.
package func bounded(_ text: String, _ limit: Int) -> String {
    // Six bytes are the most that JSON makes of one.
    if text.utf8.count * 6 <= limit || text.unicodeScalars.reduce(0, { $0 + jsonWidth($1) }) <= limit { return text }
    var result = ""
    var size = 3  // of the mark
    for character in text.unicodeScalars {
        size += jsonWidth(character)
        if size > limit { break }
        result.unicodeScalars.append(character)
    }
    return result + "…"
}

/// Bytes of one character inside a canonical JSON string.
private func jsonWidth(_ character: Unicode.Scalar) -> Int {
    switch character.value {
    case 0x22, 0x5C, 0x08, 0x09, 0x0A, 0x0C, 0x0D: 2
    case 0..<0x20: 6
    default: UTF8.width(character)
    }
}

/// `moment` as views carry it: RFC 3339 in the zone of the site.
func viewTime(_ moment: Timestamp) -> String { moment.rfc3339Local }

/// Milliseconds since 1970, as the projections store moments.
func viewTime(milliseconds: Int64) -> String { Timestamp(millisecondsSinceEpoch: milliseconds).rfc3339Local }
