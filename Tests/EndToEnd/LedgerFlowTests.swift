import Platform
import TestSupport
import Testing

@Suite(.enabled(if: Programs.areBuilt, Programs.howToBuild)) struct LedgerFlowTests {
    @Test func `the ledger survives every death at a commit`() async throws {
        for point in ["ledger.before-commit", "ledger.committed"] {
            try await withWard { ward in
                let broken = try await Daemon.start(ward, faults: "core:\(point)=kill@3")
                for number in 1...4 {
                    // The command that meets the death fails; what it did is there afterwards, or is not, as a whole.
                    _ = try await broken.ctl(["incident", "open", "Sự cố \(number)", "--severity", "low"])
                }
                try await broken.kill()
                try await broken.expectNoProcesses()

                let sound = try await Daemon.start(ward)
                try await sound.ctl(["ledger", "verify"]).expect(0)
                let before = try await sound.ctl(["incident", "list", "--json"]).expect(0).json().incidents.count
                try await sound.ctl(["ledger", "rebuild"]).expect(0)
                let after = try await sound.ctl(["incident", "list", "--json"]).expect(0).json().incidents.count
                #expect(before == after)
                try await sound.stop()
            }
        }
    }

    @Test func `an event rewritten behind a checkpoint is found, with and without the daemon`() async throws {
        let sqlite = try #require(availableCommand("sqlite3"), "sqlite3 is not installed: 'make deps'")
        try await withWard { ward in
            let daemon = try await Daemon.start(ward)
            try await daemon.ctl(["incident", "open", "Sự cố thật", "--severity", "high"]).expect(0)
            let checkpoint = try await daemon.ctl(["ledger", "checkpoint", "--json"]).expect(0).json()
            let key = try #require(checkpoint["verificationKey"].text)
            try await daemon.stop()
            try await Programs.sentinelctl(["ledger", "verify", "--state", "\(ward.state)", "--vkey", key]).expect(0)

            // Whoever has the database file can write into it; that is why the tree is there.
            let attack = "UPDATE events SET leaf = CAST(replace(CAST(leaf AS TEXT), 'high', 'low!') AS BLOB)"
            let attacked = try await runProcess([sqlite, "\(ward.state / "ledger.db")", attack])
            attacked.expect(0)
            try await Programs.sentinelctl(["ledger", "verify", "--state", "\(ward.state)", "--vkey", key]).expect(4)
        }
    }

    @Test func `root and signature can be checked with Python and openssl alone`() async throws {
        let python = try #require(availableCommand("python3"), "python3 is not installed: 'make deps'")
        try await withWard { ward in
            let daemon = try await Daemon.start(ward)
            for number in 1...5 { try await daemon.ctl(["incident", "open", "Sự cố \(number)", "--severity", "low"]).expect(0) }
            let answer = try await daemon.ctl(["ledger", "checkpoint", "--json"]).expect(0).standardOutput
            try await daemon.stop()
            let checked = try await runProcess(
                [python, "-c", Self.independentVerifier, "\(ward.state / "ledger.db")"], input: answer, directory: ward.root)
            #expect(checked.text == "root and signature hold\n", "\(checked)")
        }
    }

    /// docs/format.md, "Ledger", read by somebody who has never seen our code.
    private static let independentVerifier = """
        import base64, hashlib, json, sqlite3, subprocess, sys
        answer = json.load(sys.stdin)
        text, signatures = answer["checkpoint"].split("\\n\\n")
        origin, size, root = text.split("\\n")[:3]
        leaves = [row[0] for row in sqlite3.connect(sys.argv[1]).execute("SELECT leaf FROM events ORDER BY sequence LIMIT ?", (int(size),))]
        def tree(leaves):
            if len(leaves) == 1: return hashlib.sha256(b"\\0" + leaves[0]).digest()
            half = 1
            while half * 2 < len(leaves): half *= 2
            return hashlib.sha256(b"\\1" + tree(leaves[:half]) + tree(leaves[half:])).digest()
        assert len(leaves) == int(size) and tree(leaves) == base64.b64decode(root), "root"
        name, key_id, key = answer["verificationKey"].split("+", 2)
        blob = base64.b64decode(signatures.split(" ")[2])
        assert name == origin and blob[:4].hex() == key_id, "key id"
        open("key.der", "wb").write(bytes.fromhex("302a300506032b6570032100") + base64.b64decode(key)[1:])
        open("text", "wb").write((text + "\\n").encode())
        open("signature", "wb").write(blob[4:])
        subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.der", "-keyform", "DER", "-rawin", "-in", "text", "-sigfile", "signature"],
                       check=True, stdout=subprocess.DEVNULL)
        print("root and signature hold")
        """
}
