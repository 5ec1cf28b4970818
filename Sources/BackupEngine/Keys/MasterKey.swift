internal import Platform

/// The keys that seal every object of a repository, or (derived from a password) one key file.
struct MasterKey: Sendable, Equatable {
    /// AES-256 key.
    let encrypt: [UInt8]
    /// AES-128 key of Poly1305-AES.
    let k: [UInt8]
    /// Poly1305 key, not clamped: restic stores it as it was drawn, and Poly1305 clamps by itself.
    let r: [UInt8]

    /// - Returns: nil when a part has the wrong length or is all zeros, which no writer produces.
    init?(encrypt: [UInt8], k: [UInt8], r: [UInt8]) {
        guard encrypt.count == 32, k.count == 16, r.count == 16 else { return nil }
        for part in [encrypt, k, r] where part.allSatisfy({ $0 == 0 }) { return nil }
        self.encrypt = encrypt
        self.k = k
        self.r = r
    }

    /// The user key: 64 bytes from scrypt, in the order encrypt, k, r.
    init?(derived bytes: [UInt8]) {
        guard bytes.count == 64 else { return nil }
        self.init(encrypt: Array(bytes[0..<32]), k: Array(bytes[32..<48]), r: Array(bytes[48..<64]))
    }

    static func random() throws(CryptoError) -> MasterKey {
        guard let key = MasterKey(derived: try SecureRandom.bytes(64)) else { throw CryptoError("RAND_bytes", detail: "zeros") }
        return key
    }

    /// The form inside a key file, byte for byte as restic writes it.
    var json: [UInt8] {
        var text = Array("{\"mac\":{\"k\":\"".utf8)
        Base64.append(k, to: &text)
        text += Array("\",\"r\":\"".utf8)
        Base64.append(r, to: &text)
        text += Array("\"},\"encrypt\":\"".utf8)
        Base64.append(encrypt, to: &text)
        text += Array("\"}".utf8)
        return text
    }

    init(json bytes: [UInt8]) throws(JSONError) {
        var reader = try JSONReader(bytes, limit: 4096)
        var encrypt: [UInt8] = []
        var k: [UInt8] = []
        var r: [UInt8] = []
        try reader.beginObject()
        while try reader.nextMember() {
            if reader.keyIs("encrypt") {
                encrypt = try reader.base64()
            } else if reader.keyIs("mac") {
                try reader.beginObject()
                while try reader.nextMember() {
                    if reader.keyIs("k") {
                        k = try reader.base64()
                    } else if reader.keyIs("r") {
                        r = try reader.base64()
                    } else {
                        try reader.skipValue()
                    }
                }
            } else {
                try reader.skipValue()
            }
        }
        try reader.end()
        guard let key = MasterKey(encrypt: encrypt, k: k, r: r) else { throw JSONError(offset: 0, expected: "three keys") }
        self = key
    }
}
