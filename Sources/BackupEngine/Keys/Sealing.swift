internal import Platform

/// Why sealed bytes do not open.
enum SealError: Error, Equatable {
    /// Fewer bytes than IV and MAC take.
    case tooShort
    /// An IV of zeros: never written, refused on reading.
    case zeroIV
    /// Another key, or changed bytes.
    case unauthentic
    case crypto(CryptoError)
}

/// Seals and opens objects: `IV(16) || AES-256-CTR ciphertext || Poly1305-AES MAC(16)`, the MAC over the ciphertext
/// with the IV as its nonce. See "Keys, Encryption and MAC" in restic's design document.
///
/// Holds OpenSSL contexts that are used again for every object; for one thread at a time.
struct Sealing: ~Copyable {
    private var cipher: AES256CTR
    private var authenticator: Poly1305AES

    /// Bytes that sealing adds.
    static let overhead = 32
    private static let ivByteCount = 16
    private static let macByteCount = Poly1305AES.byteCount

    init(_ key: MasterKey) throws(CryptoError) {
        let cipher = try AES256CTR(key: key.encrypt)
        let authenticator = try Poly1305AES(k: key.k, r: key.r)
        self.cipher = cipher
        self.authenticator = authenticator
    }

    /// Seals `plaintext` under a fresh random IV.
    ///
    /// - Parameter output: Exactly 32 bytes more than `plaintext`; must not overlap it.
    mutating func seal(_ plaintext: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws(CryptoError) {
        guard output.count == plaintext.count + Self.overhead else {
            throw CryptoError("seal", detail: "output of \(output.count) for \(plaintext.count) bytes")
        }
        repeat {
            try unsafe SecureRandom.fill(UnsafeMutableRawBufferPointer(rebasing: output[..<Self.ivByteCount]))
        } while unsafe output[..<Self.ivByteCount].allSatisfy { $0 == 0 }
        try unsafe sealUnderPresentIV(plaintext, into: output)
    }

    /// Seals `plaintext` under the IV that already stands at the start of `output`.
    ///
    /// An IV must never be used twice under one key: only test vectors bring their own.
    mutating func sealUnderPresentIV(
        _ plaintext: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CryptoError) {
        let end = Self.ivByteCount + plaintext.count
        let iv = unsafe UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(output)[..<Self.ivByteCount])
        let ciphertext = unsafe UnsafeMutableRawBufferPointer(rebasing: output[Self.ivByteCount..<end])
        try unsafe cipher.apply(counter: iv, plaintext, to: ciphertext)
        try unsafe authenticator.authenticate(
            UnsafeRawBufferPointer(ciphertext), nonce: iv, into: UnsafeMutableRawBufferPointer(rebasing: output[end...]))
    }

    /// Opens sealed bytes: the MAC is checked before anything is decrypted.
    ///
    /// - Parameter output: Exactly 32 bytes fewer than `sealed`; may be the very memory of the ciphertext inside it.
    mutating func open(_ sealed: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws(SealError) {
        guard sealed.count >= Self.overhead else { throw .tooShort }
        let end = sealed.count - Self.macByteCount
        let iv = unsafe UnsafeRawBufferPointer(rebasing: sealed[..<Self.ivByteCount])
        let ciphertext = unsafe UnsafeRawBufferPointer(rebasing: sealed[Self.ivByteCount..<end])
        let stored = unsafe UnsafeRawBufferPointer(rebasing: sealed[end...])
        if unsafe iv.allSatisfy({ $0 == 0 }) { throw .zeroIV }
        guard output.count == ciphertext.count else { throw .tooShort }
        var mac: (UInt64, UInt64) = (0, 0)
        do {
            let isAuthentic = try unsafe withUnsafeMutableBytes(of: &mac) { (mac) throws(CryptoError) -> Bool in
                try unsafe authenticator.authenticate(ciphertext, nonce: iv, into: mac)
                return unsafe isEqualInConstantTime(UnsafeRawBufferPointer(mac), stored)
            }
            guard isAuthentic else { throw SealError.unauthentic }
            try unsafe cipher.apply(counter: iv, ciphertext, to: output)
        } catch let error as CryptoError {
            throw .crypto(error)
        } catch {
            throw .unauthentic
        }
    }

    mutating func seal(_ plaintext: [UInt8]) throws(CryptoError) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: plaintext.count + Self.overhead)
        try unsafe output.withUnsafeMutableBufferPointer { (output) throws(CryptoError) -> Void in
            try unsafe plaintext.withUnsafeBufferPointer { (plaintext) throws(CryptoError) -> Void in
                try unsafe seal(UnsafeRawBufferPointer(plaintext), into: UnsafeMutableRawBufferPointer(output))
            }
        }
        return output
    }

    mutating func open(_ sealed: [UInt8]) throws(SealError) -> [UInt8] {
        guard sealed.count >= Self.overhead else { throw .tooShort }
        var output = [UInt8](repeating: 0, count: sealed.count - Self.overhead)
        try unsafe output.withUnsafeMutableBufferPointer { (output) throws(SealError) -> Void in
            try unsafe sealed.withUnsafeBufferPointer { (sealed) throws(SealError) -> Void in
                try unsafe open(UnsafeRawBufferPointer(sealed), into: UnsafeMutableRawBufferPointer(output))
            }
        }
        return output
    }
}
