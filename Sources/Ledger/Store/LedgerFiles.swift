package import Platform

/// The files of a ledger in its directory, and what their presence says.
package struct LedgerFiles: Sendable {
    package let directory: FilePath
    package var database: FilePath { directory / "ledger.db" }
    package var writeAheadLog: FilePath { directory / "ledger.db-wal" }
    /// Says that a ledger was created here: tells "new" from "lost".
    package var marker: FilePath { directory / "ledger.id" }
    /// The newest signed checkpoint as a plain file: shows when the database is put back to an older state, and is what leaves the host.
    package var checkpoint: FilePath { directory / "ledger.checkpoint" }
    package var lock: FilePath { directory / "ledger.lock" }
    package var reserve: FilePath { directory / "ledger.reserve" }
    package var batches: FilePath { directory / "batches" }

    package init(directory: FilePath) { self.directory = directory }

    static let restoreHint = Phrase(
        vi: "không xóa gì; sao chép cả thư mục, khôi phục ledger.db từ bản sao lưu mới nhất, rồi chạy 'sentinelctl ledger verify'",
        en: "delete nothing; copy the whole directory, restore ledger.db from the newest backup, then run 'sentinelctl ledger verify'")

    /// True when there never was a ledger here.
    ///
    /// - Throws: `.lost` when the database is missing but something of a ledger is left: a new one would hide that.
    func isNew() throws -> Bool {
        if try FileStatus.exists(database) { return false }
        var traces = [marker, checkpoint, writeAheadLog, directory / "ledger.db-journal"]
        traces = try traces.filter { path throws(SystemError) in try FileStatus.exists(path) }
        if try FileStatus.exists(batches), !(try directoryNames(batches).isEmpty) { traces.append(batches) }
        guard let trace = traces.first else { return true }
        throw LedgerError(
            .lost,
            Phrase(
                vi: "'\(database)' không còn, nhưng '\(trace)' cho thấy ở đây từng có sổ cái",
                en: "'\(database)' is gone, but '\(trace)' shows that there was a ledger here"),
            hint: Self.restoreHint)
    }

    /// Looks at the file alone, before SQLite may touch it.
    ///
    /// - Throws: `.truncated`, `.notADatabase`, `.foreignDatabase`.
    func requireLedgerFile() throws {
        let status = try FileStatus.ofLink(database)
        guard status.kind == .file else { throw notADatabase() }
        // The header of an SQLite file, https://www.sqlite.org/fileformat2.html#the_database_header
        let headerSize = 100
        guard status.sizeBytes >= UInt64(headerSize) else { throw truncated(status.sizeBytes) }
        let header = try FileDescriptor.open(database).readStart(headerSize, path: database)
        guard header.count == headerSize, header.starts(with: Array("SQLite format 3\u{0}".utf8)) else { throw notADatabase() }
        func number(_ range: Range<Int>) -> UInt64 { header[range].reduce(0) { $0 << 8 | UInt64($1) } }
        guard number(68..<72) == UInt64(LedgerSchema.applicationID) else {
            throw LedgerError(
                .foreignDatabase,
                Phrase(vi: "'\(database)' là cơ sở dữ liệu của chương trình khác", en: "'\(database)' is a database of another program"),
                hint: Phrase(
                    vi: "kiểm tra lại đường dẫn thư mục dữ liệu; tệp không bị thay đổi",
                    en: "check the path of the state directory; the file was not changed"))
        }
        // A checkpoint of the write-ahead log writes page 1 first: only without a log must the length be right.
        let pageSize = number(16..<18) == 1 ? 65_536 : number(16..<18)
        if status.sizeBytes < number(28..<32) * pageSize, try isLogEmpty() { throw truncated(status.sizeBytes) }
    }

    private func isLogEmpty() throws(SystemError) -> Bool {
        do throws(SystemError) {
            return try FileStatus.ofLink(writeAheadLog).sizeBytes == 0
        } catch {
            if error.isMissing { return true }
            throw error
        }
    }

    private func notADatabase() -> LedgerError {
        LedgerError(
            .notADatabase,
            Phrase(vi: "'\(database)' không phải cơ sở dữ liệu SQLite", en: "'\(database)' is no SQLite database"),
            hint: Self.restoreHint)
    }

    private func truncated(_ size: UInt64) -> LedgerError {
        LedgerError(
            .truncated,
            Phrase(
                vi: "'\(database)' bị cắt cụt: chỉ còn \(size) byte", en: "'\(database)' is truncated: only \(size) bytes are left"),
            hint: Self.restoreHint)
    }

    static func damagedTree(_ size: Int64) -> LedgerError {
        LedgerError(
            .damaged,
            Phrase(
                vi: "cây băm của sổ cái không khớp các sự kiện (\(size))", en: "the hash tree of the ledger does not fit its events (\(size))"),
            hint: restoreHint)
    }

    /// Writes the marker file when it is missing.
    ///
    /// - Throws: `.wrongLedger` when it names another ledger.
    func requireMarker(_ identity: LedgerIdentity) throws {
        let expected = identity.json.canonicalBytes + [0x0A]
        do {
            let found = try DurableFiles.read(marker, limit: 4096)
            if found == expected { return }
        } catch {
            if !error.isMissing { throw error }
            // A crash between creating the database and the marker leaves this.
            return try DurableFiles.create(marker, expected, mode: 0o400)
        }
        throw LedgerError(
            .wrongLedger,
            Phrase(
                vi: "'\(database)' thuộc về một cài đặt khác so với '\(marker)'",
                en: "'\(database)' belongs to another installation than '\(marker)'"),
            hint: Self.restoreHint)
    }

    /// The checkpoint file; nil when there is none.
    func storedCheckpoint() throws -> String? {
        do {
            return String(validating: try DurableFiles.read(checkpoint, limit: SignedNote.sizeLimitBytes), as: UTF8.self) ?? ""
        } catch {
            if !error.isMissing { throw error }
            return nil
        }
    }

    /// Removes what a crash left under construction. Only while the lock is held.
    func removeLeftovers() throws {
        for name in try directoryNames(directory) {
            let isReserve = name.starts(with: Array("ledger.reserve-tmp-".utf8))
            let isNewDatabase = name.starts(with: Array("ledger.new-".utf8))
            if isReserve || isNewDatabase { try DurableFiles.remove(directory.appending(name)) }
        }
    }
}

extension FileDescriptor {
    /// The first `count` bytes; fewer at the end of the file.
    fileprivate func readStart(_ count: Int, path: FilePath) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let step = try unsafe bytes.withUnsafeMutableBufferPointer { (buffer) throws(SystemError) -> Int in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[done...])
                return try unsafe read(into: rest, at: UInt64(done), path: path)
            }
            if step == 0 { break }
            done += step
        }
        return Array(bytes.prefix(done))
    }
}
