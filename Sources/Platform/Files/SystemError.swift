internal import CLinux
internal import Glibc

/// A system call that failed: which one, on what, and why.
package struct SystemError: ExplainedError, Equatable {
    /// Name of the call, as in its manual page.
    package let call: String
    /// The kernel's error number.
    package let number: Int32
    /// What the call was about, already escaped for display; empty when it had no path.
    package let subject: String

    package init(_ call: String, _ number: Int32, subject: String = "") {
        self.call = call
        self.number = number
        self.subject = subject
    }

    package init(_ call: String, _ number: Int32, path: FilePath) {
        self.init(call, number, subject: path.description)
    }

    package var message: Phrase {
        let place = subject.isEmpty ? call : "\(call) '\(subject)'"
        let reason = Self.reason(number)
        return Phrase(vi: "\(place): \(reason.vi)", en: "\(place): \(reason.en)")
    }

    package var hint: Phrase? {
        switch number {
        case EACCES, EPERM:
            Phrase(
                vi: "kiểm tra quyền truy cập, hoặc chạy với quyền của dịch vụ",
                en: "check the permissions, or run with the rights of the service")
        case ENOSPC, EDQUOT:
            Phrase(vi: "giải phóng dung lượng rồi chạy lại", en: "free some space, then run it again")
        case EROFS:
            Phrase(vi: "hệ thống tệp đang chỉ đọc", en: "the file system is mounted read-only")
        default: nil
        }
    }

    package var isMissing: Bool { number == ENOENT || number == ENOTDIR }
    package var isPermission: Bool { number == EACCES || number == EPERM }
    package var isNoSpace: Bool { number == ENOSPC || number == EDQUOT }
    package var isReadOnly: Bool { number == EROFS }
    package var isExisting: Bool { number == EEXIST }

    private static func reason(_ number: Int32) -> Phrase {
        switch number {
        case ENOENT: Phrase(vi: "không tồn tại (ENOENT)", en: "no such file or directory (ENOENT)")
        case EACCES: Phrase(vi: "không đủ quyền (EACCES)", en: "permission denied (EACCES)")
        case EPERM: Phrase(vi: "thao tác không được phép (EPERM)", en: "operation not permitted (EPERM)")
        case EEXIST: Phrase(vi: "đã tồn tại (EEXIST)", en: "already exists (EEXIST)")
        case ENOSPC: Phrase(vi: "hết dung lượng (ENOSPC)", en: "no space left (ENOSPC)")
        case EIO: Phrase(vi: "lỗi vào/ra (EIO)", en: "input/output error (EIO)")
        case ENOTDIR: Phrase(vi: "không phải thư mục (ENOTDIR)", en: "not a directory (ENOTDIR)")
        case EISDIR: Phrase(vi: "là một thư mục (EISDIR)", en: "is a directory (EISDIR)")
        case EROFS: Phrase(vi: "hệ thống tệp chỉ đọc (EROFS)", en: "read-only file system (EROFS)")
        case ELOOP: Phrase(vi: "là một liên kết, không đi theo (ELOOP)", en: "is a symbolic link, not followed (ELOOP)")
        case ECONNREFUSED: Phrase(vi: "kết nối bị từ chối (ECONNREFUSED)", en: "connection refused (ECONNREFUSED)")
        default: unsafe Phrase(verbatim: "\(String(cString: strerror(number))) (errno \(number))")
        }
    }
}

/// The one door to `errno`: runs `body`, repeats it after EINTR, and turns -1 into a thrown error.
@discardableResult
package func systemCall<Value: SignedInteger>(
    _ name: String, path: FilePath? = nil, _ body: () -> Value
) throws(SystemError) -> Value {
    while true {
        let value = body()
        if value != -1 { return value }
        let number = sentinel_errno()
        if number == EINTR { continue }
        throw SystemError(name, number, subject: path?.description ?? "")
    }
}
