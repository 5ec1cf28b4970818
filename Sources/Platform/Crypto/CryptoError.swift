internal import COpenSSL

/// An OpenSSL call that failed, or input that no cipher takes.
package struct CryptoError: ExplainedError, Equatable {
    package let call: String
    /// OpenSSL's own words, newest first; empty when it said nothing.
    package let detail: String

    package init(_ call: String, detail: String = "") {
        self.call = call
        self.detail = detail
    }

    package var message: Phrase {
        Phrase(vi: "mật mã: \(call) thất bại \(detail)", en: "cryptography: \(call) failed \(detail)")
    }

    /// Takes everything OpenSSL has queued on this thread, so that no later call reports it again.
    static func drainingQueue(after call: String) -> CryptoError {
        var reasons: [String] = []
        while true {
            let code = ERR_get_error()
            if code == 0 { break }
            var text = [CChar](repeating: 0, count: 256)
            unsafe ERR_error_string_n(code, &text, text.count)
            reasons.append(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
        }
        return CryptoError(call, detail: reasons.joined(separator: "; "))
    }
}
