package import Platform

/// The seven phases of a response, in order. They follow the workflow of Thông tư 20/2017 (Điều 11) and map to every
/// common standard; see docs/playbook-format.md.
package enum PlaybookPhase: String, Sendable, Hashable, CaseIterable, Codable {
    case intake = "tiep-nhan"
    case verification = "xac-minh"
    case containment = "khoanh-vung"
    case eradication = "xu-ly"
    case recovery = "khoi-phuc"
    case testing = "kiem-tra"
    case review = "tong-ket"

    package var title: Phrase {
        switch self {
        case .intake: Phrase(vi: "Tiếp nhận", en: "Intake")
        case .verification: Phrase(vi: "Xác minh", en: "Verification")
        case .containment: Phrase(vi: "Khoanh vùng", en: "Containment")
        case .eradication: Phrase(vi: "Xử lý", en: "Eradication")
        case .recovery: Phrase(vi: "Khôi phục", en: "Recovery")
        case .testing: Phrase(vi: "Kiểm tra", en: "Testing")
        case .review: Phrase(vi: "Tổng kết", en: "Review")
        }
    }
}
