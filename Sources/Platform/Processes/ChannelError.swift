/// Why two processes of the daemon cannot talk any more.
package struct ChannelError: ExplainedError, Equatable {
    package enum Code: String, Sendable {
        /// The other side has closed its end, or this side has.
        case closed
        /// A frame above the limit, to be sent or announced.
        case oversized
        /// The stream ended inside a frame.
        case truncated
        /// A descriptor came without a frame of its own.
        case unexpectedDescriptor
        /// A payload that is not the expected JSON, or a value that has none.
        case malformed
        /// The time was over; a half-sent frame closes the channel, a half-received one can be waited for again.
        case timedOut
        /// The kernel refused a call.
        case system
    }

    package let code: Code
    package let detail: String
    package let cause: SystemError?

    package init(_ code: Code, detail: String = "", cause: SystemError? = nil) {
        self.code = code
        self.detail = detail
        self.cause = cause
    }

    package var message: Phrase {
        let reason: Phrase =
            switch code {
            case .closed: Phrase(vi: "tiến trình bên kia đã đóng kết nối", en: "the other process has closed the connection")
            case .oversized: Phrase(vi: "thông điệp vượt quá 16 MiB", en: "a message exceeds 16 MiB")
            case .truncated: Phrase(vi: "kết nối đứt giữa một thông điệp", en: "the connection ended inside a message")
            case .unexpectedDescriptor: Phrase(vi: "bộ mô tả tệp không thuộc thông điệp nào", en: "a descriptor belongs to no message")
            case .malformed: Phrase(vi: "thông điệp sai định dạng", en: "a message is malformed")
            case .timedOut: Phrase(vi: "quá thời gian chờ", en: "the time limit has passed")
            case .system: cause?.message ?? Phrase(vi: "lỗi hệ thống", en: "a system call failed")
            }
        let suffix = detail.isEmpty ? "" : ": \(detail)"
        return Phrase(
            vi: "kết nối giữa các tiến trình: \(reason.vi)\(suffix)", en: "link between processes: \(reason.en)\(suffix)")
    }
}
