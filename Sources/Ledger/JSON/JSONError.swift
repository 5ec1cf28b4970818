package import Platform

/// Bytes that are no JSON value of ours, or a value that cannot be written as one.
package struct JSONError: ExplainedError, Equatable {
    package enum Code: Sendable {
        /// More bytes than the caller allows.
        case tooLarge
        /// More than ``JSONValue/depthLimit`` arrays and objects inside one another.
        case tooDeep
        /// A byte that cannot stand here, or an early end.
        case syntax
        /// A number with a fraction or an exponent, or one outside 64 bits.
        case notAnInteger
        /// A string that is not valid Unicode.
        case invalidText
        /// A key that stands twice in one object.
        case duplicateKey
        /// A Swift value that does not fit the JSON value, or the other way round.
        case mismatch
    }

    package let code: Code
    /// Bytes before the fault; 0 when the fault has no place.
    package let offset: Int
    /// What does not fit, already escaped for display; empty when the code says everything.
    package let detail: String

    init(_ code: Code, offset: Int = 0, detail: String = "") {
        self.code = code
        self.offset = offset
        self.detail = detail
    }

    package var message: Phrase {
        let reason =
            switch code {
            case .tooLarge: Phrase(vi: "quá lớn", en: "too large")
            case .tooDeep: Phrase(vi: "lồng nhau quá sâu", en: "nested too deeply")
            case .syntax: Phrase(vi: "sai cú pháp", en: "syntax error")
            case .notAnInteger: Phrase(vi: "không phải số nguyên 64 bit", en: "not a 64-bit integer")
            case .invalidText: Phrase(vi: "chuỗi không phải Unicode hợp lệ", en: "a string is not valid Unicode")
            case .duplicateKey: Phrase(vi: "khóa bị lặp", en: "a key stands twice")
            case .mismatch: Phrase(vi: "không đúng kiểu dữ liệu", en: "not of the expected shape")
            }
        let more = detail.isEmpty ? "" : ": \(detail)"
        return Phrase(
            vi: "JSON, byte thứ \(offset): \(reason.vi)\(more)", en: "JSON at byte \(offset): \(reason.en)\(more)")
    }
}
