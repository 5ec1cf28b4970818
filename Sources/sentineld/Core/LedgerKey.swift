internal import IncidentCore
internal import Ledger
internal import Platform

/// The Ed25519 key that signs checkpoints: made once, never replaced by itself.
enum LedgerKey {
    /// Loads the key, or makes it when neither key nor ledger exists.
    ///
    /// - Throws: ``DaemonError`` when a ledger is there but its key is not: a new key would disown the old record.
    static func load(_ layout: StateLayout) throws -> SigningKey {
        let path = layout.keys / "ledger.key"
        if try FileStatus.exists(path) {
            let text = try DurableFiles.read(path, limit: 4096)
            guard let seed = hexBytes(String(decoding: text, as: UTF8.self).filter { !$0.isWhitespace }) else {
                throw DaemonError(
                    message: Phrase(vi: "khóa sổ cái '\(path)' không đọc được", en: "the ledger key '\(path)' cannot be read"),
                    hint: Phrase(vi: "khôi phục tệp khóa từ bản lưu giữ riêng", en: "restore the key file from its separate copy"))
            }
            return try SigningKey(seed: seed)
        }
        if try FileStatus.exists(LedgerFiles(directory: layout.state).database) {
            throw DaemonError(
                message: Phrase(
                    vi: "sổ cái đã có nhưng thiếu khóa '\(path)'", en: "there is a ledger but its key '\(path)' is missing"),
                hint: Phrase(
                    vi: "khôi phục tệp khóa từ bản lưu giữ riêng; đừng tạo khóa mới",
                    en: "restore the key file from its separate copy; do not make a new one"))
        }
        let key = try SigningKey.generate()
        try DurableFiles.create(path, Array((hexText(try key.seed()) + "\n").utf8), mode: 0o400)
        return key
    }
}
