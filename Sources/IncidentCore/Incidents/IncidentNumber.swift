internal import Platform

/// The number of an incident: `SC-2026-0001`, counted from 1 in each year of the site's zone.
package struct IncidentNumber: Hashable, Sendable, CustomStringConvertible {
    package let year: Int
    package let number: Int

    package init(year: Int, number: Int) {
        self.year = year
        self.number = number
    }

    /// Reads what a person types: `SC-2026-0001`, `sc-2026-1`, `2026-1`.
    package init?(_ text: some StringProtocol) {
        var parts = text.split(separator: "-", omittingEmptySubsequences: false)
        if parts.count == 3, parts[0].lowercased() == "sc" { parts.removeFirst() }
        guard parts.count == 2, let year = Int(parts[0]), (1970...9999).contains(year), let number = Int(parts[1]),
            (1...9_999_999).contains(number)
        else { return nil }
        self.init(year: year, number: number)
    }

    package var description: String { "SC-\(padded(year, 4))-\(padded(number, 4))" }
}
