internal import FoundationEssentials
package import Platform

/// Verifies a ledger that nobody has open, with nothing but its verification key. The ledger itself is only read.
package enum LedgerVerifier {
    private static let attempts = 5
    private static let chunkBytes = 1 << 20

    /// Copies `ledger.db` and its write-ahead log to a scratch directory and verifies the copy there.
    ///
    /// - Parameters:
    ///   - directory: The state directory of the ledger.
    ///   - vkey: The verification key from the recovery sheet or a report.
    ///   - scratch: An existing directory with room for a copy; a private directory is made in it and removed afterwards.
    ///   - outsideCheckpoints: Signed notes that were kept elsewhere; the ledger must contain what they confirm.
    /// - Throws: `.malformed` for a key or note that cannot be read; `.lost`, `.truncated`, `.notADatabase`, `.foreignDatabase`;
    ///   `.locked` when the ledger keeps changing. Everything else is a problem in the report.
    package static func verify(
        directory: FilePath, vkey: String, scratch: FilePath, outsideCheckpoints: [String] = []
    ) throws -> VerificationReport {
        let key = try NoteVerifier(vkey: vkey)
        let files = LedgerFiles(directory: directory)
        guard try FileStatus.exists(files.database) else {
            throw LedgerError(
                .lost, Phrase(vi: "'\(files.database)' không tồn tại", en: "'\(files.database)' does not exist"),
                hint: LedgerFiles.restoreHint)
        }
        try files.requireLedgerFile()
        return try withScratchDirectory(in: scratch) { room in
            let copy = LedgerFiles(directory: room)
            try copyFiles(from: files, to: copy)
            return try LedgerAudit.run(copy.database, of: files, key: key, outside: outsideCheckpoints)
        }
    }

    /// Both files must be of one moment: a change while copying starts over.
    private static func copyFiles(from source: LedgerFiles, to target: LedgerFiles) throws {
        for _ in 0..<attempts {
            let before = try [status(source.database), status(source.writeAheadLog)]
            try copy(source.database, to: target.database)
            if before[1] != nil { try copy(source.writeAheadLog, to: target.writeAheadLog) }
            if try [status(source.database), status(source.writeAheadLog)] == before { return }
            for path in [target.database, target.writeAheadLog] { try DurableFiles.remove(path) }
        }
        throw LedgerError(
            .locked,
            Phrase(
                vi: "sổ cái trong '\(source.directory)' thay đổi liên tục trong khi sao chép",
                en: "the ledger in '\(source.directory)' keeps changing while it is copied"),
            hint: Phrase(
                vi: "hỏi dịch vụ đang chạy: 'sentinelctl ledger verify'", en: "ask the running service: 'sentinelctl ledger verify'"))
    }

    /// What tells one state of a file from another; nil when the file is missing.
    private static func status(_ path: FilePath) throws(SystemError) -> [UInt64]? {
        do throws(SystemError) {
            let status = try FileStatus.ofLink(path)
            return [
                status.inode, status.sizeBytes, UInt64(bitPattern: status.modified.seconds),
                UInt64(bitPattern: Int64(status.modified.nanoseconds)),
            ]
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    private static func copy(_ source: FilePath, to target: FilePath) throws(SystemError) {
        let input = try FileDescriptor.open(source)
        var output = try TemporaryFile(beside: target)
        var buffer = [UInt8](repeating: 0, count: chunkBytes)
        while true {
            let count = try unsafe buffer.withUnsafeMutableBufferPointer { (bytes) throws(SystemError) -> Int in
                try unsafe input.read(into: UnsafeMutableRawBufferPointer(bytes), path: source)
            }
            if count == 0 { break }
            try unsafe buffer.withUnsafeBufferPointer { (bytes) throws(SystemError) -> Void in
                try unsafe output.write(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[..<count]))
            }
        }
        try output.publish(as: target, mode: 0o600, replacing: true)
    }

    private static func withScratchDirectory<Value>(in parent: FilePath, _ body: (FilePath) throws -> Value) throws -> Value {
        let room = parent / "sentinel-ledger-\(hexText(try SecureRandom.bytes(16)))"
        try DurableFiles.makeDirectories(room)
        let result = Result { try body(room) }
        if let path = room.utf8 { try FileManager.default.removeItem(atPath: path) }
        return try result.get()
    }
}
