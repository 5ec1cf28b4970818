internal import Platform

extension DocumentValue {
    /// An `http` or `https` URL without user name and password: a secret must not stand in the config.
    func webAddress() -> String? {
        guard let text = string(maximumCharacters: 2000) else { return nil }
        guard let scheme = ["https://", "http://"].first(where: { text.hasPrefix($0) }),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            report(
                .wrongValue, Phrase(vi: "'\(excerpt(text))' không phải địa chỉ web", en: "'\(excerpt(text))' is no web address"),
                hint: Phrase(vi: "bắt đầu bằng https:// hoặc http://, không có khoảng trắng và dấu", en: "start with https:// or http://, without spaces"))
            return nil
        }
        let authority = text.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if authority.contains("@") {
            report(
                .wrongValue,
                Phrase(vi: "địa chỉ chứa tên đăng nhập hoặc mật khẩu", en: "the address holds a user name or a password"),
                hint: Phrase(vi: "bỏ phần trước dấu @", en: "remove the part before the @"))
            return nil
        }
        var host = authority
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            guard let port = Int(authority[authority.index(after: colon)...]), (1...65535).contains(port) else {
                report(.wrongValue, Phrase(vi: "cổng trong '\(excerpt(text))' không hợp lệ", en: "the port in '\(excerpt(text))' is not valid"))
                return nil
            }
            host = authority[..<colon]
        }
        if host.isEmpty {
            report(.wrongValue, Phrase(vi: "'\(excerpt(text))' thiếu tên máy", en: "'\(excerpt(text))' names no host"))
            return nil
        }
        return text
    }

    /// A mail address that can stand in a header: one `@`, visible ASCII, nothing a mail program takes for an option or a list.
    func mailAddress() -> String? {
        guard let text = string(maximumCharacters: 254) else { return nil }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let forbidden = Set("<>(),;:\\\"[]".utf8)
        if parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, !text.hasPrefix("-"),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !forbidden.contains($0) })
        {
            return text
        }
        report(.wrongValue, Phrase(vi: "'\(excerpt(text))' không phải địa chỉ thư", en: "'\(excerpt(text))' is no mail address"))
        return nil
    }

    /// References in order, each at most once.
    func references(to kind: DocumentProblems.NameKind) -> [String] {
        var seen: Set<String> = []
        return (items() ?? []).compactMap { item in
            guard let name = item.reference(to: kind) else { return nil }
            guard seen.insert(name).inserted else {
                item.report(.duplicate, Phrase(vi: "'\(item.excerpt(name))' bị lặp lại", en: "'\(item.excerpt(name))' is given twice"))
                return nil
            }
            return name
        }
    }
}
