/// The languages a person may read Sentinel in.
package enum Language: String, Sendable, CaseIterable, Codable {
    case vi, en

    /// The language of a locale name such as `vi_VN.UTF-8`; English for anything else that is set.
    package init?(locale: String) {
        if locale.isEmpty { return nil }
        self = locale.hasPrefix("vi") ? .vi : .en
    }
}

/// One text in every language. A missing translation does not compile, because both parameters are required.
package struct Phrase: Sendable, Hashable, Codable {
    package let vi: String
    package let en: String

    package init(vi: String, en: String) {
        self.vi = vi
        self.en = en
    }

    /// A text that is the same in every language: a name, a path, a number.
    package init(verbatim text: String) {
        self.init(vi: text, en: text)
    }

    package func text(_ language: Language) -> String {
        switch language {
        case .vi: vi
        case .en: en
        }
    }
}

/// An error a person can act on: what happened (with the path or name) and how to mend it.
package protocol ExplainedError: Error, CustomStringConvertible {
    var message: Phrase { get }
    var hint: Phrase? { get }
}

extension ExplainedError {
    package var hint: Phrase? { nil }
    package var description: String { message.en }
}
