package import Ledger
internal import Platform
internal import Synchronization

/// The texts of all playbooks that were ever attached, by content: a changed file does not change a running playbook.
package final class PlaybookDefinitions: Sendable {
    /// Bytes of a playbook file, at most.
    static let sizeLimitBytes = 1 << 20

    private let batches: BatchStore
    private let parsed = Mutex<[Digest: Playbook]>([:])

    package init(batches: BatchStore) { self.batches = batches }

    /// Stores the texts of a library, so that each of its playbooks can be attached.
    package func preserve(_ library: PlaybookLibrary) throws {
        for playbook in library.playbooks {
            let digest = try batches.write(playbook.source)
            if digest != playbook.digest { throw IncidentError.storedTextDamaged("playbook \(playbook.id)") }
            parsed.withLock { $0[digest] = playbook }
        }
    }

    /// The definition with this digest.
    ///
    /// - Throws: `.damaged` when its text cannot be read any more.
    func definition(_ digest: Digest) throws -> Playbook {
        if let known = parsed.withLock({ $0[digest] }) { return known }
        let source = try batches.read(digest, limit: Self.sizeLimitBytes)
        let playbook = try Playbook.parse(source, name: "batches/\(digest.hex)")
        parsed.withLock { $0[digest] = playbook }
        return playbook
    }
}
