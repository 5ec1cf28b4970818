package import Platform

/// A secret that cannot be used; the secret itself appears in no message.
package struct SecretError: ExplainedError {
    package enum Code: Sendable { case missing, unreadable, worldReadable, empty }

    package let code: Code
    package let message: Phrase
    package let hint: Phrase?
}

/// Finds repository passwords: systemd credentials first, then the keys directory.
package struct SecretStore: Sendable {
    /// `$CREDENTIALS_DIRECTORY` of the service; nil when systemd gave none.
    package let credentials: FilePath?
    /// `keys/` of the state directory.
    package let keys: FilePath

    package static let maximumBytes = 4096

    package init(credentials: FilePath?, keys: FilePath) {
        self.credentials = credentials
        self.keys = keys
    }

    /// Reads a secret. White space at both ends is cut off, as restic does with a password file.
    ///
    /// - Throws: `.missing` with all places that were tried, `.unreadable`, `.worldReadable` when others than owner and group
    ///   may read or write the file, `.empty`.
    package func read(_ reference: SecretReference) throws(SecretError) -> [UInt8] {
        let places: [FilePath] =
            switch reference {
            case .credential(let name): [credentials.map { $0 / name }, keys / name].compactMap { $0 }
            case .file(let path): [path]
            }
        for place in places {
            if let secret = try read(place) { return secret }
        }
        let list = places.map { "'\($0)'" }.joined(separator: ", ")
        throw SecretError(
            code: .missing, message: Phrase(vi: "không có mật khẩu ở \(list)", en: "there is no password at \(list)"),
            hint: Phrase(
                vi: "ghi mật khẩu vào tệp '\(keys)/TÊN' với quyền 0400, hoặc thêm LoadCredential= vào unit của systemd",
                en: "write the password to '\(keys)/NAME' with mode 0400, or add LoadCredential= to the systemd unit"))
    }

    /// - Returns: nil when nothing lies at `path`.
    private func read(_ path: FilePath) throws(SecretError) -> [UInt8]? {
        let content: (bytes: [UInt8], status: FileStatus)
        do throws(SystemError) {
            content = try RegularFile.read(path, limit: Self.maximumBytes)
        } catch {
            if error.isMissing { return nil }
            throw SecretError(
                code: .unreadable,
                message: Phrase(vi: "không đọc được mật khẩu: \(error.message.vi)", en: "the password cannot be read: \(error.message.en)"),
                hint: error.hint)
        }
        if content.status.permissions & 0o007 != 0 {
            let mode = String(content.status.permissions, radix: 8)
            throw SecretError(
                code: .worldReadable,
                message: Phrase(
                    vi: "mọi người dùng đều mở được tệp mật khẩu '\(path)' (quyền \(mode))",
                    en: "everybody may open the password file '\(path)' (mode \(mode))"),
                hint: Phrase(verbatim: "chmod 0400 '\(path)'"))
        }
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        let start = content.bytes.firstIndex { !isSpace($0) } ?? content.bytes.endIndex
        let end = content.bytes.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? start
        if start == end {
            throw SecretError(
                code: .empty,
                message: Phrase(vi: "tệp mật khẩu '\(path)' rỗng", en: "the password file '\(path)' is empty"), hint: nil)
        }
        return Array(content.bytes[start..<end])
    }
}
