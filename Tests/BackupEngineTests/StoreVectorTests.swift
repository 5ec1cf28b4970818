@testable internal import BackupEngine
internal import Platform
internal import TestSupport
internal import Testing

private func hex(_ text: String) -> [UInt8] { hexBytes(text)! }

/// Values that stock restic 0.14 was seen to accept.
@Suite struct `Golden vectors of the repository format` {
    private let sealedMaster =
        "AQEBAQEBAQEBAQEBAQEBAQdGhAkzZhJpUyoUYgDkwDR4vQBCXtn5DOafO/tIGsdl2249C8jLmtC+SqvQlEAGkkj+Qhaz8xmqkqIdVuHCbiPvJ0cEHVQ/WFv6WrgpY0cJsNBKjoeIW1T3ylUXYvh0+4BrqnTPMGdM+SbIqYnVGw/rrmJeT6GYARt5wR740tWb0quSLuZom+wRbgOr1Obn3A=="
    private let masterJSON =
        #"{"mac":{"k":"ICEiIyQlJicoKSorLC0uLw==","r":"/////////////////////w=="},"encrypt":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}"#
    private let pack =
        "030303030303030303030303030303038ffe801f1babbaa6c273e6e17e199ca6d7a669dfe9040404040404040404040404040404044412a059971bf55198fc337867636b5e2299f6f33122c68e742c325b572e988145ed0dac1370f4e6657de1ec4ef962e9e90727dd1345000000"
    private let packName = "8c9cbf157b8b3cacba31b2f81c0a75db602c40dcfc45f9d2315aa8c22736fc41"

    private func master() throws -> MasterKey {
        try #require(
            MasterKey(
                encrypt: Array(0...31), k: Array(0x20...0x2F), r: [UInt8](repeating: 255, count: 16)))
    }

    /// The key file of vector 3.
    private func keyFile() -> [UInt8] {
        let salt = Base64.encode([UInt8](repeating: 0, count: 64))
        return Array(
            #"{"created":"2020-01-02T03:04:05.5+07:00","username":"u","hostname":"h","kdf":"scrypt","N":1024,"r":8,"p":1,"salt":"\#(salt)","data":"\#(sealedMaster)"}"#
                .utf8)
    }

    @Test func `restic's own object opens, with r not clamped`() throws {
        let key = try #require(
            MasterKey(
                encrypt: hex("303e8687b1d7db18421bdc6bb8588ccadac4d59ee87b8ff70c44e635790cafef"),
                k: hex("ef4d8824cb80b2bcc5fbff8a9b12a42c"), r: hex("cc8d4b948ee0ebfe1d415de921d10353")))
        var sealing = try Sealing(key)
        let object = hex("69fb41c62d12def4593bd71757138606338f621aeaeb39da0fe4f99233f8037a54ea63338a813bcf3f75d8c3cc75dddf8750")
        #expect(try sealing.open(object) == Array("Dies ist ein Test!".utf8))
        for index in object.indices {
            var damaged = object
            damaged[index] ^= 1
            #expect(throws: SealError.unauthentic) { try sealing.open(damaged) }
        }
        #expect(throws: SealError.tooShort) { try sealing.open(Array(object.prefix(31))) }
        #expect(throws: SealError.zeroIV) { try sealing.open([UInt8](repeating: 0, count: 40)) }
    }

    @Test func `the key file opens with its password and no other`() throws {
        let derived = try Scrypt.derive(
            password: Array("test".utf8), salt: [UInt8](repeating: 0, count: 64),
            parameters: Scrypt.Parameters(n: 1024, r: 8, p: 1), byteCount: 64)
        #expect(
            hexText(derived)
                == "79c67a87a8b4dc3d70c152487d870f3bfc21fc3858336df07af8734ac29527c094b3a8ca88dc6a5a018816dd12ce1e6fe3f8ab5cb4dd08d29ff334add17ac1d7"
        )
        let file = try KeyFile(json: keyFile())
        #expect(try file.open(password: Array("test".utf8)) == master())
        #expect(try file.open(password: Array("Test".utf8)) == nil)
        #expect(try master().json == Array(masterJSON.utf8))
        #expect(try MasterKey(json: Array(masterJSON.utf8)) == master())
    }

    @Test func `sealing under a given IV gives the vector's bytes`() throws {
        var sealing = try Sealing(master())
        var output = [UInt8](repeating: 3, count: 37)
        try unsafe Array("hello".utf8).withUnsafeBytes { plaintext in
            try unsafe output.withUnsafeMutableBytes { try unsafe sealing.sealUnderPresentIV(plaintext, into: $0) }
        }
        #expect(hexText(output) == String(pack.prefix(74)))
        #expect(try sealing.seal(Array("hello".utf8)) != output)
    }

    @Test func `a repository made of the vectors opens, loads its blob and passes check`() throws {
        try withTemporaryDirectory("vectors") { root in
            let backend = LocalDirectory(root)
            try backend.create()
            let key = keyFile()
            try backend.save(.key, try SHA256.hash(key), key)
            var sealing = try Sealing(master())
            let config = #"{"version":2,"id":"\#(String(repeating: "5", count: 64))","chunker_polynomial":"25b468838dcb75"}"#
            try backend.saveConfiguration(try sealing.seal(Array(config.utf8)))
            let packID = try #require(Digest(hex: packName))
            #expect(try SHA256.hash(hex(pack)) == packID)
            try backend.save(.pack, packID, hex(pack))
            let blob = try SHA256.hash(Array("hello".utf8))
            // Raw JSON without the 0x02 prefix, with fields nobody knows: other writers do this.
            let index =
                #" {"supersedes":["x",{"a":[1,-2.5e3,null,true]}],"packs":[{"time":"now","blobs":[{"type":"data","length":37,"offset":0,"id":"\#(blob.hex.uppercased())"}],"id":"\#(packName)"}]}"#
            let sealed = try sealing.seal(Array(index.dropFirst().utf8))
            try backend.save(.index, try SHA256.hash(sealed), sealed)

            let repository = try Repository.open(at: root, password: Array("test".utf8))
            #expect(repository.configuration.chunkerPolynomial == 0x25b4_6883_8dcb_75)
            try repository.loadIndex()
            #expect(try repository.loadBlob(.data, blob) == Array("hello".utf8))
            #expect(repository.blobSize(.data, blob) == 5)
            #expect(!repository.contains(.tree, blob))
            let report = try repository.check(readData: true)
            #expect(report.errors == [] && report.hints == [])
            #expect(report.packsRead == 1 && report.bytesRead == 110)
        }
    }

    @Test func `an index is written as restic writes it`() throws {
        let id = try #require(Digest(hex: packName))
        let entries = [
            PackEntry(type: .data, id: id, offset: 0, length: 42, uncompressedLength: 1),
            PackEntry(type: .tree, id: .zero, offset: 42, length: 37, uncompressedLength: 0),
        ]
        let text = IndexFile.encode([(id, entries)])
        #expect(
            String(decoding: text, as: UTF8.self)
                == #"{"packs":[{"id":"\#(packName)","blobs":[{"id":"\#(packName)","type":"data","offset":0,"length":42,"uncompressed_length":1},{"id":"\#(Digest.zero.hex)","type":"tree","offset":42,"length":37}]}]}"#
                + "\n")
        var read: [PackEntry] = []
        try IndexFile.decode(text) { read += $0 == id ? $1 : [] }
        #expect(read == entries)
    }

    @Test func `a snapshot is written as restic writes it, and read back the same`() throws {
        let id = try #require(Digest(hex: packName))
        var snapshot = Snapshot(
            time: try #require(Timestamp(rfc3339: "2026-11-23T05:06:07.89+07:00")), parent: .zero, tree: id,
            paths: ["/srv/a&b", "/hồ sơ"], hostname: "h", username: "u", uid: 1000, gid: 0, excludes: ["*.tmp"], tags: ["x", "y"],
            original: id)
        snapshot.utcOffsetSeconds = 7 * 3600
        let expected =
            #"{"time":"2026-11-23T05:06:07.89+07:00","parent":"\#(Digest.zero.hex)","tree":"\#(packName)","paths":["/srv/a\u0026b","/hồ sơ"],"hostname":"h","username":"u","uid":1000,"excludes":["*.tmp"],"tags":["x","y"],"original":"\#(packName)","program_version":"sentinel 0.1.0"}"#
        #expect(String(decoding: SnapshotFile.encode(snapshot), as: UTF8.self) == expected)
        var summary = SnapshotSummary(backupStart: snapshot.time, backupEnd: snapshot.time)
        summary.filesNew = 3
        summary.totalBytesProcessed = .max
        snapshot.summary = summary
        snapshot.id = id
        let decoded = try SnapshotFile.decode(SnapshotFile.encode(snapshot), id: id)
        #expect(decoded == snapshot)
        #expect(throws: JSONError.self) { try SnapshotFile.decode(Array(#"{"time":"2026-11-23T05:06:07Z","tree":null}"#.utf8), id: id) }
    }

    @Test func `times keep the offset they were recorded with`() throws {
        for text in ["2026-11-23T05:06:07+07:00", "2026-11-23T05:06:07-03:30", "1965-05-05T01:00:00.5Z", "0001-01-01T00:00:00Z"] {
            var reader = try JSONReader(Array("\"\(text)\"".utf8), limit: 100)
            let (moment, offset) = try reader.time()
            var writer = JSONText()
            writer.time(moment, utcOffsetSeconds: offset)
            #expect(String(decoding: writer.bytes, as: UTF8.self) == "\"\(text)\"")
        }
    }

    @Test(arguments: [
        #""\u00"#, #""a"#, "{", #"{"a""#, #"{"a":"#, "[1,", "[1 2]", #"{"a":1,}"#, "tru", "nul", #"{"a":1}}"#, "", "\"\u{1}\"",
        String(repeating: "[", count: 100), #"{"a":-}"#,
    ])
    func `malformed JSON is reported`(_ text: String) {
        #expect(throws: JSONError.self) {
            var reader = try JSONReader(Array(text.utf8), limit: 1000)
            if text.hasPrefix("\"") { _ = try reader.string() } else { try reader.skipValue() }
            if text != #"{"a":-}"# { try reader.end() } else { throw reader.failure("tolerated") }
        }
    }
}
