package import BackupEngine
package import Platform

/// Opens the storage of any kind of repository.
package enum Storage {
    /// - Throws: `.invalidArgument`, `.storage`. Nothing is asked of a server yet, but rclone is started.
    package static func open(_ location: RepositoryLocation, _ access: StorageAccess = StorageAccess()) throws(RepositoryError) -> any Backend {
        let remote: any Backend
        switch location {
        case .local(let path): return LocalDirectory(path)
        case .rest(let address): remote = try RestRepository(address, access)
        case .rclone(let name): remote = try RestRepository(try RcloneServer(name, access), access, description: location.description)
        }
        guard let root = access.cacheDirectory else { return remote }
        return CachedStorage(remote, directory: try CachedStorage.directory(of: location, below: root))
    }
}

/// What reaching a repository takes beside its location; nothing for a local directory.
package struct StorageAccess: Sendable, CustomStringConvertible, CustomReflectable {
    /// Credential for the REST server, unless its address names one.
    package var user: String?
    package var password: String?
    /// PEM file with the only certificate authorities that are trusted; the system's when nil.
    package var authorities: FilePath?
    /// PEM file with the certificate and the private key that this client shows.
    package var clientCertificate: FilePath?
    /// Accept any certificate of the server. For tests and emergencies.
    package var acceptsAnyCertificate = false
    /// Bytes per second over all connections; nil for no limit.
    package var uploadLimit: Int?
    package var downloadLimit: Int?
    /// Settings `-o KEY=VALUE` as restic knows them: `rclone.program`, `rclone.args`, `rest.connections` ...
    package var options: [String: String] = [:]
    package var retry = RetryPolicy()
    package var timing = RequestTiming()
    /// Where copies of indexes, snapshots and trees of remote repositories are kept; nil for no cache.
    package var cacheDirectory: FilePath?
    /// Ends waiting between attempts.
    package var cancellation: CancellationFlag?
    /// Called before each wait between attempts, from the thread that waits: what failed, and when it is tried again.
    package var onRetry: (@Sendable (Phrase) -> Void)?

    package init(
        user: String? = nil, password: String? = nil, authorities: FilePath? = nil, uploadLimit: Int? = nil,
        downloadLimit: Int? = nil
    ) {
        self.user = user
        self.password = password
        self.authorities = authorities
        self.uploadLimit = uploadLimit
        self.downloadLimit = downloadLimit
    }

    package var description: String { "StorageAccess" }
    /// Nothing of a credential is ever printed.
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// How often, and for how long, a request that failed for a reason that may pass is tried again. restic's numbers.
package struct RetryPolicy: Sendable, Hashable {
    package var firstPauseSeconds = 1.0
    package var factor = 2.0
    package var longestPauseSeconds = 60.0
    /// Each pause is drawn from this share below and above its length, so that clients do not come in step.
    package var jitter = 0.5
    /// No further attempt begins so long after the first.
    package var totalSeconds = 900.0
    /// The same while the server has not answered once: a wrong address should be told soon.
    package var firstContactSeconds = 20.0

    package init() {}

    /// The pause after attempt `number`, counted from 1.
    func pauseSeconds(after number: Int, using generator: inout some RandomNumberGenerator) -> Double {
        var pause = firstPauseSeconds
        for _ in 1..<max(number, 1) where pause < longestPauseSeconds { pause *= factor }
        return min(pause, longestPauseSeconds) * Double.random(in: (1 - jitter)...(1 + jitter), using: &generator)
    }
}

/// Limits in time of a single request.
package struct RequestTiming: Sendable, Hashable {
    package var connectSeconds = 15.0
    /// Without a byte in either direction for this long the request has failed. restic's default.
    package var idleSeconds = 300.0
    /// Beside ``idleSeconds``, a request may take the time of its body at this speed, in bytes per second: a server that
    /// sends a byte now and then ends too.
    package var slowestRate = 1024.0

    package init() {}

    func limitSeconds(bytes: Int) -> Double { 2 * idleSeconds + Double(bytes) / slowestRate }
}
