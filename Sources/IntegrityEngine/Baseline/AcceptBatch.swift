package import Platform

/// One approved change: the record that is right from now on, or that nothing belongs there.
package struct AcceptedRow: Sendable, Hashable {
    package let path: FilePath
    /// Nil: the path is to be absent.
    package let record: FileRecord?

    package init(_ record: FileRecord) {
        path = record.path
        self.record = record
    }

    package init(removing path: FilePath) {
        self.path = path
        record = nil
    }
}

/// The content of a batch file: the rows of one accept event.
///
/// Layout, version 1, numbers big-endian: `"sentinel-accept\n"` (16 bytes), version u8 (1), count u32, then the rows in strictly ascending
/// tree order: 0, path length u32, path (a removal), or 1, canonical row of the record. Nothing follows. One list of rows has one encoding.
package enum AcceptBatch {
    package static let version: UInt8 = 1
    private static let magic = Array("sentinel-accept\n".utf8)
    /// Rows in one batch; a baseline larger than this is accepted in several.
    package static let maximumRows = 4_000_000
    /// Bytes of one batch.
    package static let maximumBytes = 1 << 30

    /// - Parameter rows: In any order, each path once.
    /// - Throws: ``IntegrityError`` `.corrupt` when a path is given twice or there are too many.
    package static func encode(_ rows: [AcceptedRow]) throws(IntegrityError) -> [UInt8] {
        if rows.count > maximumRows { throw problem("\(rows.count) rows") }
        let sorted = rows.sorted { $0.path.precedesInTree($1.path) }
        var bytes = magic
        bytes.reserveCapacity(32 + sorted.count * 224)
        bytes.append(version)
        bytes.append(number: UInt32(sorted.count))
        var last: FilePath?
        for row in sorted {
            if last == row.path { throw problem("'\(row.path)' twice") }
            last = row.path
            if let record = row.record {
                bytes.append(1)
                record.appendCanonical(to: &bytes)
            } else {
                bytes.append(0)
                bytes.append(string: row.path.bytes)
            }
            if bytes.count > maximumBytes { throw problem("more than \(maximumBytes) bytes") }
        }
        return bytes
    }

    /// Calls `body` for each row in tree order, without keeping them.
    ///
    /// - Throws: ``IntegrityError`` `.corrupt` for anything ``encode(_:)`` would not write, and what `body` throws.
    package static func forEach(_ bytes: [UInt8], _ body: (AcceptedRow) throws -> Void) throws {
        if bytes.count > maximumBytes { throw problem("\(bytes.count) bytes") }
        var reader = ByteReader(bytes)
        var last: FilePath?
        do {
            if try Array(reader.take(magic.count)) != magic { throw DecodingProblem(what: "not a batch file") }
            let found = try reader.byte()
            if found != version { throw DecodingProblem(what: "version \(found)") }
            let count = try reader.number(UInt32.self)
            if count > maximumRows { throw DecodingProblem(what: "\(count) rows") }
            for _ in 0..<count {
                let row = try row(&reader)
                if let last, !last.precedesInTree(row.path) { throw DecodingProblem(what: "rows out of order") }
                last = row.path
                try body(row)
            }
            if reader.remaining != 0 { throw DecodingProblem(what: "\(reader.remaining) bytes too many") }
        } catch let error as DecodingProblem {
            throw problem(error.what)
        }
    }

    /// All rows in tree order.
    package static func decode(_ bytes: [UInt8]) throws -> [AcceptedRow] {
        var rows: [AcceptedRow] = []
        try forEach(bytes) { rows.append($0) }
        return rows
    }

    private static func row(_ reader: inout ByteReader) throws(DecodingProblem) -> AcceptedRow {
        switch try reader.byte() {
        case 0:
            let path = try reader.string(limit: FileRecord.maximumPathBytes)
            if path.first != FilePath.slash || path.contains(0) { throw DecodingProblem(what: "a path that is none") }
            return AcceptedRow(removing: FilePath(bytes: path))
        case 1: return AcceptedRow(try FileRecord(canonical: &reader))
        default: throw DecodingProblem(what: "unknown kind of row")
        }
    }

    private static func problem(_ detail: String) -> IntegrityError {
        .corrupt(Phrase(vi: "tệp lô phê duyệt", en: "accept batch"), detail)
    }
}
