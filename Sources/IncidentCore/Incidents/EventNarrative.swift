internal import Ledger
internal import Platform

/// Events in words, for the timeline.
enum EventNarrative {
    /// What a timeline shows.
    static let timelineKinds = [
        EventKind.incidentOpened, EventKind.incidentEscalated, EventKind.incidentNoted, EventKind.incidentAssigned,
        EventKind.incidentResolved, EventKind.incidentClosed, EventKind.incidentReopened, EventKind.playbookAttached,
        EventKind.stepStarted, EventKind.stepFinished, EventKind.stepSkipped, EventKind.notificationQueued,
        EventKind.notificationSent, EventKind.notificationFailed,
    ]

    static func summary(of event: Event) -> Phrase {
        switch event.kind {
        case EventKind.incidentOpened:
            return Phrase(vi: "mở sự cố", en: "incident opened")
        case EventKind.incidentEscalated:
            let severity = event.string("severity").flatMap(Severity.init(rawValue:))?.title
            let title = event.facts["title"]?.phrase
            return Phrase(
                vi: ["nâng mức sự cố", severity?.vi, title?.vi].compactMap { $0 }.joined(separator: ": "),
                en: ["incident escalated", severity?.en, title?.en].compactMap { $0 }.joined(separator: ": "))
        case EventKind.incidentNoted: return Phrase(vi: "ghi chú", en: "note")
        case EventKind.incidentAssigned:
            let name = escapedForDisplay(event.string("assignee") ?? "")
            return Phrase(vi: "giao cho \(name)", en: "assigned to \(name)")
        case EventKind.incidentResolved:
            return event.bool("byItself")
                ? Phrase(vi: "tự chuyển sang đã khắc phục", en: "resolved by itself") : Phrase(vi: "đã khắc phục", en: "resolved")
        case EventKind.incidentClosed:
            return event.bool("byItself") ? Phrase(vi: "tự đóng", en: "closed by itself") : Phrase(vi: "đóng sự cố", en: "closed")
        case EventKind.incidentReopened:
            return event.bool("byItself")
                ? Phrase(vi: "mở lại vì tái diễn", en: "reopened because it happened again") : Phrase(vi: "mở lại", en: "reopened")
        case EventKind.playbookAttached:
            let name = event.string("playbook") ?? ""
            let version = event.string("version") ?? ""
            return Phrase(vi: "áp dụng kịch bản \(name) bản \(version)", en: "playbook \(name) version \(version) attached")
        case EventKind.stepStarted: return step(event, Phrase(vi: "bắt đầu bước", en: "started step"))
        case EventKind.stepFinished: return step(event, Phrase(vi: "xong bước", en: "finished step"))
        case EventKind.stepSkipped: return step(event, Phrase(vi: "bỏ qua bước", en: "skipped step"))
        case EventKind.notificationQueued: return Phrase(vi: "chuẩn bị thông báo", en: "notification queued")
        case EventKind.notificationSent: return channel(event, Phrase(vi: "đã gửi thông báo qua", en: "notification sent by"))
        case EventKind.notificationFailed:
            return channel(event, Phrase(vi: "không gửi được thông báo qua", en: "notification could not be sent by"))
        default: return Phrase(verbatim: event.kind)
        }
    }

    private static func step(_ event: Event, _ verb: Phrase) -> Phrase {
        let name = event.string("step") ?? ""
        return Phrase(vi: "\(verb.vi) \(name)", en: "\(verb.en) \(name)")
    }

    private static func channel(_ event: Event, _ verb: Phrase) -> Phrase {
        let name = escapedForDisplay(event.string("channel") ?? "")
        return Phrase(vi: "\(verb.vi) \(name)", en: "\(verb.en) \(name)")
    }
}
