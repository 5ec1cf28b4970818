package import Platform

/// Sealed batch files, named by the SHA-256 of their content: what is too much for an event goes here, and the event names it.
package struct BatchStore: Sendable {
    package let directory: FilePath

    /// - Parameter directory: `batches` of the state directory; made when the first batch is written.
    package init(directory: FilePath) { self.directory = directory }

    package func path(of id: Digest) -> FilePath { directory / id.hex }

    /// Writes a batch durably. Writing the same bytes again changes nothing.
    ///
    /// Write the batch first and commit the event that names it afterwards: a crash between leaves a file that nobody misses.
    package func write(_ bytes: [UInt8]) throws -> Digest {
        let id = try SHA256.hash(bytes)
        try DurableFiles.makeDirectories(directory)
        do {
            try DurableFiles.create(path(of: id), bytes, mode: 0o400)
        } catch {
            if !error.isExisting { throw error }
            // A damaged file under the right name would otherwise stay damaged.
            if try !isIntact(id, bytes) { try DurableFiles.replace(path(of: id), bytes, mode: 0o400) }
        }
        return id
    }

    private func isIntact(_ id: Digest, _ bytes: [UInt8]) throws -> Bool {
        do {
            return try DurableFiles.read(path(of: id), limit: bytes.count) == bytes
        } catch {
            return false
        }
    }

    /// Reads a batch and checks its hash.
    ///
    /// - Parameter limit: Bytes, at most.
    /// - Throws: `.unknown` when there is none, `.damaged` when its content is not what its name says.
    package func read(_ id: Digest, limit: Int) throws -> [UInt8] {
        let bytes: [UInt8]
        do {
            bytes = try DurableFiles.read(path(of: id), limit: limit)
        } catch {
            if !error.isMissing { throw error }
            throw LedgerError(
                .unknown, Phrase(vi: "tệp lô '\(path(of: id))' không tồn tại", en: "the batch file '\(path(of: id))' does not exist"),
                hint: LedgerFiles.restoreHint, cause: error)
        }
        guard try SHA256.hash(bytes) == id else {
            throw LedgerError(
                .damaged,
                Phrase(vi: "tệp lô '\(path(of: id))' bị hỏng", en: "the batch file '\(path(of: id))' is damaged"),
                hint: LedgerFiles.restoreHint)
        }
        return bytes
    }
}
