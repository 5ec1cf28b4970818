package import Platform

/// The roles of a response team. The list is closed, so that a playbook written here finds its people there.
package enum TeamRole: String, Sendable, Hashable, CaseIterable, Codable {
    case leader = "truong-nhom"
    case technician = "ky-thuat"
    case recorder = "thu-ky"
    case head = "lanh-dao"
    case operatingUnit = "van-hanh"
    case dataProtection = "bao-ve-du-lieu"

    package var title: Phrase {
        switch self {
        case .leader: Phrase(vi: "Trưởng nhóm ứng cứu", en: "Team leader")
        case .technician: Phrase(vi: "Kỹ thuật", en: "Technician")
        case .recorder: Phrase(vi: "Thư ký", en: "Recorder")
        case .head: Phrase(vi: "Lãnh đạo", en: "Head of the body")
        case .operatingUnit: Phrase(vi: "Đơn vị vận hành", en: "Operating unit")
        case .dataProtection: Phrase(vi: "Bảo vệ dữ liệu cá nhân", en: "Personal data protection")
        }
    }
}
