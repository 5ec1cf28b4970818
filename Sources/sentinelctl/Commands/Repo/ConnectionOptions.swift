internal import ArgumentParser
internal import BackupEngine
internal import Platform
internal import RemoteStorage

/// How a repository that is not on this machine is reached.
struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            help("Tệp PEM chứa các CA duy nhất được tin (hoặc RESTIC_CACERT).", "PEM file with the only authorities to trust (or RESTIC_CACERT).")))
    var cacert: String?

    @Option(
        help: ArgumentHelp(
            help(
                "Tệp PEM chứa chứng thực và khóa của máy này (hoặc RESTIC_TLS_CLIENT_CERT).",
                "PEM file with the certificate and key of this client (or RESTIC_TLS_CLIENT_CERT).")))
    var tlsClientCert: String?

    @Flag(help: ArgumentHelp(help("Không kiểm tra chứng thực của máy chủ.", "Do not verify the server's certificate."))) var insecureTls = false

    @Option(help: ArgumentHelp(help("Giới hạn tải lên, KiB/s.", "Limit uploads, KiB/s."))) var limitUpload: Int?
    @Option(help: ArgumentHelp(help("Giới hạn tải xuống, KiB/s.", "Limit downloads, KiB/s."))) var limitDownload: Int?

    @Option(
        name: [.customShort("o"), .customLong("option")],
        help: ArgumentHelp(
            help("Thiết lập mở rộng KHÓA=GIÁ-TRỊ, ví dụ rclone.program (lặp lại được).", "Extended option KEY=VALUE, such as rclone.program (repeatable).")))
    var options: [String] = []

    @Option(help: ArgumentHelp(help("Thư mục bộ đệm của kho ở xa (hoặc RESTIC_CACHE_DIR).", "Cache directory for remote repositories (or RESTIC_CACHE_DIR).")))
    var cacheDir: String?
    @Flag(help: ArgumentHelp(help("Không dùng bộ đệm.", "Use no cache."))) var noCache = false
    @Flag(help: ArgumentHelp(help("Xóa bộ đệm cũ.", "Remove old caches."))) var cleanupCache = false

    private static let knownOptions = ["rest.connections", "rclone.program", "rclone.args", "rclone.connections", "rclone.timeout", "local.connections"]

    func access(isQuiet: Bool) throws -> StorageAccess {
        var access = StorageAccess(
            user: environmentValue("RESTIC_REST_USERNAME"), password: environmentValue("RESTIC_REST_PASSWORD"),
            authorities: (cacert ?? environmentValue("RESTIC_CACERT")).map { FilePath($0) },
            uploadLimit: try limit(limitUpload, "--limit-upload"), downloadLimit: try limit(limitDownload, "--limit-download"))
        access.clientCertificate = (tlsClientCert ?? environmentValue("RESTIC_TLS_CLIENT_CERT")).map { FilePath($0) }
        access.acceptsAnyCertificate = insecureTls
        for option in options {
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, Self.knownOptions.contains(parts[0]) else {
                let known = Self.knownOptions.joined(separator: ", ")
                throw CommandFailure(
                    vi: "-o \(escapedForDisplay(option)): không biết thiết lập này", en: "-o \(escapedForDisplay(option)): unknown option",
                    hint: Phrase(vi: "các thiết lập: \(known)", en: "known options: \(known)"))
            }
            access.options[parts[0]] = parts[1]
        }
        access.cancellation = Interruption.raised
        access.cacheDirectory = noCache ? nil : cacheRoot
        if cleanupCache, let root = access.cacheDirectory, CachedStorage.removeOld(below: root) > 0, !isQuiet {
            Interface(language: Interface.initialLanguage, isJSON: false).warn(help("Đã xóa bộ đệm cũ.", "Removed old caches."))
        }
        if !isQuiet {
            // Asked once: the closure is called from other threads.
            let language = Interface.initialLanguage
            access.onRetry = { note in Interface(language: language, isJSON: false).warn(note.text(language)) }
        }
        return access
    }

    /// As restic: the option, the variable, the cache directory of the user. Nil where there is none.
    private var cacheRoot: FilePath? {
        if let named = cacheDir ?? environmentValue("RESTIC_CACHE_DIR"), !named.isEmpty { return FilePath(named) / "sentinel" }
        if let cache = environmentValue("XDG_CACHE_HOME"), cache.hasPrefix("/") { return FilePath(cache) / "sentinel" }
        if let home = environmentValue("HOME"), home.hasPrefix("/") { return FilePath(home) / ".cache" / "sentinel" }
        return nil
    }

    private func limit(_ kibibytes: Int?, _ name: String) throws -> Int? {
        guard let kibibytes, kibibytes != 0 else { return nil }
        guard (1...(1 << 30)).contains(kibibytes) else {
            throw CommandFailure(vi: "\(name) phải là số KiB/s lớn hơn 0", en: "\(name) must be a number of KiB/s above 0")
        }
        return kibibytes << 10
    }
}
