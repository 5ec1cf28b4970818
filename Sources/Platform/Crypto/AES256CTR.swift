internal import COpenSSL

/// AES-256 in counter mode under one key, for any number of messages, each with its own initial counter block.
///
/// The whole 16-byte block counts upwards, big-endian with carry, as in NIST SP 800-38A with m = 128.
@safe package struct AES256CTR: ~Copyable {
    private let context: OpaquePointer  // EVP_CIPHER_CTX *, never nil, no other owner

    package static let keyByteCount = 32
    package static let counterByteCount = 16

    package init(key: [UInt8]) throws(CryptoError) {
        guard key.count == Self.keyByteCount else { throw CryptoError("AES-256-CTR", detail: "key of \(key.count) bytes") }
        guard let context = unsafe EVP_CIPHER_CTX_new() else { throw .drainingQueue(after: "EVP_CIPHER_CTX_new") }
        guard let cipher = unsafe EVP_CIPHER_fetch(nil, "AES-256-CTR", nil) else {
            unsafe EVP_CIPHER_CTX_free(context)
            throw .drainingQueue(after: "EVP_CIPHER_fetch")
        }
        let status = unsafe EVP_EncryptInit_ex2(context, cipher, key, nil, nil)
        unsafe EVP_CIPHER_free(cipher)  // the context holds its own reference
        guard status == 1 else {
            let error = CryptoError.drainingQueue(after: "EVP_EncryptInit_ex2")
            unsafe EVP_CIPHER_CTX_free(context)
            throw error
        }
        unsafe self.context = context
    }

    deinit { unsafe EVP_CIPHER_CTX_free(context) }  // wipes the key schedule too

    /// Encrypts or decrypts one message; the two are the same.
    ///
    /// - Parameters:
    ///   - counter: Exactly 16 bytes: the counter block of the first 16 bytes of the message.
    ///   - output: As long as `input`; may be the same memory.
    package mutating func apply(
        counter: UnsafeRawBufferPointer, _ input: UnsafeRawBufferPointer, to output: UnsafeMutableRawBufferPointer
    ) throws(CryptoError) {
        guard counter.count == Self.counterByteCount, output.count >= input.count else {
            throw CryptoError("AES-256-CTR", detail: "counter of \(counter.count), output of \(output.count) bytes")
        }
        guard unsafe EVP_EncryptInit_ex2(context, nil, nil, counter.bindMemory(to: UInt8.self).baseAddress, nil) == 1 else {
            throw .drainingQueue(after: "EVP_EncryptInit_ex2")
        }
        // OpenSSL counts in Int32; the parts are multiples of the block, so the counter goes on unbroken.
        let largestPart = 1 << 30
        var done = 0
        while done < input.count {
            let count = min(largestPart, input.count - done)
            var written: Int32 = 0
            let status = unsafe EVP_EncryptUpdate(
                context, output.baseAddress?.advanced(by: done).assumingMemoryBound(to: UInt8.self), &written,
                input.baseAddress?.advanced(by: done).assumingMemoryBound(to: UInt8.self), Int32(count))
            guard status == 1, Int(written) == count else { throw .drainingQueue(after: "EVP_EncryptUpdate") }
            done += count
        }
    }
}
