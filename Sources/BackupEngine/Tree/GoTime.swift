internal import Platform

/// Times as Go's `time.Time` marshals them: RFC 3339, up to nine fraction digits, the local offset at that very moment.
enum GoTime {
    /// glibc keeps the year in 32 bits; moments beyond about the year 2 147 000 000 are moved inside before they are taken apart.
    private static let farthestSeconds: Int64 = 67_000_000_000_000_000

    /// Appends `moment` as a JSON string. Years outside 0...9999 are moved to the nearest one inside, as restic does.
    static func appendJSON(_ moment: Timestamp, to output: inout [UInt8]) {
        if moment == Node.unsetTime {
            output.append(contentsOf: "\"0001-01-01T00:00:00Z\"".utf8)
            return
        }
        let bounded = Timestamp(
            seconds: min(max(moment.seconds, -farthestSeconds), farthestSeconds), nanoseconds: moment.nanoseconds)
        var civil = CivilTime(local: bounded)
        if civil.year < 0 || civil.year > 9999 { civil = clampingYear(civil) }
        output.append(UInt8(ascii: "\""))
        append(civil.year, digits: 4, to: &output)
        output.append(UInt8(ascii: "-"))
        append(civil.month, digits: 2, to: &output)
        output.append(UInt8(ascii: "-"))
        append(civil.day, digits: 2, to: &output)
        output.append(UInt8(ascii: "T"))
        append(civil.hour, digits: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        append(civil.minute, digits: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        append(civil.second, digits: 2, to: &output)
        if civil.nanosecond != 0 {
            output.append(UInt8(ascii: "."))
            append(Int(civil.nanosecond), digits: 9, to: &output)
            while output.last == UInt8(ascii: "0") { output.removeLast() }
        }
        if civil.offsetSeconds == 0 {
            output.append(UInt8(ascii: "Z"))
        } else {
            // Whole minutes, cut towards zero: local mean times such as +07:06:30 lose their seconds, as in Go.
            let minutes = civil.offsetSeconds / 60
            output.append(minutes < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
            append(abs(minutes) / 60, digits: 2, to: &output)
            output.append(UInt8(ascii: ":"))
            append(abs(minutes) % 60, digits: 2, to: &output)
        }
        output.append(UInt8(ascii: "\""))
    }

    /// Go's `AddDate` of whole years: same month and day, or 1 March where the target year has no 29 February.
    private static func clampingYear(_ civil: CivilTime) -> CivilTime {
        let year = civil.year < 0 ? 0 : 9999
        let days = daysSinceEpoch(year: year, month: civil.month, day: civil.day)
        let seconds = Int64(days) * 86400 + Int64(civil.hour * 3600 + civil.minute * 60 + civil.second)
        // The offset of the zone in that year, found at the moment guessed with the old one.
        let guess = CivilTime(local: Timestamp(seconds: seconds - Int64(civil.offsetSeconds), nanoseconds: civil.nanosecond))
        return CivilTime(local: Timestamp(seconds: seconds - Int64(guess.offsetSeconds), nanoseconds: civil.nanosecond))
    }

    private static func append(_ value: Int, digits: Int, to output: inout [UInt8]) {
        var scale = 1
        for _ in 1..<digits { scale *= 10 }
        while scale > 0 {
            output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / scale % 10))
            scale /= 10
        }
    }
}
