package import Platform

/// All settings of one site, checked: names resolve, times and paths are well-formed, nothing is unknown.
package struct Configuration: Sendable {
    package let site: Site
    package let team: Team
    /// In the order of the file, as everything below.
    package let assets: [Asset]
    package let integrity: IntegritySettings
    package let health: HealthSettings
    package let backup: BackupSettings
    package let drills: [DrillSettings]
    package let notify: NotifySettings
    package let control: ControlSettings
    /// SHA-256 of the bytes that were read: which config was in force is part of the record.
    package let digest: Digest

    package func asset(named name: String) -> Asset? { assets.first { $0.name == name } }
    package func drill(named name: String) -> DrillSettings? { drills.first { $0.name == name } }
}

/// The body that the installation belongs to.
package struct Site: Sendable, Hashable {
    package let name: String
    /// Short code, part of incident numbers: `DK01`.
    package let code: String
    package let language: Language
    /// A zone that this system knows, such as `Asia/Ho_Chi_Minh`. Give it to ``CivilTime/setZone(_:)`` at start.
    package let timezone: String
}

/// An information system: who owns it, who runs it, which rules apply to it.
package struct Asset: Sendable, Hashable {
    package let name: String
    /// For people.
    package let title: String
    /// Chủ quản.
    package let owner: String?
    /// Đơn vị vận hành.
    package let operatedBy: String?
    /// Cấp độ, 1...5 (NĐ 331/2026 keeps the five levels).
    package let level: Int?
    /// True for a system of the ministries of public security or defence: other acts apply to it.
    package let isPolice: Bool
    package let holdsPersonalData: Bool
}

/// The groups of the system whose members hold a role on the control socket.
package struct ControlSettings: Sendable, Hashable {
    package let readers: String
    package let responders: String
    package let administrators: String

    package static let standard = ControlSettings(
        readers: "sentinel-read", responders: "sentinel-respond", administrators: "sentinel-admin")
}
