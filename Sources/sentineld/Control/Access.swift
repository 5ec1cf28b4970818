internal import ControlAPI
internal import Glibc
internal import HTTPTypes
internal import IncidentCore
internal import Ledger
internal import Platform

/// Who may do what on the control socket, decided anew at each request.
struct Access: Sendable {
    let site: SiteState
    let isSystem: Bool
    let ledger: Ledger
    let refusals: RefusalLimit

    /// The caller as the record names them, after checking the role.
    ///
    /// - Throws: ``ControlRefusal``; the refusal is an event.
    func require(_ needed: Role, _ context: ControlContext, for what: String) async throws -> Caller {
        guard let peer = context.peer else {
            throw ControlRefusal(vi: "không biết ai gọi", en: "the caller is unknown", .refused, .forbidden)
        }
        let role = try self.role(of: peer)
        let name = try name(of: peer)
        if role >= needed { return Caller(peer: peer, name: name, role: role) }
        try await record(peer, name: name, needed: needed, what: what)
        throw ControlRefusal(
            vi: "cần vai trò '\(needed.name.vi)', người dùng \(name) có vai trò '\(role.name.vi)'",
            en: "the role '\(needed.name.en)' is needed, user \(name) has '\(role.name.en)'",
            hint: peer.uid == 0
                ? Phrase(
                    vi: "root chỉ được đọc; hãy dùng tài khoản của chính bạn", en: "root may only read; use your own account")
                : Phrase(
                    vi: "đề nghị quản trị thêm bạn vào nhóm \(group(for: needed))", en: "ask an administrator to add you to the group \(group(for: needed))"),
            .refused, .forbidden)
    }

    /// Without root, whoever runs the daemon is everything. In the system the groups decide; root reads and is nobody; the
    /// service's own user, which the drill timer runs as, may start what is due.
    private func role(of peer: Peer) throws -> Role {
        if peer.uid == getuid() { return isSystem ? .respond : .administer }
        if peer.uid == 0 { return .read }
        if !isSystem { return .none }
        let control = site.configuration.control
        if try UserDatabase.isMember(uid: peer.uid, ofGroup: control.administrators) { return .administer }
        if try UserDatabase.isMember(uid: peer.uid, ofGroup: control.responders) { return .respond }
        if try UserDatabase.isMember(uid: peer.uid, ofGroup: control.readers) { return .read }
        return .none
    }

    private func group(for role: Role) -> String {
        let control = site.configuration.control
        return switch role {
        case .administer: control.administrators
        case .respond: control.responders
        case .read, .none: control.readers
        }
    }

    private func name(of peer: Peer) throws -> String {
        if let person = site.configuration.team.person(uid: peer.uid) { return person.name }
        return try UserDatabase.account(uid: peer.uid)?.name ?? "uid \(peer.uid)"
    }

    private func record(_ peer: Peer, name: String, needed: Role, what: String) async throws {
        guard await refusals.admits(peer.uid) else { return }
        let draft = EventDraft(
            kind: EventKind.accessRefused, subject: "control", actor: .person(name, uid: peer.uid, pid: peer.pid),
            facts: ["route": JSONValue(bounded(what, 200)), "needed": JSONValue(needed.name.en)])
        _ = try await ledger.commit { try $0.append(draft) }
    }
}

/// Who called, as far as an action needs to know.
struct Caller: Sendable {
    let peer: Peer
    let name: String
    let role: Role

    var actor: Actor { .person(name, uid: peer.uid, pid: peer.pid) }
    var responder: Responder { Responder(actor: actor, isAdministrator: role == .administer) }
}

/// Keeps one user from filling the record with refusals: so many a minute are written, the rest only refused.
actor RefusalLimit {
    private static let perMinute = 20
    private var window: UInt64 = 0
    private var counts: [UInt32: Int] = [:]

    func admits(_ uid: UInt32) -> Bool {
        let minute = Monotonic.nanoseconds() / 60_000_000_000
        if minute != window {
            window = minute
            counts = [:]
        }
        counts[uid, default: 0] += 1
        return counts[uid, default: 0] <= Self.perMinute
    }
}
