internal import Platform

/// `1.5 GiB`, `312 B`: sizes for people.
func sizeText(_ bytes: UInt64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(bytes)
    var unit = 0
    while value >= 1024, unit < units.count - 1 {
        value /= 1024
        unit += 1
    }
    return unit == 0 ? "\(bytes) B" : "\(decimal(value, digits: 1)) \(units[unit])"
}

/// A decimal with a fixed number of digits, without Foundation's formatters.
func decimal(_ value: Double, digits: Int) -> String {
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((abs(value) * Double(scale)).rounded())
    let text = digits == 0 ? "\(scaled)" : "\(scaled / scale).\(padded(scaled % scale, digits))"
    return value < 0 ? "-" + text : text
}

/// `45 s`, `3 min 20 s`, `5 h 10 min`, `2 d 3 h`: durations for people.
func durationText(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    if seconds < 10 { return "\(decimal(seconds, digits: 1)) s" }
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    if whole < 86400 { return "\(whole / 3600) h \(whole % 3600 / 60) min" }
    return "\(whole / 86400) d \(whole % 86400 / 3600) h"
}
