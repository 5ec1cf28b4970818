internal import FoundationEssentials
package import ControlAPI
package import IntegrityEngine
internal import Platform

extension Change.Kind {
    /// The word in JSON and between processes.
    package var wireName: String {
        switch self {
        case .added: "added"
        case .removed: "removed"
        case .changed: "changed"
        }
    }
}

extension ChangesAnswer {
    /// Scans and compares with the approved state.
    ///
    /// - Parameter isFull: Every file is hashed anew; else those that nothing has touched keep the observed hash.
    package init(store: BaselineStore, rules: RuleSet, isFull: Bool, hasBaseline: Bool) throws {
        var listed: [ChangeAnswer] = []
        let report = try store.compare(.approved, with: rules, isFull: isFull) { change in
            guard hasBaseline, listed.count < Self.limit else { return }
            listed.append(
                ChangeAnswer(
                    kind: change.kind.wireName, path: change.path.description,
                    pathBase64: change.path.utf8 == change.path.description ? nil : Data(change.path.bytes).base64EncodedString(),
                    attributes: change.kind == .changed ? change.attributes.members.map(\.code) : []))
        }
        self.init(
            added: hasBaseline ? report.counts.added : 0, removed: hasBaseline ? report.counts.removed : 0,
            changed: hasBaseline ? report.counts.changed : 0, changes: listed, hasBaseline: hasBaseline,
            unreadable: report.scan.findings.map(\.path.description))
    }
}
