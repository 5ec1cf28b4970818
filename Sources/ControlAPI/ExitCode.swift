/// How a command of Sentinel ends. Where restic has a meaning for a number, it is kept.
///
/// `sentinelctl integrity check` alone uses AIDE's space instead: see ``IntegrityExit``.
package enum ExitCode: Int32, CaseIterable, Sendable, Codable {
    /// Done, nothing to report.
    case success = 0
    /// Failed; the reason is on standard error.
    case failure = 1
    /// The configuration, a playbook or an argument is wrong; nothing was done.
    case configuration = 2
    /// Done, but not completely: a snapshot lacks unreadable files, a restore left something out.
    case incomplete = 3
    /// A check found damage: repository, ledger, drill.
    case damaged = 4
    /// The daemon refused: the role or the state does not allow it.
    case refused = 5
    /// No daemon answers on the control socket.
    case unreachable = 6
    /// What was named does not exist.
    case notFound = 7
    /// There is no repository at that place.
    case noRepository = 10
    /// The repository is locked by somebody else.
    case locked = 11
    /// No key of the repository opens with that password.
    case wrongPassword = 12
    /// The command line was not understood (EX_USAGE).
    case usage = 64
    /// Stopped by Ctrl-C.
    case interrupted = 130

    /// One line for the manual: what the number means, in Vietnamese and English.
    package var meaning: (vi: String, en: String) {
        switch self {
        case .success: ("xong, không có gì bất thường", "done, nothing to report")
        case .failure: ("thất bại, lý do ở luồng lỗi", "failed, the reason is on standard error")
        case .configuration: ("cấu hình hoặc kịch bản sai", "the configuration or a playbook is wrong")
        case .incomplete: ("xong nhưng chưa trọn vẹn", "done, but incomplete")
        case .damaged: ("kiểm tra phát hiện hư hỏng", "a check found damage")
        case .refused: ("bị từ chối: không đủ vai trò hoặc sai trạng thái", "refused: role or state does not allow it")
        case .unreachable: ("không kết nối được tới sentineld", "sentineld cannot be reached")
        case .notFound: ("không tìm thấy đối tượng được nêu", "what was named does not exist")
        case .noRepository: ("không có kho sao lưu ở vị trí này", "no repository at that place")
        case .locked: ("kho sao lưu đang bị khóa", "the repository is locked")
        case .wrongPassword: ("sai mật khẩu kho sao lưu", "wrong repository password")
        case .usage: ("dòng lệnh không hợp lệ", "the command line was not understood")
        case .interrupted: ("bị dừng bằng Ctrl-C", "stopped by Ctrl-C")
        }
    }
}

/// Exit status of `sentinelctl integrity check`, as AIDE has it: a sum of bits, errors from 14 up.
package struct IntegrityExit: Sendable {
    package static let added: Int32 = 1
    package static let removed: Int32 = 2
    package static let changed: Int32 = 4
    /// The comparison could not be made.
    package static let failure: Int32 = 14
    /// There is no approved baseline yet.
    package static let noBaseline: Int32 = 15
    /// The approved baseline does not match the ledger.
    package static let tampered: Int32 = 16
    /// Some files could not be read, and nothing else was found.
    package static let unreadable: Int32 = 17

    package static func status(added: Int, removed: Int, changed: Int) -> Int32 {
        (added > 0 ? Self.added : 0) | (removed > 0 ? Self.removed : 0) | (changed > 0 ? Self.changed : 0)
    }
}
