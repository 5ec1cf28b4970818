internal import CZstd

/// Reads zstd frames (RFC 8878), with or without content size; the working memory is kept.
@safe package struct ZstdDecompressor: ~Copyable {
    private let context: OpaquePointer  // ZSTD_DCtx *, never nil, no other owner

    /// Largest window of a frame, as a power of two: 128 MiB, what every zstd reader must be able to take.
    private static let windowLogLimit: Int32 = 27

    package init() throws(ZstdError) {
        guard let context = unsafe ZSTD_createDCtx() else { throw ZstdError(.failed, "ZSTD_createDCtx") }
        let code = unsafe ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.windowLogLimit)
        do throws(ZstdError) {
            _ = try ZstdError.check(code)
        } catch {
            unsafe ZSTD_freeDCtx(context)
            throw error
        }
        unsafe self.context = context
    }

    deinit { unsafe ZSTD_freeDCtx(context) }

    /// Decompresses all frames of `input` into memory of known size.
    ///
    /// - Returns: Bytes written to `output`.
    /// - Throws: `.tooLarge` when the content does not fit, `.damaged` when a frame is broken or incomplete.
    package mutating func decompress(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(ZstdError) -> Int {
        try ZstdError.check(
            unsafe ZSTD_decompressDCtx(context, output.baseAddress, output.count, input.baseAddress, input.count))
    }

    /// Decompresses all frames of `input`, whose content size nobody knows.
    ///
    /// - Parameter limit: More bytes than this are `.tooLarge`; memory grows with what is really there.
    package mutating func decompress(_ input: UnsafeRawBufferPointer, limit: Int) throws(ZstdError) -> [UInt8] {
        _ = try ZstdError.check(unsafe ZSTD_DCtx_reset(context, ZSTD_reset_session_only))
        var result: [UInt8] = []
        var part = [UInt8](repeating: 0, count: ZSTD_DStreamOutSize())
        var source = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var isFrameComplete = true
        while true {
            let (hint, produced) = try unsafe part.withUnsafeMutableBufferPointer { (part) throws(ZstdError) -> (Int, Int) in
                var target = unsafe ZSTD_outBuffer(dst: part.baseAddress, size: part.count, pos: 0)
                let hint = try ZstdError.check(unsafe ZSTD_decompressStream(context, &target, &source))
                return unsafe (hint, target.pos)
            }
            if result.count + produced > limit { throw ZstdError(.tooLarge, "more than \(limit) bytes") }
            result.append(contentsOf: part[..<produced])
            isFrameComplete = hint == 0
            let isInputUsed = unsafe source.pos == source.size
            // A part filled to the brim may leave content inside the context: ask again.
            if isInputUsed, isFrameComplete || produced < part.count { break }
        }
        if !isFrameComplete { throw ZstdError(.damaged, "the last frame is incomplete") }
        return result
    }

    /// Decompresses all frames of `input`; see ``decompress(_:limit:)``.
    package mutating func decompress(_ input: [UInt8], limit: Int) throws(ZstdError) -> [UInt8] {
        try unsafe input.withUnsafeBufferPointer { (input) throws(ZstdError) -> [UInt8] in
            try unsafe decompress(UnsafeRawBufferPointer(input), limit: limit)
        }
    }
}
