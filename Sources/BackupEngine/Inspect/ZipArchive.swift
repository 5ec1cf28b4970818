internal import Platform

/// Writes a zip archive front to back (APPNOTE 6.3): entries stored as they are, sizes behind them, zip64 where needed.
struct ZipArchive {
    private struct Entry {
        let name: [UInt8]
        let mode: UInt32
        let time: (date: UInt16, time: UInt16)
        let modified: Timestamp
        let offset: UInt64
        var size: UInt64 = 0
        var checksum: UInt32 = 0
        let isLarge: Bool
        /// Bit 3: sizes follow the content; bit 11: the name is UTF-8.
        var flags: UInt16 { 1 << 3 | (String(validating: name, as: UTF8.self) == nil ? 0 : 1 << 11) }
    }

    private var entries: [Entry] = []
    private var offset: UInt64 = 0
    private var checksum = CRC32()
    private var written: UInt64 = 0

    private static let limit: UInt64 = 0xFFFF_FFFF

    /// Starts an entry; its content and ``finishEntry()`` follow.
    ///
    /// - Parameter name: Relative, with a slash at the end of a directory.
    mutating func header(_ name: [UInt8], _ node: Node) -> [UInt8] {
        let size = node.kind == .file ? node.size : UInt64(node.linkTarget.count)
        let entry = Entry(
            name: Array(name.prefix(0xFFFF)), mode: Self.unixMode(node), time: Self.time(node.modified), modified: node.modified, offset: offset,
            isLarge: size >= Self.limit)
        entries.append(entry)
        checksum = CRC32()
        written = 0
        var bytes = LittleEndian()
        bytes.add32(0x0403_4b50)
        bytes.add16(entry.isLarge ? 45 : 20)
        bytes.add16(entry.flags)
        bytes.add16(0)
        bytes.add16(entry.time.time)
        bytes.add16(entry.time.date)
        for _ in 0..<3 { bytes.add32(0) }
        let extra = Self.timeExtra(entry.modified)
        bytes.add16(UInt16(entry.name.count))
        bytes.add16(UInt16(extra.count))
        return count(bytes.bytes + entry.name + extra)
    }

    /// Counts a part of the content, which the caller writes.
    mutating func add(_ content: [UInt8]) {
        checksum.update(content)
        written += UInt64(content.count)
        offset += UInt64(content.count)
    }

    mutating func finishEntry() -> [UInt8] {
        guard var entry = entries.popLast() else { return [] }
        entry.size = written
        entry.checksum = checksum.value
        entries.append(entry)
        var bytes = LittleEndian()
        bytes.add32(0x0807_4b50)
        bytes.add32(entry.checksum)
        for _ in 0..<2 { if entry.isLarge { bytes.add64(written) } else { bytes.add32(UInt32(truncatingIfNeeded: written)) } }
        return count(bytes.bytes)
    }

    /// The central directory.
    mutating func finish() -> [UInt8] {
        let start = offset
        var bytes = LittleEndian()
        for entry in entries {
            let needs64 = entry.isLarge || entry.size >= Self.limit || entry.offset >= Self.limit
            var extra = Self.timeExtra(entry.modified)
            if needs64 {
                var large = LittleEndian()
                large.add16(1)
                large.add16(24)
                large.add64(entry.size)
                large.add64(entry.size)
                large.add64(entry.offset)
                extra += large.bytes
            }
            bytes.add32(0x0201_4b50)
            // Made by: Unix, so that the mode below is understood.
            bytes.add16(3 << 8 | 45)
            bytes.add16(needs64 ? 45 : 20)
            bytes.add16(entry.flags)
            bytes.add16(0)
            bytes.add16(entry.time.time)
            bytes.add16(entry.time.date)
            bytes.add32(entry.checksum)
            for _ in 0..<2 { bytes.add32(needs64 ? 0xFFFF_FFFF : UInt32(entry.size)) }
            bytes.add16(UInt16(entry.name.count))
            bytes.add16(UInt16(extra.count))
            bytes.add16(0)
            bytes.add16(0)
            bytes.add16(0)
            bytes.add32(entry.mode << 16 | (entry.mode & 0o170000 == 0o040000 ? 0x10 : 0))
            bytes.add32(needs64 ? 0xFFFF_FFFF : UInt32(entry.offset))
            bytes.bytes += entry.name + extra
        }
        let size = UInt64(bytes.bytes.count)
        if entries.count >= 0xFFFF || start + size >= Self.limit {
            bytes.add32(0x0606_4b50)
            bytes.add64(44)
            bytes.add16(3 << 8 | 45)
            bytes.add16(45)
            bytes.add32(0)
            bytes.add32(0)
            bytes.add64(UInt64(entries.count))
            bytes.add64(UInt64(entries.count))
            bytes.add64(size)
            bytes.add64(start)
            bytes.add32(0x0706_4b50)
            bytes.add32(0)
            bytes.add64(start + size)
            bytes.add32(1)
        }
        bytes.add32(0x0605_4b50)
        bytes.add16(0)
        bytes.add16(0)
        for _ in 0..<2 { bytes.add16(UInt16(clamping: entries.count)) }
        bytes.add32(UInt32(clamping: size))
        bytes.add32(UInt32(clamping: start))
        bytes.add16(0)
        return count(bytes.bytes)
    }

    private mutating func count(_ bytes: [UInt8]) -> [UInt8] {
        offset += UInt64(bytes.count)
        return bytes
    }

    private static func unixMode(_ node: Node) -> UInt32 {
        let type: UInt32 =
            switch node.kind {
            case .dir: 0o040000
            case .symlink: 0o120000
            default: 0o100000
            }
        return type | node.mode.permissions
    }

    /// "Extended timestamp": seconds since 1970, where 32 bits hold them.
    private static func timeExtra(_ moment: Timestamp) -> [UInt8] {
        guard let seconds = Int32(exactly: moment.seconds) else { return [] }
        var bytes = LittleEndian()
        bytes.add16(0x5455)
        bytes.add16(5)
        bytes.bytes.append(1)
        bytes.add32(UInt32(bitPattern: seconds))
        return bytes.bytes
    }

    /// MS-DOS date and time, in UTC; years 1980 to 2107.
    private static func time(_ moment: Timestamp) -> (date: UInt16, time: UInt16) {
        let bounded = Timestamp(seconds: min(max(moment.seconds, 315_532_800), 4_354_819_198))
        let civil = CivilTime(utc: bounded)
        return (
            UInt16((civil.year - 1980) << 9 | civil.month << 5 | civil.day), UInt16(civil.hour << 11 | civil.minute << 5 | civil.second / 2)
        )
    }
}

private struct LittleEndian {
    var bytes: [UInt8] = []
    mutating func add16(_ value: UInt16) { for shift in stride(from: 0, to: 16, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> UInt16(shift))) } }
    mutating func add32(_ value: UInt32) { for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift))) } }
    mutating func add64(_ value: UInt64) { for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift))) } }
}

/// CRC-32 as zip has it (polynomial 0xEDB88320, reflected), eight bytes at a time.
struct CRC32 {
    private static let tables: [[UInt32]] = {
        var first = [UInt32](repeating: 0, count: 256)
        for index in 0..<256 {
            var value = UInt32(index)
            for _ in 0..<8 { value = value & 1 != 0 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
            first[index] = value
        }
        var tables = [first]
        for _ in 1..<8 { tables.append((tables.last ?? first).map { first[Int($0 & 0xFF)] ^ $0 >> 8 }) }
        return tables
    }()

    private var state: UInt32 = 0xFFFF_FFFF
    var value: UInt32 { ~state }

    mutating func update(_ bytes: [UInt8]) {
        let tables = Self.tables
        let (t0, t1, t2, t3) = (tables[0], tables[1], tables[2], tables[3])
        let (t4, t5, t6, t7) = (tables[4], tables[5], tables[6], tables[7])
        var crc = state
        var index = 0
        while index + 8 <= bytes.count {
            let low = crc ^ (UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16 | UInt32(bytes[index + 3]) << 24)
            crc = t7[Int(low & 0xFF)] ^ t6[Int(low >> 8 & 0xFF)] ^ t5[Int(low >> 16 & 0xFF)] ^ t4[Int(low >> 24)]
            crc ^= t3[Int(bytes[index + 4])] ^ t2[Int(bytes[index + 5])] ^ t1[Int(bytes[index + 6])] ^ t0[Int(bytes[index + 7])]
            index += 8
        }
        while index < bytes.count {
            crc = t0[Int((crc ^ UInt32(bytes[index])) & 0xFF)] ^ crc >> 8
            index += 1
        }
        state = crc
    }
}
