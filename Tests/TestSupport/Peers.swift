package import Platform

/// A program of others that tests run beside ours; `scripts/peers` fetches those that Debian 12 does not have.
package enum Peer: String, CaseIterable, Sendable, CustomStringConvertible {
    /// Debian's own, on `PATH`: 0.14 on Debian 12, the oldest that knows format 2.
    case debianRestic = "restic"
    case restic018 = "restic-0.18"
    case newestRestic = "restic-newest"
    case restServer = "rest-server"

    /// Every version of restic, oldest first.
    package static let restics: [Peer] = [.debianRestic, .restic018, .newestRestic]

    /// Where the fetched programs lie: `SENTINEL_PEERS`, else `.build/peers/bin` below the root of the repository.
    package static let directory: FilePath =
        environmentValue("SENTINEL_PEERS").map { FilePath($0) }
        ?? (environmentValue("SENTINEL_ROOT").map { FilePath($0) } ?? FilePath(#filePath).parent.parent.parent) / ".build/peers/bin"

    package var description: String { rawValue }

    /// The absolute path of the program.
    ///
    /// - Throws: `MissingPeer`: a test that cannot ask its peer has failed, not passed.
    package func program() throws -> String {
        if self == .debianRestic {
            guard let path = availableCommand(rawValue) else { throw MissingPeer(peer: self, hint: "scripts/deps test installs it") }
            return path
        }
        let path = Self.directory / rawValue
        guard (try? FileStatus.of(path))?.kind == .file, let text = path.utf8 else {
            throw MissingPeer(peer: self, hint: "scripts/peers puts it into \(Self.directory)")
        }
        return text
    }
}

/// A peer is not where it should be.
package struct MissingPeer: Error, CustomStringConvertible {
    let peer: Peer
    let hint: String
    package var description: String { "\(peer) is missing: \(hint)" }
}
