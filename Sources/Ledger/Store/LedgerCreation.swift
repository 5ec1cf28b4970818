internal import Platform

/// Making an empty ledger where there never was one.
enum LedgerCreation {
    private static let sizeLimitBytes = 4 << 20

    /// Builds the database under another name and gives it its own only when it is whole: a file `ledger.db` of no bytes is never ours.
    static func run(_ files: LedgerFiles, verifier: NoteVerifier) throws {
        let identity = LedgerIdentity(log: hexText(try SecureRandom.bytes(16)), origin: verifier.name, key: verifier.text)
        let scratch = files.directory / "ledger.new-\(identity.log)"
        do {
            // Closing the last connection moves the write-ahead log into the file.
            let database = try Database(scratch, access: .create)
            try LedgerSchema.create(in: database, identity: identity)
        }
        try DurableFiles.create(files.database, DurableFiles.read(scratch, limit: sizeLimitBytes))
        try DurableFiles.remove(scratch)
        try files.requireMarker(identity)
    }
}
