internal import Platform
internal import Synchronization

/// The leases of one repository object. Every write passes here: it waits while a lease is overdue, and fails when one was lost.
final class LeaseGate: Sendable {
    private let leases = Mutex<[Lease]>([])

    func add(_ lease: Lease) { leases.withLock { $0.append(lease) } }
    func remove(_ lease: Lease) { leases.withLock { $0.removeAll { $0 === lease } } }

    /// A live lease that already gives what is asked for.
    func lease(exclusive: Bool) -> Lease? {
        leases.withLock { leases in leases.first { ($0.isExclusive || !exclusive) && $0.loss == nil && $0.retain() } }
    }

    /// - Throws: `.locked` when a lease was lost.
    func check() throws(RepositoryError) {
        for lease in leases.withLock({ $0 }) { try lease.check() }
    }
}

/// A backend whose writes stop with the lease: a process that was stopped for an hour must not go on where it was.
struct LeasedBackend: Backend {
    let base: any Backend
    let gate: LeaseGate

    var description: String { base.description }
    var connections: Int { base.connections }

    func create() throws(RepositoryError) { try base.create() }
    func loadConfiguration(limit: Int) throws(RepositoryError) -> [UInt8] { try base.loadConfiguration(limit: limit) }
    func saveConfiguration(_ bytes: [UInt8]) throws(RepositoryError) { try base.saveConfiguration(bytes) }
    func list(_ type: FileType) throws(RepositoryError) -> [StoredFile] { try base.list(type) }
    func load(_ type: FileType, _ id: Digest, limit: Int) throws(RepositoryError) -> [UInt8] { try base.load(type, id, limit: limit) }
    func age(of type: FileType, _ id: Digest) throws(RepositoryError) -> Double? { try base.age(of: type, id) }

    func read(
        _ type: FileType, _ id: Digest, offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(RepositoryError) {
        try unsafe base.read(type, id, offset: offset, into: buffer)
    }

    func readTree(_ pack: Digest, offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(RepositoryError) {
        try unsafe base.readTree(pack, offset: offset, into: buffer)
    }

    func save(_ type: FileType, _ id: Digest, _ bytes: [UInt8]) throws(RepositoryError) {
        if type != .lock { try gate.check() }
        try base.save(type, id, bytes)
    }

    func openUpload(_ type: FileType) throws(RepositoryError) -> any Upload { LeasedUpload(base: try base.openUpload(type), gate: gate) }

    func remove(_ type: FileType, _ id: Digest) throws(RepositoryError) {
        if type != .lock { try gate.check() }
        try base.remove(type, id)
    }
}

/// An upload that gets its name only while the lease holds.
private final class LeasedUpload: Upload {
    let base: any Upload
    let gate: LeaseGate

    init(base: any Upload, gate: LeaseGate) {
        self.base = base
        self.gate = gate
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(RepositoryError) { try unsafe base.append(bytes) }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(RepositoryError) {
        try unsafe base.read(into: buffer, at: offset)
    }

    func commit(as id: Digest) throws(RepositoryError) {
        try gate.check()
        try base.commit(as: id)
    }
}
