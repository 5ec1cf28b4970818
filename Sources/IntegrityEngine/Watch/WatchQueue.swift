internal import Platform

/// A path that a rescan found different from the observed state.
struct RescanCandidate {
    let path: FilePath
    /// What the rescan saw; its hash is used again when the file is still the same.
    let record: FileRecord?
    /// The first look at a rule: what is there is taken over, not reported.
    let isAdoption: Bool
}

/// What a rescan hands to the judging thread, in this order.
enum RescanWork {
    case candidate(RescanCandidate)
    case blind(BlindInterval)
    case finished(RescanReport, adopted: [FilePath])
}

/// A rescan that somebody wants.
struct RescanRequest {
    /// Nil: all rules.
    var areas: [FilePath]?
    var isFull: Bool
    var reasons: [RescanReport.Reason]
    var closes: [BlindInterval]
}

/// A path with events.
struct Mark {
    let path: FilePath
    /// What was known below it is to be looked at too.
    let isTree: Bool
}

/// What the judging thread takes at one time.
struct WatchWork {
    var marks: [Mark] = []
    var rescan: [RescanWork] = []
}

/// What passes between the threads of a watcher; every part is bounded.
struct WatchQueue {
    private struct Pending {
        let first: UInt64
        var last: UInt64
        var isTree: Bool
    }
    /// Paths that wait to settle. Beyond this the reading thread waits, and the kernel's queue takes over the counting.
    static let pendingLimit = 65_536
    /// Beyond this, nothing waits to settle any more.
    private static let hurryLimit = 32_768
    private static let rescanLimit = 4096
    private static let takeLimit = 8192
    /// Paths are looked through for settled ones this often.
    private static let sweepNanoseconds: UInt64 = 25_000_000

    private var pending: [FilePath: Pending] = [:]
    private var nextSweep: UInt64 = 0
    private(set) var rescanWork: [RescanWork] = []
    private var request: RescanRequest?
    var isStopped = false
    var isJudging = false
    var isRescanning = false
    /// Every event before this moment was handed over.
    var completeUntil: Timestamp?
    /// Counts calls for a barrier, and how far the reading thread has answered them.
    var barriersWanted = 0
    var barriersReached = 0

    var isQuiet: Bool {
        pending.isEmpty && rescanWork.isEmpty && request == nil && !isJudging && !isRescanning
            && barriersReached == barriersWanted
    }
    var hasPending: Bool { !pending.isEmpty }
    var hasRoomForMarks: Bool { pending.count < Self.pendingLimit }
    var hasRoomForRescan: Bool { rescanWork.count < Self.rescanLimit }

    mutating func add(_ marks: [Mark], now: UInt64) {
        for mark in marks {
            if pending[mark.path]?.last == nil {
                pending[mark.path] = Pending(first: now, last: now, isTree: mark.isTree)
            } else {
                pending[mark.path]?.last = now
                if mark.isTree { pending[mark.path]?.isTree = true }
            }
        }
    }

    mutating func add(_ work: RescanWork) { rescanWork.append(work) }

    mutating func add(_ new: RescanRequest) {
        guard var merged = request else {
            request = new
            return
        }
        if let areas = new.areas, let known = merged.areas {
            merged.areas = known + areas.filter { !known.contains($0) }
        } else {
            merged.areas = nil
        }
        merged.isFull = merged.isFull || new.isFull
        merged.reasons += new.reasons.filter { !merged.reasons.contains($0) }
        merged.closes += new.closes
        request = merged
    }

    mutating func takeRequest() -> RescanRequest? {
        guard let taken = request else { return nil }
        request = nil
        isRescanning = true
        return taken
    }

    /// Work that can be done now; nil when there is none.
    mutating func take(now: UInt64, quietNanoseconds: UInt64, latestNanoseconds: UInt64) -> WatchWork? {
        var work = WatchWork()
        if !pending.isEmpty, now >= nextSweep {
            nextSweep = now + Self.sweepNanoseconds
            let isHurried = pending.count > Self.hurryLimit
            for (path, entry) in pending {
                if isHurried || now >= entry.last + quietNanoseconds || now >= entry.first + latestNanoseconds {
                    work.marks.append(Mark(path: path, isTree: entry.isTree))
                    if work.marks.count == Self.takeLimit {
                        nextSweep = now
                        break
                    }
                }
            }
            for mark in work.marks { pending[mark.path] = nil }
        }
        if !rescanWork.isEmpty {
            work.rescan = rescanWork
            rescanWork = []
        }
        if work.marks.isEmpty, work.rescan.isEmpty { return nil }
        isJudging = true
        return work
    }
}
