internal import COpenSSL

/// Streaming SHA-256. One value can hash any number of messages, one after the other, without allocating again.
@safe package struct SHA256: ~Copyable {
    private let context: OpaquePointer  // EVP_MD_CTX *, never nil, no other owner
    private let algorithm: OpaquePointer  // EVP_MD *, fetched once

    package init() throws(CryptoError) {
        guard let algorithm = unsafe EVP_MD_fetch(nil, "SHA256", nil) else { throw .drainingQueue(after: "EVP_MD_fetch") }
        guard let context = unsafe EVP_MD_CTX_new() else {
            unsafe EVP_MD_free(algorithm)
            throw .drainingQueue(after: "EVP_MD_CTX_new")
        }
        guard unsafe EVP_DigestInit_ex2(context, algorithm, nil) == 1 else {
            let error = CryptoError.drainingQueue(after: "EVP_DigestInit_ex2")
            unsafe EVP_MD_CTX_free(context)
            unsafe EVP_MD_free(algorithm)
            throw error
        }
        unsafe self.context = context
        unsafe self.algorithm = algorithm
    }

    deinit {
        unsafe EVP_MD_CTX_free(context)
        unsafe EVP_MD_free(algorithm)
    }

    private func restart() throws(CryptoError) {
        if unsafe EVP_DigestInit_ex2(context, algorithm, nil) != 1 { throw .drainingQueue(after: "EVP_DigestInit_ex2") }
    }

    /// Adds bytes to the current message.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) throws(CryptoError) {
        if unsafe EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) != 1 {
            throw .drainingQueue(after: "EVP_DigestUpdate")
        }
    }

    /// Adds bytes to the current message.
    package mutating func update(_ bytes: [UInt8]) throws(CryptoError) {
        try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(CryptoError) -> Void in
            try unsafe update(UnsafeRawBufferPointer(buffer))
        }
    }

    /// Ends the current message and starts the next one.
    package mutating func finish() throws(CryptoError) -> Digest {
        // On the stack: this runs once per blob and per file.
        var value: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        var count: UInt32 = 0
        let status = unsafe withUnsafeMutableBytes(of: &value) { buffer in
            unsafe EVP_DigestFinal_ex(context, buffer.bindMemory(to: UInt8.self).baseAddress, &count)
        }
        if status != 1 { throw .drainingQueue(after: "EVP_DigestFinal_ex") }
        try restart()
        guard let digest = unsafe withUnsafeBytes(of: &value, { unsafe Digest(raw: $0) }) else {
            throw CryptoError("EVP_DigestFinal_ex", detail: "\(count) bytes")
        }
        return digest
    }

    /// SHA-256 of one message.
    package static func hash(_ bytes: [UInt8]) throws(CryptoError) -> Digest {
        var hasher = try SHA256()
        try hasher.update(bytes)
        return try hasher.finish()
    }
}

/// Bytes from OpenSSL's cryptographic generator.
package enum SecureRandom {
    package static func bytes(_ count: Int) throws(CryptoError) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        if unsafe RAND_bytes(&result, Int32(count)) != 1 { throw .drainingQueue(after: "RAND_bytes") }
        return result
    }

    /// Fills `buffer` with random bytes.
    package static func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(CryptoError) {
        let status = unsafe RAND_bytes(buffer.bindMemory(to: UInt8.self).baseAddress, Int32(clamping: buffer.count))
        if status != 1 || buffer.count > Int(Int32.max) { throw .drainingQueue(after: "RAND_bytes") }
    }
}
