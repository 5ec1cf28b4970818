/// An accept event of the ledger, as the watch process needs it to bring its approved state up to date.
struct AcceptReference: Codable, Sendable {
    var sequence: Int64
    /// Hex digest of the batch file that holds the rows.
    var batch: String
    /// Hex digest of the approved state after the batch.
    var root: String
}

/// A directory to watch.
struct WatchArea: Codable, Sendable {
    var name: String
    var path: String
    var excludes: [String]
}

/// What the watch process works with; sent again after a reload.
struct WatchSetup: Codable, Sendable {
    var stateDirectory: String
    var areas: [WatchArea]
}

/// Core to watch.
enum WatchOrder: Codable, Sendable {
    case setup(WatchSetup)
    /// The accepts the baseline lacks, oldest first; then watching begins. `resets`: the approved state on disk cannot be
    /// trusted and is built again from all accepts.
    case begin(accepts: [AcceptReference], resets: Bool)
    /// The changes of a report are in the ledger.
    case acknowledge(report: Int64)
    case request(id: Int64, WatchRequest)
}

enum WatchRequest: Codable, Sendable {
    /// A full pass over everything, then changes against the observed state are reported.
    case scan
    case changes
    /// Seals the accepted rows of `paths` (base64; empty: all) into a batch file.
    case prepareAccept(pathsBase64: [String])
    case applyAccept(AcceptReference)
    case coverage
}

/// Watch to core.
enum WatchReport: Codable, Sendable {
    /// First message after the setup: the newest accept that the baseline holds (-1: none), and the root of its rows as they are,
    /// in hex (empty: no rows).
    case hello(applied: Int64, root: String)
    /// Changes of the observed state; repeated until acknowledged.
    case observed(report: Int64, area: String, changes: [ObservedWire])
    /// The guarantee was interrupted for `path`, times in milliseconds since 1970.
    case blind(path: String, from: Int64, to: Int64, vi: String, en: String)
    /// The approved state on disk is not what the ledger says.
    case tampered(vi: String, en: String)
    case answer(id: Int64, WatchAnswer)
    case failed(id: Int64, WireFailure)
}

/// One observed change.
struct ObservedWire: Codable, Sendable {
    /// `added`, `removed` or `changed`.
    var kind: String
    var pathBase64: String
    var attributes: [String]
    /// Hex digest of path and new state: the same change always has the same one.
    var fingerprint: String
    /// True when the file now is what is approved: somebody put it back, or an accept came first.
    var isApproved: Bool
}

enum WatchAnswer: Codable, Sendable {
    case scanned(files: Int, unreadable: Int, changes: Int)
    /// JSON text of a `ChangesAnswer`.
    case changes(String)
    case prepared(batch: String, rows: Int, root: String, base: Int64)
    case applied
    /// JSON text of a `CoverageAnswer`.
    case coverage(String)
}
