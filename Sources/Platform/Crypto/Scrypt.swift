internal import COpenSSL

/// The password hash scrypt (RFC 7914).
package enum Scrypt {
    /// Cost parameters; memory is 128·r·N bytes, time grows with N·r·p.
    package struct Parameters: Sendable, Hashable {
        package let n: UInt64
        package let r: UInt32
        package let p: UInt32

        package init(n: UInt64, r: UInt32, p: UInt32) {
            self.n = n
            self.r = r
            self.p = p
        }

        /// A hostile key file must not take the memory or the day of whoever opens it.
        package static let memoryLimitBytes: UInt64 = 256 << 20
        package static let workLimit: UInt64 = 1 << 26

        /// True when RFC 7914 allows the values and they stay below the limits above.
        package var isAcceptable: Bool {
            guard n > 1, n & (n - 1) == 0, r > 0, p > 0, n <= 1 << 24, r <= 1 << 16, p <= 1 << 16 else { return false }
            // No product overflows: the three factors have at most 25, 17 and 17 bits.
            return 128 * n * UInt64(r) <= Self.memoryLimitBytes && n * UInt64(r) * UInt64(p) <= Self.workLimit
                && UInt64(r) * UInt64(p) < 1 << 30
        }
    }

    /// Derives `byteCount` bytes from a password.
    ///
    /// - Throws: `CryptoError` when the parameters are not acceptable or OpenSSL refuses.
    package static func derive(
        password: [UInt8], salt: [UInt8], parameters: Parameters, byteCount: Int
    ) throws(CryptoError) -> [UInt8] {
        guard parameters.isAcceptable else {
            throw CryptoError("scrypt", detail: "N=\(parameters.n) r=\(parameters.r) p=\(parameters.p)")
        }
        var result = [UInt8](repeating: 0, count: byteCount)
        // OpenSSL's own ceiling is 32 MiB, less than restic's usual parameters need: name ours.
        let ceiling = Parameters.memoryLimitBytes + (64 << 20)
        let status = unsafe password.withUnsafeBufferPointer { password in
            unsafe password.withMemoryRebound(to: CChar.self) { password in
                // An empty array may have no address, and OpenSSL takes nil for "only check the parameters".
                unsafe EVP_PBE_scrypt(
                    password.baseAddress ?? emptyPassword, password.count, salt, salt.count,
                    parameters.n, UInt64(parameters.r), UInt64(parameters.p), ceiling, &result, byteCount)
            }
        }
        guard status == 1 else { throw .drainingQueue(after: "EVP_PBE_scrypt") }
        return result
    }

    /// One byte that is never read: the address of a password of length 0.
    private nonisolated(unsafe) static let emptyPassword: UnsafePointer<CChar> = {
        let byte = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        unsafe byte.initialize(to: 0)
        return unsafe UnsafePointer(byte)
    }()
}
