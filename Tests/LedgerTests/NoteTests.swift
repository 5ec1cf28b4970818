import Ledger
import Platform
import TestSupport
import Testing

@Suite struct NoteTests {
    /// RFC 8032, section 7.1, tests 1 and 2.
    @Test(arguments: [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ])
    func `Ed25519 signs as RFC 8032 says`(_ seed: String, _ publicKey: String, _ message: String, _ signature: String) throws {
        let key = try SigningKey(seed: #require(hexBytes(seed)))
        let message = try #require(hexBytes(message))
        #expect(hexText(key.verificationKey.bytes) == publicKey)
        let signed = try key.sign(message)
        #expect(hexText(signed) == signature)
        #expect(try key.verificationKey.isValid(signed, for: message))
        #expect(try !key.verificationKey.isValid(signed, for: message + [0]))
        #expect(try !key.verificationKey.isValid(Array(signed.dropLast()), for: message))
        #expect(try hexText(key.seed()) == seed)
    }

    @Test func `keys of another length are refused`() {
        #expect(throws: CryptoError.self) { try SigningKey(seed: [1, 2, 3]) }
        #expect(throws: CryptoError.self) { try VerificationKey([]) }
    }

    /// The example of C2SP signed-note.
    static let exampleKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    static let exampleNote = """
        This is an example message.

        — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=

        """

    @Test func `the example of the specification verifies`() throws {
        let key = try NoteVerifier(vkey: Self.exampleKey)
        #expect(hexText(key.keyID) == "530d903a")
        #expect(key.text == Self.exampleKey)
        let note = try SignedNote(parsing: Self.exampleNote)
        #expect(note.text == "This is an example message.\n")
        #expect(try note.verify(with: [key]) == [key])
    }

    @Test func `a changed text or signature is unauthentic, an unknown key signs nothing`() async throws {
        let key = try NoteVerifier(vkey: Self.exampleKey)
        let changed = try SignedNote(parsing: "X" + Self.exampleNote)
        #expect(try await ledgerCode { try changed.verify(with: [key]) } == .unauthentic)
        let other = try NoteSigner(name: "example.com/foo", key: LedgerFixture.key()).verifier
        #expect(try await ledgerCode { try SignedNote(parsing: Self.exampleNote).verify(with: [other]) } == .unauthentic)
        #expect(try SignedNote(parsing: Self.exampleNote).verify(with: [other, key]) == [key])
    }

    @Test func `a text may hold empty lines; the last one parts it from the signatures`() throws {
        let signer = try NoteSigner(name: "sentinel.local/A", key: LedgerFixture.key())
        let text = "một\n\nhai\n\n\u{2014} ba\n"
        let note = try SignedNote(parsing: signer.sign(text))
        #expect(note.text == text)
        #expect(try note.verify(with: [signer.verifier]).count == 1)
    }

    @Test(arguments: [
        "", "\n", "text\n", "text\n\n", "text\n\n\n", "text\n\n- a AAAAAAA=\n", "text\n\n\u{2014} a AAAAAAA=", "text\n\n\u{2014} a AAAA\n",
        "text\n\n\u{2014} a b AAAAAAA=\n", "te\txt\n\n\u{2014} a AAAAAAA=\n", "text\n\n\u{2014} a+b AAAAAAA=\n", "text\n\n\u{2014} a AAAAAAB=\n",
    ])
    func `malformed notes are refused`(_ note: String) async throws {
        #expect(try await ledgerCode { _ = try SignedNote(parsing: note) } == .malformed)
    }

    @Test(arguments: [
        "", "a+b", "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    ])
    func `malformed verification keys are refused`(_ vkey: String) async throws {
        #expect(try await ledgerCode { _ = try NoteVerifier(vkey: vkey) } == .malformed)
    }

    @Test func `a checkpoint is written as the specification says and read again`() throws {
        let checkpoint = Checkpoint(origin: "sentinel.local/DK01", size: 3, root: .zero)
        #expect(checkpoint.text == "sentinel.local/DK01\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
        #expect(try Checkpoint(parsing: checkpoint.text) == checkpoint)
        #expect(try Checkpoint(parsing: checkpoint.text + "more\n").extensions == ["more"])
    }

    @Test(arguments: [
        "x\n03\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "x\n3\nAAAA\n", "x\n3\n", "x\n-1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "x\r\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "",
    ])
    func `malformed checkpoints are refused`(_ text: String) async throws {
        #expect(try await ledgerCode { _ = try Checkpoint(parsing: text) } == .malformed)
    }

    @Test func `a checkpoint of another origin is refused though its key signed it`() async throws {
        let signer = try NoteSigner(name: "sentinel.local/A", key: LedgerFixture.key())
        let note = try signer.sign(Checkpoint(origin: "sentinel.local/B", size: 0, root: .zero).text)
        #expect(try await ledgerCode { _ = try Checkpoint(note: note, key: signer.verifier) } == .unauthentic)
    }

    @Test func `a key file keeps the key and refuses others' eyes`() async throws {
        try await withTemporaryDirectory("ledger-key") { directory in
            let path = directory / "keys" / "ledger.key"
            let signer = try LedgerKeyFile.create(path, origin: "sentinel.local/A")
            #expect(try LedgerKeyFile.load(path).verifier == signer.verifier)
            #expect(throws: SystemError.self) { _ = try LedgerKeyFile.create(path, origin: "sentinel.local/A") }
            let bytes = try DurableFiles.read(path, limit: 4096)
            try DurableFiles.replace(path, bytes, mode: 0o604)
            #expect(try await ledgerCode { _ = try LedgerKeyFile.load(path) } == .refused)
            try DurableFiles.replace(path, Array("PRIVATE+KEY+x\n".utf8), mode: 0o400)
            #expect(try await ledgerCode { _ = try LedgerKeyFile.load(path) } == .malformed)
        }
    }

    @Test func `damaged notes, keys, checkpoints and proofs never trap and never verify`() throws {
        let signer = try NoteSigner(name: "sentinel.local/A", key: LedgerFixture.key())
        var hasher = try MerkleHasher()
        let root = try hasher.leaf(Array("leaf".utf8))
        let note = try signer.sign(Checkpoint(origin: "sentinel.local/A", size: 1, root: root).text)
        let proof = TransparencyProof(extra: Array("leaf".utf8), index: 0, hashes: [], checkpoint: note)
        let key = signer.verifier
        try TransparencyProof(parsing: proof.text).verify(key: key)
        let original = try SignedNote(parsing: note)
        let corpus = [note, proof.text, key.text, Self.exampleNote, Self.exampleKey].map { Array($0.utf8) }
        try fuzz("ledger.notes", corpus: corpus) { input in
            let text = String(decoding: input, as: UTF8.self)
            _ = try? NoteVerifier(vkey: text)
            _ = try? Checkpoint(parsing: text)
            if let parsed = try? SignedNote(parsing: text), (try? parsed.verify(with: [key])) != nil, parsed.text != original.text {
                throw BodyFailure()
            }
            if let parsed = try? TransparencyProof(parsing: text), let checkpoint = try? parsed.verify(key: key), checkpoint.root != root {
                throw BodyFailure()
            }
        }
    }
}
