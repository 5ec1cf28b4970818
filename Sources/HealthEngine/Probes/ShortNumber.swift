/// A number for people: at most one decimal, no trailing zero.
func shortNumber(_ value: Double) -> String {
    let tenths = (value * 10).rounded()
    guard tenths.isFinite, abs(tenths) < 1e15 else { return "\(value)" }
    let whole = Int64(tenths)
    return whole % 10 == 0 ? "\(whole / 10)" : "\(whole < 0 ? "-" : "")\(abs(whole) / 10).\(abs(whole) % 10)"
}

/// A size for people, in binary units.
func shortBytes(_ bytes: UInt64) -> String {
    var value = Double(bytes)
    for unit in ["B", "KiB", "MiB", "GiB", "TiB"] {
        if value < 1024 { return "\(shortNumber(value)) \(unit)" }
        value /= 1024
    }
    return "\(shortNumber(value)) PiB"
}
