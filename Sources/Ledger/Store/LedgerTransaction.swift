package import Platform

/// One body's view of the ledger while it commits. Lives as long as the body runs, on its thread only.
package final class LedgerTransaction {
    /// The connection that writes. Tables of projections are written by ``append(_:)`` alone; others may be written here.
    package let database: Database
    private let projections: [any Projection]
    private let writer: LedgerWriter
    private var isOpen = true
    /// Why an event was left half-entered: the body may not catch that and go on.
    private(set) var failure: (any Error)?

    init(writer: LedgerWriter, database: Database, projections: [any Projection]) {
        self.writer = writer
        self.database = database
        self.projections = projections
    }

    /// Appends an event and applies it to every projection at once.
    ///
    /// - Returns: The event as it will be read later.
    /// - Throws: `.leafTooLarge` or `.invalidEvent` before anything was written; whatever a projection throws, and then the
    ///   whole body is undone even if it catches the error.
    @discardableResult
    package func append(_ draft: EventDraft) throws -> Event {
        if let failure { throw failure }
        guard isOpen, database.isInTransaction else { throw LedgerError.closed() }
        let prepared = try PreparedEvent(draft, sequence: writer.frontier.size)
        do {
            try writer.append(prepared)
            for projection in projections { try projection.apply(prepared.event, to: database) }
        } catch {
            failure = error
            throw error
        }
        return prepared.event
    }

    /// The event at `sequence`, one appended in this transaction included; nil when there is none.
    package func event(_ sequence: Int64) throws -> Event? { try EventTable.event(sequence, in: database) }

    /// The number of events, those of this transaction included.
    package var count: Int64 { writer.frontier.size }

    /// See ``Ledger/checkpoint()``.
    func checkpoint() throws -> String { try writer.checkpoint() }

    /// See ``LedgerWriter/wantPurge()``.
    func wantPurge() { writer.wantPurge() }

    func close() { isOpen = false }
}
