internal import Platform

extension Team {
    static func read(_ value: DocumentValue) -> Team? {
        guard var section = value.section() else { return nil }
        let people = (section.optional("people")?.named() ?? []).compactMap { name, value in
            value.problems.declare(.person, name)
            return Person.read(name, value).map { (person: $0, value: value) }
        }
        let roles = section.optional("roles").map(readRoles) ?? [:]
        section.finish()
        for (index, later) in people.enumerated() {
            guard let uid = later.person.uid, let earlier = people[..<index].first(where: { $0.person.uid == uid }) else { continue }
            later.value.report(
                .duplicate,
                Phrase(
                    vi: "uid \(uid) đã thuộc về '\(earlier.person.name)'", en: "uid \(uid) already belongs to '\(earlier.person.name)'"),
                hint: Phrase(vi: "mỗi người dùng một tài khoản riêng", en: "each person needs an account of their own"))
        }
        return Team(people: people.map(\.person), roles: roles)
    }

    private static func readRoles(_ value: DocumentValue) -> [TeamRole: [String]] {
        guard var section = value.section() else { return [:] }
        var roles: [TeamRole: [String]] = [:]
        for role in TeamRole.allCases {
            if let people = section.optional(role.rawValue) { roles[role] = people.references(to: .person) }
        }
        section.finish()
        return roles
    }
}

extension Person {
    static func read(_ name: String, _ value: DocumentValue) -> Person? {
        guard var section = value.section() else { return nil }
        let fullName = section.required("name")?.line()
        let phone = section.optional("phone").flatMap(telephone)
        let verified = section.optional("verified")?.date()
        let uid = section.optional("uid").flatMap(userID)
        section.finish()
        return fullName.map { Person(name: name, fullName: $0, phone: phone, verified: verified, uid: uid) }
    }

    private static func telephone(_ value: DocumentValue) -> String? {
        guard let text = value.string() else { return nil }
        let digits = text.utf8.count { (0x30...0x39).contains($0) }
        if (3...15).contains(digits), text.utf8.count <= 30, text.allSatisfy({ "+0123456789 .-()".contains($0) }) { return text }
        value.report(
            .wrongValue, Phrase(vi: "'\(value.excerpt(text))' không phải số điện thoại", en: "'\(value.excerpt(text))' is no telephone number"),
            hint: Phrase(vi: "chỉ dùng chữ số, khoảng trắng và + - . ( )", en: "use digits, spaces and + - . ( ) only"))
        return nil
    }

    /// 4294967295 is the kernel's "nobody in particular".
    private static func userID(_ value: DocumentValue) -> UInt32? {
        if case .scalar(let scalar) = value.node.value, scalar.text == "0" {
            value.report(
                .wrongValue, Phrase(vi: "root (uid 0) không phải là một người", en: "root (uid 0) is not a person"),
                hint: Phrase(vi: "ghi uid của tài khoản cá nhân (xem 'id -u')", en: "give the uid of the person's own account (see 'id -u')"))
            return nil
        }
        return value.integer(1...4_294_967_294).map { UInt32($0) }
    }
}
