internal import CSQLite

/// A value that SQLite stores.
package enum SQLValue: Sendable, Equatable, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByNilLiteral {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])

    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(stringLiteral value: String) { self = .text(value) }
    package init(nilLiteral: ()) { self = .null }
    package init(_ value: some BinaryInteger) { self = .integer(Int64(truncatingIfNeeded: value)) }
    package init(_ value: Bool) { self = .integer(value ? 1 : 0) }
    package init(_ value: Double) { self = .real(value) }
    package init(_ value: String) { self = .text(value) }
    package init(_ value: String?) { self = value.map { .text($0) } ?? .null }
    package init(_ value: Int64?) { self = value.map { .integer($0) } ?? .null }
    package init(_ value: [UInt8]) { self = .blob(value) }

    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        switch self {
        case .null: return unsafe sqlite3_bind_null(statement, index)
        case .integer(let value): return unsafe sqlite3_bind_int64(statement, index, value)
        case .real(let value): return unsafe sqlite3_bind_double(statement, index, value)
        case .text(var value):
            return value.withUTF8 { utf8 in
                unsafe utf8.withMemoryRebound(to: CChar.self) { text in
                    guard let start = text.baseAddress else { return unsafe sentinel_sqlite3_bind_text(statement, index, "", 0) }
                    return unsafe sentinel_sqlite3_bind_text(statement, index, start, Int32(clamping: text.count))
                }
            }
        case .blob(let value):
            return unsafe value.withUnsafeBytes {
                unsafe sentinel_sqlite3_bind_blob(statement, index, $0.baseAddress, Int32(clamping: $0.count))
            }
        }
    }
}

/// One row of a result; valid until the next one is fetched.
@safe package struct Row: ~Copyable {
    private let statement: OpaquePointer

    init(statement: OpaquePointer) { unsafe self.statement = statement }

    package func isNull(_ column: Int32) -> Bool { unsafe sqlite3_column_type(statement, column) == SQLITE_NULL }
    package func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(statement, column) }
    package func real(_ column: Int32) -> Double { unsafe sqlite3_column_double(statement, column) }
    package func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }

    package func text(_ column: Int32) -> String {
        guard let start = unsafe sqlite3_column_text(statement, column) else { return "" }
        let count = Int(unsafe sqlite3_column_bytes(statement, column))
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    package func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

    package func blob(_ column: Int32) -> [UInt8] {
        guard let start = unsafe sqlite3_column_blob(statement, column) else { return [] }
        let count = Int(unsafe sqlite3_column_bytes(statement, column))
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
    }
}
