internal import COpenSSL

/// Poly1305-AES (Bernstein, 2005): a 16-byte authenticator under the key (k, r) and a 16-byte nonce used once.
///
/// The one-time key is `r || AES-128(k, nonce)`. Poly1305 clamps `r` itself, so `r` is taken as it is stored.
@safe package struct Poly1305AES: ~Copyable {
    private let cipher: OpaquePointer  // EVP_CIPHER_CTX *: AES-128-ECB under k, no padding
    private let authenticator: OpaquePointer  // EVP_MAC_CTX *, used again for every message
    private var oneTimeKey: [UInt8]  // 32 bytes, r first; the second half changes with every nonce

    package static let byteCount = 16

    package init(k: [UInt8], r: [UInt8]) throws(CryptoError) {
        guard k.count == 16, r.count == 16 else {
            throw CryptoError("Poly1305-AES", detail: "k of \(k.count), r of \(r.count) bytes")
        }
        let cipher = try unsafe Self.makeCipher(k)
        guard let algorithm = unsafe EVP_MAC_fetch(nil, "POLY1305", nil) else {
            unsafe EVP_CIPHER_CTX_free(cipher)
            throw .drainingQueue(after: "EVP_MAC_fetch")
        }
        let authenticator = unsafe EVP_MAC_CTX_new(algorithm)
        unsafe EVP_MAC_free(algorithm)  // the context holds its own reference
        guard let authenticator = unsafe authenticator else {
            unsafe EVP_CIPHER_CTX_free(cipher)
            throw .drainingQueue(after: "EVP_MAC_CTX_new")
        }
        unsafe self.cipher = cipher
        unsafe self.authenticator = authenticator
        oneTimeKey = r + [UInt8](repeating: 0, count: 16)
    }

    private static func makeCipher(_ k: [UInt8]) throws(CryptoError) -> OpaquePointer {
        guard let context = unsafe EVP_CIPHER_CTX_new() else { throw .drainingQueue(after: "EVP_CIPHER_CTX_new") }
        guard let cipher = unsafe EVP_CIPHER_fetch(nil, "AES-128-ECB", nil) else {
            unsafe EVP_CIPHER_CTX_free(context)
            throw .drainingQueue(after: "EVP_CIPHER_fetch")
        }
        let status = unsafe EVP_EncryptInit_ex2(context, cipher, k, nil, nil)
        unsafe EVP_CIPHER_free(cipher)
        guard status == 1, unsafe EVP_CIPHER_CTX_set_padding(context, 0) == 1 else {
            let error = CryptoError.drainingQueue(after: "EVP_EncryptInit_ex2")
            unsafe EVP_CIPHER_CTX_free(context)
            throw error
        }
        return unsafe context
    }

    deinit {
        unsafe EVP_CIPHER_CTX_free(cipher)
        unsafe EVP_MAC_CTX_free(authenticator)
    }

    /// Writes the authenticator of `message` to `tag`.
    ///
    /// - Parameters:
    ///   - nonce: Exactly 16 bytes.
    ///   - tag: Exactly 16 bytes; must not overlap `message`.
    package mutating func authenticate(
        _ message: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, into tag: UnsafeMutableRawBufferPointer
    ) throws(CryptoError) {
        guard nonce.count == 16, tag.count == Self.byteCount else {
            throw CryptoError("Poly1305-AES", detail: "nonce of \(nonce.count), tag of \(tag.count) bytes")
        }
        var written: Int32 = 0
        let encrypted = unsafe oneTimeKey.withUnsafeMutableBufferPointer { key in
            unsafe EVP_EncryptUpdate(
                cipher, key.baseAddress?.advanced(by: 16), &written, nonce.bindMemory(to: UInt8.self).baseAddress, 16)
        }
        guard encrypted == 1, written == 16 else { throw .drainingQueue(after: "EVP_EncryptUpdate") }
        guard unsafe EVP_MAC_init(authenticator, oneTimeKey, oneTimeKey.count, nil) == 1 else {
            throw .drainingQueue(after: "EVP_MAC_init")
        }
        if let base = message.baseAddress, message.count > 0,
            unsafe EVP_MAC_update(authenticator, base.assumingMemoryBound(to: UInt8.self), message.count) != 1
        {
            throw .drainingQueue(after: "EVP_MAC_update")
        }
        var count = 0
        guard unsafe EVP_MAC_final(authenticator, tag.bindMemory(to: UInt8.self).baseAddress, &count, tag.count) == 1,
            count == Self.byteCount
        else { throw .drainingQueue(after: "EVP_MAC_final") }
    }
}
