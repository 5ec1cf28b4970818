import Platform
import TestSupport

/// Programs of others that only these tests need.
enum Peers {
    static var restServer: String { get throws { try Peer.restServer.program() } }
    static var restic: String { get throws { try Peer.newestRestic.program() } }

    /// A program of the system that must be there: a test never passes for want of one.
    static var rclone: String {
        get throws {
            guard let path = availableCommand("rclone") else { throw Missing(description: "rclone is missing: scripts/deps test installs it") }
            return path
        }
    }

    struct Missing: Error, CustomStringConvertible { let description: String }
}
