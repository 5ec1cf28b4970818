internal import AsyncHTTPClient
internal import BackupEngine
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Platform

/// Why one request failed, and whether trying again can help.
struct RestFailure: Error {
    /// The error if this was the last attempt.
    let error: RepositoryError
    let isPermanent: Bool
    /// The status of the answer; nil when there was none.
    var status: Int?

    init(_ message: Phrase, hint: Phrase? = nil, isPermanent: Bool, status: Int? = nil, code: RepositoryError.Code = .storage, cause: (any Error)? = nil) {
        error = RepositoryError(code, message, hint: hint, cause: cause)
        self.isPermanent = isPermanent
        self.status = status
    }

    /// An error of the layers above, which no second attempt mends.
    init(_ error: RepositoryError) {
        self.error = error
        isPermanent = true
    }

    /// An answer that is not what the protocol says.
    static func lying(_ vi: String, _ en: String) -> RestFailure {
        RestFailure(
            Phrase(vi: "máy chủ trả lời sai: \(vi)", en: "the server answered wrongly: \(en)"),
            hint: Phrase(
                vi: "kiểm tra máy chủ, proxy và đường truyền ở giữa", en: "check the server, and proxies and lines in between"),
            isPermanent: false)
    }

    /// A status other than success. 401, 403, 404, 416 and 507 do not change by waiting; neither do 405 and 413.
    static func status(_ status: Int, what: Phrase, detail: String = "") -> RestFailure {
        let reason: Phrase
        var hint: Phrase?
        var isPermanent = true
        switch status {
        case 300..<400:
            reason = Phrase(vi: "máy chủ chuyển sang địa chỉ khác", en: "the server redirects to another address")
            hint = Phrase(vi: "dùng thẳng địa chỉ mới", en: "use the new address itself")
        case 401:
            reason = Phrase(vi: "tên hoặc mật khẩu REST bị từ chối", en: "user or password of the REST server refused")
            hint = Phrase(
                vi: "đặt RESTIC_REST_USERNAME và RESTIC_REST_PASSWORD; với --private-repos, đường dẫn phải bắt đầu bằng tên người dùng",
                en: "set RESTIC_REST_USERNAME and RESTIC_REST_PASSWORD; with --private-repos the path begins with the user name")
        case 403:
            reason = Phrase(vi: "máy chủ không cho phép", en: "the server does not allow it")
            hint = Phrase(
                vi: "kho chỉ cho ghi thêm thì không xóa được từ máy này; xóa ở phía máy chủ",
                en: "in an append-only repository nothing is removed from this host; do it on the server")
        case 404:
            reason = Phrase(vi: "không có trên máy chủ", en: "not found on the server")
        case 413:
            reason = Phrase(vi: "máy chủ hoặc proxy không nhận tệp lớn như vậy", en: "the server or a proxy takes no file of this size")
            hint = Phrase(vi: "tăng giới hạn của proxy, hoặc giảm --pack-size", en: "raise the limit of the proxy, or lower --pack-size")
        case 507:
            reason = Phrase(vi: "máy chủ hết dung lượng", en: "the server has no space left")
            hint = Phrase(
                vi: "giải phóng dung lượng hoặc tăng hạn mức trên máy chủ rồi chạy lại; những gì đã lưu được dùng lại",
                en: "free space or raise the quota on the server, then run it again; what was stored is reused")
        case 405, 411, 416, 501:
            reason = Phrase(vi: "máy chủ không hiểu yêu cầu", en: "the server does not understand the request")
            hint = Phrase(vi: "kiểm tra địa chỉ có phải là rest-server", en: "check that the address is that of a rest-server")
        default:
            reason = Phrase(vi: "máy chủ báo lỗi", en: "the server failed")
            isPermanent = false
        }
        let suffix = detail.isEmpty ? "" : ": " + escapedForDisplay(detail)
        return RestFailure(
            Phrase(vi: "\(what.vi): \(reason.vi) (HTTP \(status)\(suffix))", en: "\(what.en): \(reason.en) (HTTP \(status)\(suffix))"), hint: hint,
            isPermanent: isPermanent, status: status, code: status == 404 ? .missing : .storage)
    }

    /// No answer, or not a whole one.
    static func transport(_ error: any Error, what: Phrase) -> RestFailure {
        let text = "\(error)"
        let reason: Phrase
        var hint: Phrase?
        var isPermanent = false
        switch error {
        case let error as HTTPClientError where [.readTimeout, .writeTimeout, .deadlineExceeded].contains(error):
            reason = Phrase(vi: "máy chủ không trả lời kịp", en: "the server did not answer in time")
        case let error as HTTPClientError
        where [.connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout].contains(error):
            reason = Phrase(vi: "không kết nối được trong thời gian cho phép", en: "no connection within the time limit")
        case is NIOCore.ChannelError, is HTTPParserError:
            reason = Phrase(vi: "kết nối bị cắt giữa chừng", en: "the connection was cut")
        case let error as HTTPClientError where error == .remoteConnectionClosed:
            reason = Phrase(vi: "kết nối bị cắt giữa chừng", en: "the connection was cut")
        case let error as NIOConnectionError:
            if let dns = error.dnsAError ?? error.dnsAAAAError, error.connectionErrors.isEmpty {
                reason = Phrase(vi: "không tìm được tên máy (\(escapedForDisplay("\(dns)")))", en: "the host name is unknown (\(escapedForDisplay("\(dns)")))")
            } else {
                let system = error.connectionErrors.lazy.compactMap { $0.error as? IOError }.first
                let detail = system.map { SystemError("connect", $0.errnoCode).message } ?? Phrase(verbatim: escapedForDisplay(text))
                reason = Phrase(vi: "không kết nối được: \(detail.vi)", en: "cannot connect: \(detail.en)")
            }
        case let error as IOError:
            let detail = SystemError("socket", error.errnoCode).message
            reason = Phrase(vi: "kết nối hỏng: \(detail.vi)", en: "the connection failed: \(detail.en)")
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            // A certificate does not become valid by waiting; a handshake that was cut may succeed the next time.
            isPermanent = text.contains("CERTIFICATE") || text.contains("Hostname") || text.contains("hostname") || text.contains("ALERT")
            reason = Phrase(vi: "TLS thất bại: \(escapedForDisplay(text))", en: "TLS failed: \(escapedForDisplay(text))")
            if isPermanent {
                hint = Phrase(
                    vi: "dùng --cacert với chứng thực của máy chủ, và đúng tên máy trong chứng thực",
                    en: "use --cacert with the server's authority, and the host name that the certificate holds")
            }
        default:
            reason = Phrase(verbatim: escapedForDisplay(text))
        }
        return RestFailure(
            Phrase(vi: "\(what.vi): \(reason.vi)", en: "\(what.en): \(reason.en)"), hint: hint, isPermanent: isPermanent, cause: error)
    }
}
