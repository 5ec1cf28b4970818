internal import Glibc

/// Date and time on the wall, in one zone. Zones come from glibc (`TZ`, `localtime_r`): Foundation's are not linked.
package struct CivilTime: Hashable, Sendable {
    package var year: Int
    /// 1...12
    package var month: Int
    /// 1...31
    package var day: Int
    package var hour: Int
    package var minute: Int
    package var second: Int
    package var nanosecond: Int32
    /// Seconds east of UTC.
    package var offsetSeconds: Int
    /// 0 = Sunday ... 6 = Saturday.
    package var weekday: Int

    /// The civil time of `moment` in the zone of this process.
    package init(local moment: Timestamp) {
        var seconds = time_t(moment.seconds)
        var fields = unsafe tm()
        unsafe localtime_r(&seconds, &fields)
        unsafe self.init(fields, moment.nanoseconds, offset: Int(fields.tm_gmtoff))
    }

    /// The civil time of `moment` in UTC.
    package init(utc moment: Timestamp) {
        var seconds = time_t(moment.seconds)
        var fields = unsafe tm()
        unsafe gmtime_r(&seconds, &fields)
        unsafe self.init(fields, moment.nanoseconds, offset: 0)
    }

    private init(_ fields: tm, _ nanosecond: Int32, offset: Int) {
        year = Int(unsafe fields.tm_year) + 1900
        month = Int(unsafe fields.tm_mon) + 1
        day = Int(unsafe fields.tm_mday)
        hour = Int(unsafe fields.tm_hour)
        minute = Int(unsafe fields.tm_min)
        second = Int(unsafe fields.tm_sec)
        weekday = Int(unsafe fields.tm_wday)
        self.nanosecond = nanosecond
        offsetSeconds = offset
    }

    /// Sets the zone of this process, such as `Asia/Ho_Chi_Minh`. Call it before the first thread starts.
    ///
    /// - Returns: False when the system has no such zone; glibc would then silently mean UTC.
    package static func setZone(_ name: String) -> Bool {
        guard isKnownZone(name) else { return unsafe setenv("TZ", "UTC", 1) == 0 && name == "UTC" }
        unsafe setenv("TZ", name, 1)
        tzset()
        return true
    }

    /// True when the system has rules for the zone `name`.
    package static func isKnownZone(_ name: String) -> Bool {
        guard !name.isEmpty, !name.hasPrefix("/"), !name.contains(".."),
            let status = try? FileStatus.of("/usr/share/zoneinfo" / name)
        else { return name == "UTC" }
        return status.kind == .file
    }

    /// RFC 3339 as Go writes it: up to nine fraction digits, trailing zeros removed, `Z` only for UTC.
    package var rfc3339: String {
        var text = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))"
        if nanosecond != 0 {
            var digits = padded(Int(nanosecond), 9)
            while digits.last == "0" { digits.removeLast() }
            text += "." + digits
        }
        return text + zoneSuffix
    }

    /// `2026-11-23 14:05:09 +07:00`: for people and tables.
    package var display: String {
        "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2)) \(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2)) \(offsetSeconds == 0 ? "UTC" : zoneSuffix)"
    }

    private var zoneSuffix: String {
        if offsetSeconds == 0 { return "Z" }
        let minutes = abs(offsetSeconds) / 60
        return "\(offsetSeconds < 0 ? "-" : "+")\(padded(minutes / 60, 2)):\(padded(minutes % 60, 2))"
    }
}

extension Timestamp {
    /// RFC 3339 in the zone of this process.
    package var rfc3339Local: String { CivilTime(local: self).rfc3339 }
    /// RFC 3339 in UTC.
    package var rfc3339UTC: String { CivilTime(utc: self).rfc3339 }

    /// Parses RFC 3339 with any offset and up to nine fraction digits (more are cut off). Years 0...9999.
    package init?(rfc3339 text: some StringProtocol) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            var value = 0
            for byte in bytes[range] {
                guard byte >= 48, byte <= 57 else { return nil }
                value = value * 10 + Int(byte - 48)
            }
            return value
        }
        guard bytes.count >= 20, bytes[4] == 45, bytes[7] == 45, bytes[10] == 84 || bytes[10] == 116 || bytes[10] == 32,
            bytes[13] == 58, bytes[16] == 58,
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var index = 19
        var nanoseconds: Int32 = 0
        if bytes[index] == 46 {
            index += 1
            var scale: Int32 = 100_000_000
            let start = index
            while index < bytes.count, bytes[index] >= 48, bytes[index] <= 57 {
                nanoseconds += Int32(bytes[index] - 48) * scale
                scale /= 10
                index += 1
            }
            if index == start { return nil }
        }
        guard index < bytes.count else { return nil }
        var offset = 0
        if bytes[index] == 90 || bytes[index] == 122 {
            guard index + 1 == bytes.count else { return nil }
        } else {
            guard bytes[index] == 43 || bytes[index] == 45, index + 6 == bytes.count, bytes[index + 3] == 58,
                let hours = number(index + 1..<index + 3), let minutes = number(index + 4..<index + 6), hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 3600 + minutes * 60) * (bytes[index] == 45 ? -1 : 1)
        }
        let days = daysSinceEpoch(year: year, month: month, day: day)
        self.init(seconds: Int64(days) * 86400 + Int64(hour * 3600 + minute * 60 + second - offset), nanoseconds: nanoseconds)
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar; `day` may lie outside its month and counts on.
package func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}

/// `value` in decimal, filled with zeros to `width` digits.
package func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return digits.count >= width ? digits : String(repeating: "0", count: width - digits.count) + digits
}
