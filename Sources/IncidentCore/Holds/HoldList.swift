package import Ledger
package import Platform

/// The held snapshots as a signed text, for whoever prunes on the storage side; see docs/append-only.md.
///
/// ```
/// sentinel holds v1
/// site DK01
/// time 2026-11-23T07:00:00+07:00
/// repository offsite 5f2c…
/// held <snapshot> <original> <tree> <job> <hold>[,<hold>…]
/// end <number of held lines>
/// ```
/// The text stands in a signed note of the ledger's key. Its first line is no origin of a checkpoint, so that neither can be
/// taken for the other.
package struct HoldList: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        package var repository: String
        package var identity: String?
        package var snapshot: String
        package var original: String
        package var tree: String
        package var job: String
        package var holds: [String]
    }

    package static let heading = "sentinel holds v1"

    package var site: String
    package var moment: Timestamp
    /// Ordered by repository.
    package var entries: [Entry]
    /// Repositories without a held snapshot stand in the list too: silence would say nothing about them.
    package var repositories: [(name: String, identity: String?)]

    package static func == (left: HoldList, right: HoldList) -> Bool { left.text == right.text }

    package var text: String {
        var lines = [Self.heading, "site \(site)", "time \(viewTime(moment))"]
        for repository in repositories {
            lines.append("repository \(repository.name) \(repository.identity ?? "-")")
            for entry in entries where entry.repository == repository.name {
                lines.append("held \(entry.snapshot) \(entry.original) \(entry.tree) \(entry.job) \(entry.holds.joined(separator: ","))")
            }
        }
        lines.append("end \(entries.count)")
        return lines.map { $0 + "\n" }.joined()
    }

    /// Checks the signature of a list.
    ///
    /// - Returns: The signed text.
    /// - Throws: `LedgerError` when the key did not sign it, `.damaged` when it is another text.
    package static func verify(_ note: String, key: NoteVerifier) throws -> String {
        let signed = try SignedNote(parsing: note)
        try signed.verify(with: [key])
        let lines = signed.text.split(separator: "\n", omittingEmptySubsequences: false)
        let held = lines.count { $0.hasPrefix("held ") }
        guard lines.first == heading[...], lines.count >= 2, lines[lines.count - 2] == "end \(held)" else {
            throw IncidentError(
                .damaged, Phrase(vi: "đây không phải danh sách bản sao lưu đang giữ", en: "this is no list of held snapshots"))
        }
        return signed.text
    }
}

extension RepositoryService {
    /// All snapshots that a hold protects now, by repository.
    package func heldSnapshots() async throws -> HoldList {
        let configuration = incidents.policy.configuration
        let moment = incidents.now
        return try await ledger.read { database in
            var entries: [HoldList.Entry] = []
            var repositories: [(name: String, identity: String?)] = []
            for setting in configuration.backup.repositories {
                let identity = try ReceiptTable.identity(of: setting.name, in: database)
                repositories.append((setting.name, identity))
                for receipt in try ReceiptTable.present(in: setting.name, database: database) {
                    guard let question = receipt.question else { continue }
                    let holds = try Holds.covering(question, in: database).map(\.id)
                    if holds.isEmpty { continue }
                    entries.append(
                        HoldList.Entry(
                            repository: setting.name, identity: identity, snapshot: receipt.snapshot, original: receipt.original,
                            tree: receipt.tree, job: receipt.job ?? "-", holds: holds))
                }
            }
            return HoldList(site: configuration.site.code, moment: moment, entries: entries, repositories: repositories)
        }
    }
}
