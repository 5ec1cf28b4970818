internal import FoundationEssentials
package import Platform

/// The repositories that a daemon looks after, in a file beside its ledger: commands that work on a repository directly find
/// out, also while the daemon is down, that it is not theirs to delete from.
package struct KnownRepositories: Codable, Sendable, Equatable {
    package struct Entry: Codable, Sendable, Equatable {
        package var name: String
        /// A path, `rest:URL` or `rclone:REMOTE:PATH`.
        package var location: String
        /// The identity in `config`; nil before it was first seen.
        package var identity: String?
        package var isAppendOnly: Bool

        package init(name: String, location: String, identity: String?, isAppendOnly: Bool) {
            self.name = name
            self.location = location
            self.identity = identity
            self.isAppendOnly = isAppendOnly
        }
    }

    package var repositories: [Entry]

    private static let sizeLimitBytes = 4 << 20

    package init(_ repositories: [Entry]) { self.repositories = repositories }

    /// Those of a configuration; identities are not in it.
    package init(_ settings: BackupSettings) {
        repositories = settings.repositories.map { Entry(name: $0.name, location: $0.location, identity: nil, isAppendOnly: $0.isAppendOnly) }
    }

    /// Reads the file; nil when there is none.
    package static func load(_ path: FilePath) throws -> KnownRepositories? {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try DurableFiles.read(path, limit: sizeLimitBytes)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
        return try JSONDecoder().decode(KnownRepositories.self, from: Data(bytes))
    }

    package func save(_ path: FilePath) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        try DurableFiles.replace(path, Array(try encoder.encode(self)) + [0x0A], mode: 0o644)
    }

    /// The entry that means the repository at `location` with `identity`: the same place, also through links and other mounts,
    /// or the same repository, wherever it was copied to.
    package func entry(location: String, identity: String?) -> Entry? {
        let wanted = Self.place(location)
        return repositories.first { entry in
            if let identity, entry.identity == identity { return true }
            return Self.place(entry.location) == wanted
        }
    }

    private enum Place: Equatable {
        case inode(device: UInt64, number: UInt64)
        case text(String)
    }

    private static func place(_ location: String) -> Place {
        guard let path = directory(location) else {
            return .text(withoutUser(location.hasSuffix("/") ? String(location.dropLast()) : location))
        }
        // Where it cannot be asked the name must do.
        guard let status = try? FileStatus.of(path) else { return .text(path.normalised.description) }
        return .inode(device: status.device, number: status.inode)
    }

    /// An address without `USER:PASSWORD@`, which the configuration never holds.
    private static func withoutUser(_ address: String) -> String {
        guard let scheme = address.firstRange(of: "://") else { return address }
        let rest = address[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else { return address }
        return String(address[..<scheme.upperBound] + rest[rest.index(after: at)...])
    }

    private static func directory(_ location: String) -> FilePath? {
        if ["rest:", "rclone:"].contains(where: { location.hasPrefix($0) }) { return nil }
        return FilePath(location.hasPrefix("local:") ? String(location.dropFirst(6)) : location)
    }
}

extension RepositoryService {
    /// The repositories of the configuration with the identities that the record has.
    package func knownRepositories() async throws -> KnownRepositories {
        let views = try await repositories()
        return KnownRepositories(
            views.map { .init(name: $0.name, location: $0.location, identity: $0.identity, isAppendOnly: $0.isAppendOnly) })
    }
}
