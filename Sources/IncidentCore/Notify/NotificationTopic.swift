internal import Platform

/// Why a message goes out.
enum NotificationTopic: String, Sendable {
    case opened, escalated, reopened, cleared, reminder

    var title: Phrase {
        switch self {
        case .opened: Phrase(vi: "Sự cố mới", en: "New incident")
        case .escalated: Phrase(vi: "Sự cố nặng hơn", en: "Incident escalated")
        case .reopened: Phrase(vi: "Sự cố tái diễn", en: "Incident recurred")
        case .cleared: Phrase(vi: "Điều kiện gây sự cố đã hết", en: "Condition cleared")
        case .reminder: Phrase(vi: "Nhắc lại: sự cố chưa xử lý xong", en: "Reminder: incident still open")
        }
    }
}
