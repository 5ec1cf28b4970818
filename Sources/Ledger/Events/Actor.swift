/// Who did something: a person of the team, or a part of the system.
package struct Actor: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Codable { case person, system }

    package let kind: Kind
    /// The person's short name of the configuration, or the part's name.
    package let name: String
    /// The user id the kernel reported; nil when nobody's was involved.
    package let uid: UInt32?
    /// The process id the kernel reported.
    package let pid: Int32?

    package init(kind: Kind, name: String, uid: UInt32? = nil, pid: Int32? = nil) {
        self.kind = kind
        self.name = name
        self.uid = uid
        self.pid = pid
    }

    /// A part of the system, such as `watch` or `scheduler`.
    package static func system(_ part: String) -> Actor { Actor(kind: .system, name: part) }

    /// A person, known by the user id of the peer.
    package static func person(_ name: String, uid: UInt32, pid: Int32? = nil) -> Actor {
        Actor(kind: .person, name: name, uid: uid, pid: pid)
    }

    /// The form inside a leaf: `{"kind":…,"name":…}`, with `pid` and `uid` where known.
    var json: JSONValue {
        var members: [String: JSONValue] = ["kind": .string(kind.rawValue), "name": .string(name)]
        if let uid { members["uid"] = JSONValue(uid) }
        if let pid { members["pid"] = JSONValue(pid) }
        return .object(members)
    }

    /// - Returns: nil for anything that ``json`` does not write.
    init?(_ json: JSONValue) {
        guard let members = json.object, let kind = members["kind"]?.string.flatMap(Kind.init), let name = members["name"]?.string
        else { return nil }
        self.init(
            kind: kind, name: name, uid: members["uid"]?.integer.flatMap(UInt32.init(exactly:)),
            pid: members["pid"]?.integer.flatMap(Int32.init(exactly:)))
        if self.json != json { return nil }
    }
}
