package import Platform

/// Where a repository lies, as people name it: a path, `local:PATH`, `rest:http(s)://HOST/PATH/` or `rclone:REMOTE:PATH`.
package enum RepositoryLocation: Sendable, Hashable {
    case local(FilePath)
    /// The base URL of a REST server, ending in `/`; never with a password in it.
    case rest(String)
    /// What rclone calls a remote and a path in it: `REMOTE:PATH`.
    case rclone(String)

    /// - Throws: `.invalidArgument` for an empty name, `.unsupported` for storage that goes through rclone here (`s3:`, `sftp:` ...).
    package init(_ name: String) throws(RepositoryError) {
        let scheme = name.firstIndex(of: ":").map { String(name[..<$0]) } ?? ""
        let rest = name.dropFirst(scheme.count + 1)
        switch scheme {
        case "rest": self = .rest(rest.hasSuffix("/") ? String(rest) : rest + "/")
        case "rclone": self = .rclone(String(rest))
        case "local": self = .local(FilePath(String(rest)))
        case "sftp", "s3", "b2", "azure", "gs", "swift":
            throw RepositoryError(
                .unsupported,
                Phrase(
                    vi: "kho loại '\(scheme):' được dùng qua rclone", en: "storage of kind '\(scheme):' is used through rclone"),
                hint: Phrase(
                    vi: "khai báo bằng 'rclone config', rồi dùng rclone:TÊN:ĐƯỜNG-DẪN",
                    en: "set it up with 'rclone config', then use rclone:REMOTE:PATH"))
        default: self = .local(FilePath(name))
        }
    }
}
