package import Platform

/// Where a repository lies, as people name it: a path, `local:PATH`, `rest:http(s)://HOST/PATH/` or `rclone:REMOTE:PATH`.
package enum RepositoryLocation: Sendable, Hashable, CustomStringConvertible {
    case local(FilePath)
    case rest(RestAddress)
    /// What rclone calls a remote and a path in it: `REMOTE:PATH`.
    case rclone(String)

    /// - Throws: `.invalidArgument` for an empty or malformed name, `.unsupported` for storage that goes through rclone here
    ///   (`s3:`, `sftp:` ...).
    package init(_ name: String) throws(RepositoryError) {
        let scheme = name.firstIndex(of: ":").map { String(name[..<$0]) } ?? ""
        let rest = String(name.dropFirst(scheme.count + 1))
        switch scheme {
        case "rest": self = .rest(try RestAddress(rest))
        case "rclone":
            // `:backend:path` is a remote that is set up nowhere.
            guard rest.dropFirst().contains(":"), !rest.hasPrefix("-"), !rest.utf8.contains(0) else {
                throw RepositoryError(
                    .invalidArgument,
                    Phrase(vi: "viết rclone:TÊN:ĐƯỜNG-DẪN", en: "write rclone:REMOTE:PATH"),
                    hint: Phrase(vi: "'rclone listremotes' in ra các tên", en: "'rclone listremotes' prints the names"))
            }
            self = .rclone(rest)
        case "local": self = .local(try Self.path(rest))
        case "sftp", "s3", "b2", "azure", "gs", "swift":
            throw RepositoryError(
                .unsupported,
                Phrase(
                    vi: "kho loại '\(scheme):' được dùng qua rclone", en: "storage of kind '\(scheme):' is used through rclone"),
                hint: Phrase(
                    vi: "khai báo bằng 'rclone config', rồi dùng rclone:TÊN:ĐƯỜNG-DẪN",
                    en: "set it up with 'rclone config', then use rclone:REMOTE:PATH"))
        default: self = .local(try Self.path(name))
        }
    }

    private static func path(_ name: String) throws(RepositoryError) -> FilePath {
        if name.isEmpty { throw RepositoryError(.invalidArgument, Phrase(vi: "tên kho rỗng", en: "the name of the repository is empty")) }
        return FilePath(name)
    }

    /// For people; never with a credential.
    package var description: String {
        switch self {
        case .local(let path): path.description
        case .rest(let address): address.description
        case .rclone(let remote): "rclone:\(escapedForDisplay(remote))"
        }
    }
}
