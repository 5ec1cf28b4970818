/// The response team (Tổ ứng cứu sự cố): who holds which role.
package struct Team: Sendable, Hashable {
    /// In the order of the file.
    package let people: [Person]
    /// Names of people by role, in order of precedence: the first is asked first.
    package let roles: [TeamRole: [String]]

    package func person(named name: String) -> Person? { people.first { $0.name == name } }

    /// The person behind a user of the system; root is nobody.
    package func person(uid: UInt32) -> Person? { uid == 0 ? nil : people.first { $0.uid == uid } }

    /// Who holds `role`, the first in charge first.
    package func people(in role: TeamRole) -> [Person] { (roles[role] ?? []).compactMap { person(named: $0) } }
}

/// One member of the team. Personal data: it is shown to the team and enters no message that leaves the house.
package struct Person: Sendable, Hashable {
    /// The short name that the config uses.
    package let name: String
    package let fullName: String
    package let phone: String?
    /// When the telephone number was last tried.
    package let verified: CalendarDate?
    /// The user of the system that this person logs in as; never 0.
    package let uid: UInt32?
}
