internal import IncidentCore
internal import Ledger
internal import Platform

/// The Ed25519 key that signs checkpoints: made once with the ledger, never replaced by itself.
enum LedgerKey {
    /// Loads the key, or makes it when neither key nor ledger exists. The key keeps the name it was made with, also when the
    /// site's code changes.
    ///
    /// - Throws: ``DaemonError`` when a ledger is there but its key is not: a new key would disown the old record.
    static func load(_ layout: StateLayout, siteCode: String) throws -> NoteSigner {
        let path = layout.keys / "ledger.key"
        if try FileStatus.exists(path) { return try LedgerKeyFile.load(path) }
        if try FileStatus.exists(LedgerFiles(directory: layout.state).database) {
            throw DaemonError(
                message: Phrase(
                    vi: "sổ cái đã có nhưng thiếu khóa '\(path)'", en: "there is a ledger but its key '\(path)' is missing"),
                hint: Phrase(
                    vi: "khôi phục tệp khóa từ bản lưu giữ riêng; đừng tạo khóa mới",
                    en: "restore the key file from its separate copy; do not make a new one"))
        }
        return try LedgerKeyFile.create(path, origin: "sentinel.local/\(siteCode)")
    }
}
