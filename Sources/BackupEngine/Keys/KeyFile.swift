internal import Platform

/// A file in `keys/`: the master key, sealed under a key that scrypt makes from one password. Plain JSON.
struct KeyFile: Sendable, Equatable {
    var created: Timestamp
    var username: String
    var hostname: String
    var parameters: Scrypt.Parameters
    /// Exactly 64 bytes.
    var salt: [UInt8]
    /// The sealed ``MasterKey/json``.
    var sealedKey: [UInt8]

    static let saltByteCount = 64
    /// A key file is about 450 bytes; anything near this is none.
    static let sizeLimitBytes = 64 * 1024

    /// Makes a key file that opens with `password`.
    init(_ master: MasterKey, password: [UInt8], parameters: Scrypt.Parameters, identity: WriterIdentity) throws(CryptoError) {
        created = .now()
        username = identity.username
        hostname = identity.hostname
        self.parameters = parameters
        salt = try SecureRandom.bytes(Self.saltByteCount)
        let derived = try Scrypt.derive(password: password, salt: salt, parameters: parameters, byteCount: 64)
        guard let userKey = MasterKey(derived: derived) else { throw CryptoError("scrypt", detail: "zeros") }
        var sealing = try Sealing(userKey)
        sealedKey = try sealing.seal(master.json)
    }

    /// The bytes of the file, in restic's form and order.
    var json: [UInt8] {
        var text = JSONText()
        text.beginObject()
        text.key("created")
        text.time(created)
        text.key("username")
        text.string(username)
        text.key("hostname")
        text.string(hostname)
        text.key("kdf")
        text.string("scrypt")
        text.key("N")
        text.number(parameters.n)
        text.key("r")
        text.number(UInt64(parameters.r))
        text.key("p")
        text.number(UInt64(parameters.p))
        text.key("salt")
        text.base64(salt)
        text.key("data")
        text.base64(sealedKey)
        text.endObject()
        return text.bytes
    }

    /// Reads a key file.
    ///
    /// - Throws: `JSONError`, also for another key derivation than scrypt, unacceptable cost, or a salt of another length.
    init(json bytes: [UInt8]) throws(JSONError) {
        var reader = try JSONReader(bytes, limit: Self.sizeLimitBytes)
        var kdf = ""
        var (n, r, p): (UInt64, UInt32, UInt32) = (0, 0, 0)
        created = Timestamp(seconds: 0)
        username = ""
        hostname = ""
        salt = []
        sealedKey = []
        try reader.beginObject()
        while try reader.nextMember() {
            if reader.keyIs("created") {
                (created, _) = try reader.time()
            } else if reader.keyIs("username") {
                username = try reader.string()
            } else if reader.keyIs("hostname") {
                hostname = try reader.string()
            } else if reader.keyIs("kdf") {
                kdf = try reader.string()
            } else if reader.keyIs("N") {
                n = try reader.unsigned()
            } else if reader.keyIs("r") {
                r = try reader.unsigned32()
            } else if reader.keyIs("p") {
                p = try reader.unsigned32()
            } else if reader.keyIs("salt") {
                salt = try reader.base64()
            } else if reader.keyIs("data") {
                sealedKey = try reader.base64()
            } else {
                try reader.skipValue()
            }
        }
        try reader.end()
        parameters = Scrypt.Parameters(n: n, r: r, p: p)
        if kdf != "scrypt" { throw reader.failure("kdf \"scrypt\"") }
        if !parameters.isAcceptable { throw reader.failure("scrypt parameters within the limits") }
        if salt.count != Self.saltByteCount { throw reader.failure("a salt of \(Self.saltByteCount) bytes") }
        if sealedKey.count < Sealing.overhead { throw reader.failure("a sealed key") }
    }

    /// Opens the master key.
    ///
    /// - Returns: nil when the MAC says that the password is another one.
    /// - Throws: `.corrupt` when the MAC is good and the content is no key.
    func open(password: [UInt8]) throws(RepositoryError) -> MasterKey? {
        do {
            let derived = try Scrypt.derive(password: password, salt: salt, parameters: parameters, byteCount: 64)
            guard let userKey = MasterKey(derived: derived) else { return nil }
            var sealing = try Sealing(userKey)
            return try MasterKey(json: try sealing.open(sealedKey))
        } catch SealError.unauthentic {
            return nil
        } catch let error as CryptoError {
            throw .crypto(error)
        } catch let error as JSONError {
            throw .corrupt(error.message, cause: error)
        } catch {
            throw .corrupt(Phrase(vi: "khóa trong tệp khóa bị hỏng", en: "the key inside the key file is damaged"), cause: error)
        }
    }
}

/// How much work one guess of a password shall cost.
package enum KeyCost: Sendable, Hashable {
    /// 32 MiB, and about half a second on this machine: what restic chooses too.
    case calibrated
    /// A fixed cost; low ones are for tests only.
    case fixed(n: UInt64, r: UInt32, p: UInt32)

    func parameters() throws(CryptoError) -> Scrypt.Parameters {
        switch self {
        case .fixed(let n, let r, let p): return Scrypt.Parameters(n: n, r: r, p: p)
        case .calibrated:
            let base = Scrypt.Parameters(n: 32768, r: 8, p: 1)
            let start = Monotonic.nanoseconds()
            _ = try Scrypt.derive(password: [0], salt: [UInt8](repeating: 0, count: 64), parameters: base, byteCount: 64)
            let seconds = Double(Monotonic.nanoseconds() - start) / 1e9
            // Never below one, never so high that a slower machine waits for minutes.
            return Scrypt.Parameters(n: base.n, r: base.r, p: UInt32(min(10, max(1, 0.5 / max(seconds, 0.001)))))
        }
    }
}
