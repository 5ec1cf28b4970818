internal import Platform

/// The address of a repository on a REST server: `http(s)://[USER:PASSWORD@]HOST[:PORT]/PATH/` or `http+unix:///SOCKET:/PATH/`.
///
/// Compared and printed without care: ``description`` never holds the user or the password.
package struct RestAddress: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    package enum Scheme: String, Sendable, Hashable {
        case http, https
        case unixSocket = "http+unix"
    }

    package let scheme: Scheme
    /// Host and port as in the address; the path of the socket for ``Scheme/unixSocket``.
    package let authority: String
    /// Begins and ends with `/`, escaped as in a URL.
    package let path: String
    /// From the address itself; nil when it names none.
    package let user: String?
    package let password: String?

    /// - Parameter text: What follows `rest:`.
    /// - Throws: `.invalidArgument`; the message does not repeat a password.
    package init(_ text: String) throws(RepositoryError) {
        guard let separator = text.firstRange(of: "://"), let scheme = Scheme(rawValue: String(text[..<separator.lowerBound])) else {
            throw Self.malformed(
                Phrase(
                    vi: "địa chỉ REST phải bắt đầu bằng http://, https:// hoặc http+unix://",
                    en: "a REST address begins with http://, https:// or http+unix://"))
        }
        self.scheme = scheme
        var rest = text[separator.upperBound...]
        if rest.contains(where: { $0 == "?" || $0 == "#" || $0.isWhitespace || !$0.isASCII }) {
            throw Self.malformed(
                Phrase(
                    vi: "địa chỉ REST không được chứa '?', '#', khoảng trắng hay ký tự ngoài ASCII (viết thành %xx)",
                    en: "a REST address must not contain '?', '#', white space or characters beyond ASCII (write them as %xx)"))
        }
        if scheme == .unixSocket {
            // restic's form: the socket, a colon, the path of the repository.
            let parts = rest.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts[0].hasPrefix("/"), parts[0].count > 1, let socket = Self.unescaped(parts[0]) else {
                throw Self.malformed(
                    Phrase(vi: "viết http+unix:///ĐƯỜNG-DẪN-SOCKET:/KHO/", en: "write http+unix:///PATH-OF-SOCKET:/REPOSITORY/"))
            }
            authority = socket
            path = Self.directory(parts.count > 1 ? parts[1] : "/")
            (user, password) = (nil, nil)
            return
        }
        let end = rest.firstIndex(of: "/") ?? rest.endIndex
        path = Self.directory(rest[end...])
        rest = rest[..<end]
        var credential: (user: String?, password: String?) = (nil, nil)
        if let at = rest.lastIndex(of: "@") {
            let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let user = Self.unescaped(parts[0]), let password = Self.unescaped(parts.count > 1 ? parts[1] : "") else {
                throw Self.malformed(
                    Phrase(vi: "tên hoặc mật khẩu trong địa chỉ REST sai dạng %xx", en: "user or password in the REST address has a malformed %xx"))
            }
            credential = (user, password)
            rest = rest[rest.index(after: at)...]
        }
        (user, password) = credential
        guard Self.isHost(rest) else {
            throw Self.malformed(Phrase(vi: "địa chỉ REST không có tên máy hợp lệ", en: "the REST address has no valid host"))
        }
        authority = String(rest)
    }

    package var description: String {
        scheme == .unixSocket ? "rest:http+unix://\(escapedForDisplay(authority)):\(path)" : "rest:\(scheme.rawValue)://\(authority)\(path)"
    }

    /// Keeps `dump` and test failures from printing what ``description`` leaves out.
    package var customMirror: Mirror { Mirror(self, children: ["address": description]) }

    private static func malformed(_ reason: Phrase) -> RepositoryError {
        RepositoryError(
            .invalidArgument, reason,
            hint: Phrase(vi: "ví dụ: rest:https://may-chu:8000/kho/", en: "for example: rest:https://server:8000/repository/"))
    }

    private static func directory(_ path: Substring) -> String {
        let text = path.hasPrefix("/") ? String(path) : "/" + path
        return text.hasSuffix("/") ? text : text + "/"
    }

    /// A name, an IPv4 address or `[IPv6]`, with an optional port.
    private static func isHost(_ text: Substring) -> Bool {
        var host = text
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return false }
            let inner = host[host.index(after: host.startIndex)..<end]
            let port = host[host.index(after: end)...]
            return !inner.isEmpty && inner.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." } && (port.isEmpty || isPort(port))
        }
        if let colon = host.firstIndex(of: ":") {
            guard isPort(host[colon...]) else { return false }
            host = host[..<colon]
        }
        return !host.isEmpty && host.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "." || $0 == "_" }
    }

    private static func isPort(_ text: Substring) -> Bool {
        guard text.first == ":", let port = Int(text.dropFirst()) else { return false }
        return (1...65535).contains(port)
    }

    /// Undoes `%xx`; nil when malformed or not UTF-8.
    private static func unescaped(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var input = Array(text.utf8)[...]
        while let byte = input.popFirst() {
            if byte != UInt8(ascii: "%") {
                bytes.append(byte)
                continue
            }
            guard input.count >= 2, let value = UInt8(String(decoding: input.prefix(2), as: UTF8.self), radix: 16) else { return nil }
            bytes.append(value)
            input = input.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
