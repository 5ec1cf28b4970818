internal import CZstd

/// Makes zstd frames (RFC 8878) with content size and without checksum, one per call; the working memory is kept.
@safe package struct ZstdCompressor: ~Copyable {
    private let context: OpaquePointer  // ZSTD_CCtx *, never nil, no other owner

    private let effort: ZstdEffort
    /// Whether the parameters in the context are those for large inputs.
    private var isSetForLarge: Bool

    package init(_ effort: ZstdEffort = .ordinary) throws(ZstdError) {
        guard let context = unsafe ZSTD_createCCtx() else { throw ZstdError(.failed, "ZSTD_createCCtx") }
        do throws(ZstdError) {
            try Self.set(effort.parameters(for: 0), in: context)
        } catch {
            unsafe ZSTD_freeCCtx(context)
            throw error
        }
        unsafe self.context = context
        self.effort = effort
        isSetForLarge = false
    }

    /// - Parameter level: 1...19; more time for less space.
    package init(level: Int32) throws(ZstdError) { try self.init(.level(level)) }

    @safe private static func set(_ parameters: [(ZSTD_cParameter, Int)], in context: OpaquePointer) throws(ZstdError) {
        for (parameter, value) in parameters { _ = try ZstdError.check(unsafe ZSTD_CCtx_setParameter(context, parameter, Int32(value))) }
    }

    deinit { unsafe ZSTD_freeCCtx(context) }

    /// The largest frame that `count` bytes can become.
    package static func bound(_ count: Int) -> Int { ZSTD_compressBound(count) }

    /// Compresses `input` into one frame.
    ///
    /// - Parameter output: At least ``bound(_:)`` bytes to be sure of success.
    /// - Returns: Size of the frame in bytes.
    /// - Throws: `.tooLarge` when the frame does not fit in `output`.
    package mutating func compress(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(ZstdError) -> Int {
        let isLarge = input.count > ZstdEffort.largeInputBytes
        if isLarge != isSetForLarge {
            try unsafe Self.set(effort.parameters(for: input.count), in: context)
            isSetForLarge = isLarge
        }
        return try ZstdError.check(
            unsafe ZSTD_compress2(context, output.baseAddress, output.count, input.baseAddress, input.count))
    }

    /// Compresses `input` into one frame.
    package mutating func compress(_ input: [UInt8]) throws(ZstdError) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: Self.bound(input.count))
        let count = try unsafe output.withUnsafeMutableBufferPointer { (output) throws(ZstdError) -> Int in
            try unsafe input.withUnsafeBufferPointer { (input) throws(ZstdError) -> Int in
                try unsafe compress(UnsafeRawBufferPointer(input), into: UnsafeMutableRawBufferPointer(output))
            }
        }
        output.removeLast(output.count - count)
        return output
    }
}
