internal import CZstd

/// A zstd call that failed, mostly because its input is no zstd frame or a damaged one.
package struct ZstdError: ExplainedError, Equatable {
    package enum Reason: Sendable, Equatable {
        /// The bytes are not a valid, complete frame.
        case damaged
        /// The content is longer than the caller allows.
        case tooLarge
        /// No memory, or a wrong call.
        case failed
    }
    package let reason: Reason
    /// zstd's own words.
    package let detail: String

    package init(_ reason: Reason, _ detail: String) {
        self.reason = reason
        self.detail = detail
    }

    package var message: Phrase {
        switch reason {
        case .damaged: Phrase(vi: "dữ liệu nén bị hỏng: \(detail)", en: "compressed data is damaged: \(detail)")
        case .tooLarge: Phrase(vi: "dữ liệu giải nén vượt giới hạn: \(detail)", en: "decompressed data exceeds its limit: \(detail)")
        case .failed: Phrase(vi: "zstd thất bại: \(detail)", en: "zstd failed: \(detail)")
        }
    }

    /// Throws when `code`, the result of a zstd call, stands for an error; else returns it.
    static func check(_ code: Int) throws(ZstdError) -> Int {
        guard ZSTD_isError(code) != 0 else { return code }
        let detail = unsafe String(cString: ZSTD_getErrorName(code))
        switch ZSTD_getErrorCode(code) {
        case ZSTD_error_dstSize_tooSmall: throw ZstdError(.tooLarge, detail)
        case ZSTD_error_memory_allocation, ZSTD_error_GENERIC, ZSTD_error_stage_wrong, ZSTD_error_init_missing,
            ZSTD_error_parameter_unsupported, ZSTD_error_parameter_outOfBound:
            throw ZstdError(.failed, detail)
        default: throw ZstdError(.damaged, detail)
        }
    }
}
