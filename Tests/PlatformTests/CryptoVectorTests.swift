internal import Platform
internal import Testing

private func hex(_ text: String) -> [UInt8] { hexBytes(text)! }

private func tag(_ message: [UInt8], k: [UInt8], r: [UInt8], nonce: [UInt8]) throws -> [UInt8] {
    var authenticator = try Poly1305AES(k: k, r: r)
    var tag = [UInt8](repeating: 0, count: 16)
    try unsafe message.withUnsafeBytes { message in
        try unsafe nonce.withUnsafeBytes { nonce in
            try unsafe tag.withUnsafeMutableBytes { try unsafe authenticator.authenticate(message, nonce: nonce, into: $0) }
        }
    }
    return tag
}

private func applied(_ cipher: inout AES256CTR, counter: [UInt8], _ input: [UInt8]) throws -> [UInt8] {
    var output = [UInt8](repeating: 0, count: input.count)
    try unsafe input.withUnsafeBytes { input in
        try unsafe counter.withUnsafeBytes { counter in
            try unsafe output.withUnsafeMutableBytes { try unsafe cipher.apply(counter: counter, input, to: $0) }
        }
    }
    return output
}

@Suite struct `Cryptographic vectors` {
    /// Bernstein, "The Poly1305-AES message-authentication code", appendix B.
    @Test(arguments: [
        (
            "f3f6", "851fc40c3467ac0be05cc20404f3f700", "ec074c835580741701425b623235add6", "fb447350c4e868c52ac3275cf9d4327e",
            "f4c633c3044fc145f84f335cb81953de"
        ),
        (
            "", "a0f3080000f46400d0c7e9076c834403", "75deaa25c09f208e1dc4ce6b5cad3fbf", "61ee09218d29b0aaed7e154a2c5509cc",
            "dd3fab2251f11ac759f0887129cc2ee7"
        ),
    ])
    func `Poly1305-AES gives the paper's authenticators`(
        _ message: String, _ r: String, _ k: String, _ nonce: String, _ expected: String
    ) throws {
        #expect(hexText(try tag(hex(message), k: hex(k), r: hex(r), nonce: hex(nonce))) == expected)
    }

    /// NIST SP 800-38A, F.5.5.
    @Test func `AES-256-CTR gives NIST's ciphertext`() throws {
        var cipher = try AES256CTR(key: hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"))
        let plaintext = hex(
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
        )
        let counter = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
        let ciphertext =
            "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c52b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6"
        #expect(hexText(try applied(&cipher, counter: counter, plaintext)) == ciphertext)
        // The context starts afresh for each message, whatever the length of the one before.
        _ = try applied(&cipher, counter: counter, [1, 2, 3])
        #expect(try applied(&cipher, counter: counter, hex(ciphertext)) == plaintext)
    }

    @Test func `the counter carries over all sixteen bytes`() throws {
        var cipher = try AES256CTR(key: [UInt8](repeating: 7, count: 32))
        let zeros = [UInt8](repeating: 0, count: 32)
        let wrapped = try applied(&cipher, counter: [UInt8](repeating: 255, count: 16), zeros)
        let first = try applied(&cipher, counter: [UInt8](repeating: 0, count: 16), Array(zeros.prefix(16)))
        #expect(Array(wrapped.suffix(16)) == first)
    }

    /// RFC 7914, section 12, and restic's parameters, which need more memory than OpenSSL allows by itself.
    @Test func `scrypt gives the RFC's keys`() throws {
        let derived = try Scrypt.derive(
            password: Array("pleaseletmein".utf8), salt: Array("SodiumChloride".utf8),
            parameters: Scrypt.Parameters(n: 16384, r: 8, p: 1), byteCount: 64)
        #expect(
            hexText(derived)
                == "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
        )
        let empty = try Scrypt.derive(
            password: [], salt: [], parameters: Scrypt.Parameters(n: 16, r: 1, p: 1), byteCount: 64)
        #expect(hexText(empty).hasPrefix("77d6576238657b203b19ca42c18a0497"))
        #expect(
            try Scrypt.derive(
                password: [1], salt: [2], parameters: Scrypt.Parameters(n: 65536, r: 8, p: 1), byteCount: 16
            ).count == 16)
    }

    @Test(arguments: [
        Scrypt.Parameters(n: 0, r: 8, p: 1), Scrypt.Parameters(n: 1000, r: 8, p: 1), Scrypt.Parameters(n: 1 << 24, r: 8, p: 1),
        Scrypt.Parameters(n: 1024, r: 0, p: 1), Scrypt.Parameters(n: 32768, r: 8, p: 60000),
        Scrypt.Parameters(n: UInt64.max, r: UInt32.max, p: UInt32.max),
    ])
    func `scrypt parameters that take memory or hours are refused`(_ parameters: Scrypt.Parameters) {
        #expect(!parameters.isAcceptable)
        #expect(throws: CryptoError.self) {
            try Scrypt.derive(password: [1], salt: [2], parameters: parameters, byteCount: 64)
        }
    }

    @Test func `comparison in constant time says what equality says`() {
        #expect(isEqualInConstantTime([1, 2, 3], [1, 2, 3]))
        #expect(!isEqualInConstantTime([1, 2, 3], [1, 2, 4]))
        #expect(!isEqualInConstantTime([1, 2, 3], [1, 2]))
        #expect(isEqualInConstantTime([UInt8](), []))
    }

    /// RFC 4648, section 10.
    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")])
    func `Base64 gives the RFC's texts`(_ plain: String, _ encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
    }

    @Test(arguments: ["Zg", "Zg=", "Z===", "Zm9=", "Zh==", "Zg==Zg==", "Zm9\n", "====", "Zm-_"])
    func `Base64 in another form is refused`(_ text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test func `raw and hex forms of a digest agree`() throws {
        let digest = try SHA256.hash([1, 2, 3])
        #expect(unsafe digest.bytes.withUnsafeBytes { unsafe Digest(raw: $0) } == digest)
        #expect(unsafe Array(digest.hex.uppercased().utf8).withUnsafeBytes { unsafe Digest(rawHex: $0) } == digest)
        #expect(unsafe Array("g\(digest.hex.dropFirst())".utf8).withUnsafeBytes { unsafe Digest(rawHex: $0) } == nil)
        var bytes: [UInt8] = []
        digest.append(to: &bytes)
        #expect(bytes == digest.bytes)
        var text: [UInt8] = []
        digest.appendHex(to: &text)
        #expect(String(decoding: text, as: UTF8.self) == digest.hex)
    }
}
