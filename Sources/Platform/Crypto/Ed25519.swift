internal import COpenSSL

/// An Ed25519 private key (RFC 8032). Its `EVP_PKEY` is freed, and the key wiped, exactly once.
///
/// OpenSSL only reads the key while it signs, each time through a context of its own: any thread may use it.
@safe package final class SigningKey: Sendable {
    private nonisolated(unsafe) let key: OpaquePointer  // EVP_PKEY *, never nil, no other owner
    /// The public half.
    package let verificationKey: VerificationKey

    package static let seedByteCount = 32

    /// - Parameter seed: The 32 bytes that RFC 8032 calls the private key.
    /// - Throws: When `seed` has another length.
    package init(seed: [UInt8]) throws(CryptoError) {
        guard seed.count == Self.seedByteCount else {
            throw CryptoError("EVP_PKEY_new_raw_private_key", detail: "\(seed.count) bytes instead of \(Self.seedByteCount)")
        }
        guard let key = unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count) else {
            throw .drainingQueue(after: "EVP_PKEY_new_raw_private_key")
        }
        var raw = [UInt8](repeating: 0, count: VerificationKey.byteCount)
        var count = raw.count
        do throws(CryptoError) {
            guard unsafe EVP_PKEY_get_raw_public_key(key, &raw, &count) == 1 else {
                throw .drainingQueue(after: "EVP_PKEY_get_raw_public_key")
            }
            verificationKey = try VerificationKey(raw)
        } catch {
            unsafe EVP_PKEY_free(key)  // no deinit runs for a value that never was
            throw error
        }
        unsafe self.key = key
    }

    deinit { unsafe EVP_PKEY_free(key) }

    /// A fresh key from OpenSSL's generator.
    package static func generate() throws(CryptoError) -> SigningKey {
        try SigningKey(seed: SecureRandom.bytes(seedByteCount))
    }

    /// The 32 private bytes, to be kept in a file that only the service can read.
    package func seed() throws(CryptoError) -> [UInt8] {
        var raw = [UInt8](repeating: 0, count: Self.seedByteCount)
        var count = raw.count
        guard unsafe EVP_PKEY_get_raw_private_key(key, &raw, &count) == 1 else {
            throw .drainingQueue(after: "EVP_PKEY_get_raw_private_key")
        }
        return raw
    }

    /// Signs `message`.
    ///
    /// - Returns: 64 bytes; the same message always gives the same ones.
    package func sign(_ message: [UInt8]) throws(CryptoError) -> [UInt8] {
        guard let context = unsafe EVP_MD_CTX_new() else { throw .drainingQueue(after: "EVP_MD_CTX_new") }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestSignInit(context, nil, nil, nil, key) == 1 else {
            throw .drainingQueue(after: "EVP_DigestSignInit")
        }
        var signature = [UInt8](repeating: 0, count: VerificationKey.signatureByteCount)
        var count = signature.count
        guard unsafe EVP_DigestSign(context, &signature, &count, message, message.count) == 1 else {
            throw .drainingQueue(after: "EVP_DigestSign")
        }
        return signature
    }
}

/// An Ed25519 public key: 32 bytes.
package struct VerificationKey: Sendable, Hashable {
    package let bytes: [UInt8]

    package static let byteCount = 32
    package static let signatureByteCount = 64

    /// - Throws: When `bytes` has another length than 32.
    package init(_ bytes: [UInt8]) throws(CryptoError) {
        guard bytes.count == Self.byteCount else {
            throw CryptoError("EVP_PKEY_new_raw_public_key", detail: "\(bytes.count) bytes instead of \(Self.byteCount)")
        }
        self.bytes = bytes
    }

    /// True when `signature` was made over `message` by the private half. A signature of another length is a false one.
    ///
    /// - Throws: When OpenSSL cannot work at all, never for a false signature.
    package func isValid(_ signature: [UInt8], for message: [UInt8]) throws(CryptoError) -> Bool {
        guard signature.count == Self.signatureByteCount else { return false }
        guard let key = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count) else {
            throw .drainingQueue(after: "EVP_PKEY_new_raw_public_key")
        }
        defer { unsafe EVP_PKEY_free(key) }
        guard let context = unsafe EVP_MD_CTX_new() else { throw .drainingQueue(after: "EVP_MD_CTX_new") }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else {
            throw .drainingQueue(after: "EVP_DigestVerifyInit")
        }
        let isValid = unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
        // A false signature leaves its reason in the queue; the next error must not report it.
        ERR_clear_error()
        return isValid
    }
}
