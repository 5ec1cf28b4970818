package import Platform

/// The word of whoever may object to the removal of a snapshot.
package enum RemovalVerdict: Sendable, Hashable {
    case allowed
    /// The snapshot stays; the text says why, for people.
    case held(Phrase)
}

/// Asked before a snapshot is removed; what it throws ends the work.
package typealias RemovalGuard = (Snapshot) throws(RepositoryError) -> RemovalVerdict

/// What `forget` will do, group by group; nothing has been removed yet.
package struct ForgetPlan: Sendable {
    package struct Group: Sendable {
        package let key: SnapshotGroupKey
        package internal(set) var keep: [RetentionPlan.Kept]
        package internal(set) var remove: [Snapshot]
        /// Snapshots that the policy would remove and a hold keeps.
        package internal(set) var held: [HeldSnapshot]
    }

    package internal(set) var groups: [Group] = []

    /// Everything to be removed.
    package var remove: [Snapshot] { groups.flatMap(\.remove) }
    package var held: [HeldSnapshot] { groups.flatMap(\.held) }

    package init() {}

    /// Applies a policy to groups of candidates.
    ///
    /// - Parameters:
    ///   - candidate: The time that counts for a snapshot; its own by default.
    ///   - allowsRemovingAll: Lets an empty policy remove whole groups. A policy with rules never removes a whole group.
    ///   - willRemove: Holds; asked for each snapshot that the policy would remove.
    /// - Throws: `.invalidArgument` for an empty policy, and for one that would leave nothing of a group.
    package init(
        _ snapshots: [Snapshot], policy: RetentionPolicy, grouping: SnapshotGrouping, now: Timestamp = .now(), zone: ZoneRules = .local,
        allowsRemovingAll: Bool = false, candidate: (Snapshot) -> RetentionCandidate = { RetentionCandidate($0) },
        willRemove: RemovalGuard = { _ in .allowed }
    ) throws(RepositoryError) {
        if policy.isEmpty && !allowsRemovingAll {
            throw RepositoryError(
                .invalidArgument,
                Phrase(vi: "chưa nêu quy tắc giữ, không bản nào bị xóa", en: "no policy was specified, no snapshots will be removed"),
                hint: Phrase(vi: "dùng các tùy chọn --keep-*", en: "use the --keep-* options"))
        }
        for (key, members) in SnapshotGroupKey.groups(of: snapshots, by: grouping) {
            let plan = policy.plan(for: members.map(candidate), now: now, zone: zone)
            if plan.keep.isEmpty && !policy.isEmpty {
                let name = key.description ?? Phrase(vi: "tất cả", en: "all")
                throw RepositoryError(
                    .invalidArgument,
                    Phrase(
                        vi: "từ chối xóa bản cuối cùng của nhóm: \(name.vi)", en: "refusing to delete the last snapshot of the group: \(name.en)"),
                    hint: Phrase(vi: "quy tắc này không giữ lại bản nào", en: "this policy keeps nothing"))
            }
            var group = Group(key: key, keep: plan.keep, remove: [], held: [])
            for snapshot in plan.remove.map(\.snapshot) {
                switch try willRemove(snapshot) {
                case .allowed: group.remove.append(snapshot)
                case .held(let reason): group.held.append(HeldSnapshot(snapshot: snapshot, reason: reason))
                }
            }
            groups.append(group)
        }
    }

    /// A plan that removes named snapshots, whatever a policy says.
    package init(removing snapshots: [Snapshot], willRemove: RemovalGuard = { _ in .allowed }) throws(RepositoryError) {
        guard let first = snapshots.first else { return }
        let nothing = SnapshotGrouping(byHost: false, byPaths: false, byTags: false)
        var group = Group(key: SnapshotGroupKey(first, nothing), keep: [], remove: [], held: [])
        for snapshot in snapshots {
            switch try willRemove(snapshot) {
            case .allowed: group.remove.append(snapshot)
            case .held(let reason): group.held.append(HeldSnapshot(snapshot: snapshot, reason: reason))
            }
        }
        groups = [group]
    }
}

/// A snapshot that was not removed because somebody holds it.
package struct HeldSnapshot: Sendable {
    package let snapshot: Snapshot
    package let reason: Phrase
}
