package import Platform

/// When a file system will be full if it goes on as it did.
package enum SpaceTrend {
    package struct Sample: Sendable, Equatable {
        package var moment: Timestamp
        package var freeBytes: Int64

        package init(moment: Timestamp, freeBytes: Int64) {
            self.moment = moment
            self.freeBytes = freeBytes
        }
    }

    /// Measurements over less time say nothing: a backup and the prune after it look like a fall and a rise.
    static let minimumSpanSeconds: Int64 = 2 * 86400
    static let minimumSamples = 4

    /// Days until nothing is left, by the median of the slopes between all pairs of samples (Theil and Sen): one prune or one
    /// large copy does not bend it.
    ///
    /// - Returns: nil when the space does not shrink, or too little was measured.
    package static func daysUntilFull(_ samples: [Sample]) -> Double? {
        let ordered = samples.sorted { $0.moment < $1.moment }
        guard ordered.count >= minimumSamples, let first = ordered.first, let last = ordered.last,
            last.moment.seconds - first.moment.seconds >= minimumSpanSeconds
        else { return nil }
        // Bounded: of many samples an even selection.
        let step = max(1, ordered.count / 120)
        let selected = stride(from: ordered.count - 1, through: 0, by: -step).map { ordered[$0] }
        var slopes: [Double] = []
        for (index, later) in selected.enumerated() {
            for earlier in selected[(index + 1)...] {
                let seconds = later.moment.seconds(since: earlier.moment)
                if seconds >= 3600 { slopes.append(Double(later.freeBytes - earlier.freeBytes) / seconds) }
            }
        }
        guard !slopes.isEmpty else { return nil }
        slopes.sort()
        let slope = slopes[slopes.count / 2]
        return slope < 0 ? Double(last.freeBytes) / -slope / 86400 : nil
    }

    /// How bad it is: nil while there is time.
    package static func severity(daysUntilFull days: Double?) -> Severity? {
        guard let days else { return nil }
        return days < 7 ? .medium : days < 30 ? .low : nil
    }
}
