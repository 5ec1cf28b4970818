internal import Platform

/// A file that was refused before its content was looked at.
struct DocumentFileError: Error {
    let problem: DocumentProblem
}

/// Reads the files that steer the daemon: config and playbooks.
enum DocumentFile {
    /// - Parameters:
    ///   - limit: In bytes.
    ///   - checkOwner: Refuses a file that somebody else than root owns or may write to: it could run the daemon.
    static func read(_ path: FilePath, limit: Int, checkOwner: Bool) throws(DocumentFileError) -> [UInt8] {
        let content: (bytes: [UInt8], status: FileStatus)
        do throws(SystemError) {
            content = try RegularFile.read(path, limit: limit)
        } catch {
            throw DocumentFileError(
                problem: DocumentProblem(
                    .unreadable, file: path.description, position: nil,
                    problem: Phrase(vi: "không đọc được: \(error.message.vi)", en: "cannot be read: \(error.message.en)"),
                    hint: error.hint))
        }
        if checkOwner, let problem = ownerProblem(content.status, path) { throw DocumentFileError(problem: problem) }
        return content.bytes
    }

    private static func ownerProblem(_ status: FileStatus, _ path: FilePath) -> DocumentProblem? {
        let fix = Phrase(verbatim: "chown root:root '\(path)' && chmod 0644 '\(path)'")
        let phrase: Phrase
        if status.uid != 0 {
            phrase = Phrase(
                vi: "tệp thuộc về người dùng uid \(status.uid), phải thuộc về root",
                en: "the file belongs to uid \(status.uid), it must belong to root")
        } else if status.permissions & 0o022 != 0 {
            let mode = String(status.permissions, radix: 8)
            phrase = Phrase(
                vi: "người dùng khác root ghi được vào tệp (quyền \(mode))",
                en: "others than root may write to the file (mode \(mode))")
        } else {
            return nil
        }
        return DocumentProblem(.unsafeOwner, file: path.description, position: nil, problem: phrase, hint: fix)
    }
}
