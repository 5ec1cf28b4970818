package import Platform

/// A time in which changes to an area may have happened without being seen one by one. It ends with a rescan of the area, which finds
/// what is different, but not what happened in between.
package struct BlindInterval: Sendable, Hashable {
    package enum Reason: String, Sendable {
        /// The watcher did not run.
        case notRunning
        /// The kernel's event queue overflowed (`fs.inotify.max_queued_events`).
        case overflow
        /// The user has no watches left (`fs.inotify.max_user_watches`).
        case watchLimit
        /// The directory could not be opened or listed.
        case unreadable
        /// The directory can be reached by another path too, and events come for that one only.
        case alias
        /// The root of the rule was replaced, mounted or came back.
        case rootReplaced
        /// The file system was unmounted.
        case unmounted
        /// No event queue could be made.
        case noEvents

        package var name: Phrase {
            switch self {
            case .notRunning: Phrase(vi: "bộ theo dõi không chạy", en: "the watcher was not running")
            case .overflow: Phrase(vi: "tràn hàng đợi sự kiện của nhân", en: "the kernel's event queue overflowed")
            case .watchLimit: Phrase(vi: "hết số lượng theo dõi cho phép", en: "no watches are left")
            case .unreadable: Phrase(vi: "không mở được thư mục", en: "the directory cannot be opened")
            case .alias: Phrase(vi: "thư mục có đường dẫn thứ hai", en: "the directory has a second path")
            case .rootReplaced: Phrase(vi: "thư mục gốc đã bị thay thế", en: "the root was replaced")
            case .unmounted: Phrase(vi: "hệ thống tệp đã bị gỡ", en: "the file system was unmounted")
            case .noEvents: Phrase(vi: "không tạo được hàng đợi sự kiện", en: "no event queue could be made")
            }
        }
    }

    package let from: Timestamp
    package let to: Timestamp
    package let area: FilePath
    package let reason: Reason

    package init(from: Timestamp, to: Timestamp, area: FilePath, reason: Reason) {
        self.from = from
        self.to = to
        self.area = area
        self.reason = reason
    }
}
