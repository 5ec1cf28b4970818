internal import Platform

/// The content of a file in `locks/`: who works on the repository, and whether alone. JSON, as restic writes it.
struct LockFile: Sendable, Equatable {
    var time: Timestamp
    var isExclusive: Bool
    var hostname: String
    var username: String
    var pid: UInt64
    var uid: UInt32
    var gid: UInt32

    /// A lock that was not refreshed for this long may be removed by anybody.
    static let staleAfterSeconds = 1800.0

    init(isExclusive: Bool, identity: WriterIdentity) {
        time = .now()
        self.isExclusive = isExclusive
        hostname = identity.hostname
        username = identity.username
        pid = UInt64(identity.pid)
        uid = identity.uid
        gid = identity.gid
    }

    var json: [UInt8] {
        var text = JSONText()
        text.beginObject()
        text.key("time")
        text.time(time)
        text.key("exclusive")
        text.boolean(isExclusive)
        text.key("hostname")
        text.string(hostname)
        text.key("username")
        text.string(username)
        text.key("pid")
        text.number(pid)
        if uid != 0 {
            text.key("uid")
            text.number(UInt64(uid))
        }
        if gid != 0 {
            text.key("gid")
            text.number(UInt64(gid))
        }
        text.endObject()
        return text.bytes
    }

    init(json bytes: [UInt8]) throws(JSONError) {
        var reader = try JSONReader(bytes, limit: 64 * 1024)
        time = Timestamp(seconds: 0)
        isExclusive = false
        hostname = ""
        username = ""
        (pid, uid, gid) = (0, 0, 0)
        try reader.beginObject()
        while try reader.nextMember() {
            if reader.keyIs("time") {
                (time, _) = try reader.time()
            } else if reader.keyIs("exclusive") {
                isExclusive = try reader.boolean()
            } else if reader.keyIs("hostname") {
                hostname = try reader.string()
            } else if reader.keyIs("username") {
                username = try reader.string()
            } else if reader.keyIs("pid") {
                pid = try reader.unsigned()
            } else if reader.keyIs("uid") {
                uid = try reader.unsigned32()
            } else if reader.keyIs("gid") {
                gid = try reader.unsigned32()
            } else {
                try reader.skipValue()
            }
        }
        try reader.end()
    }

    /// True when nobody can be behind this lock any more: not refreshed for half an hour, or its process on this host is gone.
    func isStale(seenBy identity: WriterIdentity, now: Timestamp = .now()) -> Bool {
        if now.seconds(since: time) > Self.staleAfterSeconds { return true }
        guard hostname == identity.hostname, let pid = Int32(exactly: pid) else { return false }
        return !WriterIdentity.isAlive(pid: pid)
    }
}
