package import Platform

/// All playbooks in force.
package struct PlaybookLibrary: Sendable {
    /// A playbook of a later directory that stands in for one of the same id.
    package struct Override: Sendable, Hashable {
        package let id: String
        package let file: FilePath
        package let digest: Digest
        /// What it replaces.
        package let replacedFile: FilePath
        package let replacedDigest: Digest
    }

    /// Ordered by id.
    package let playbooks: [Playbook]
    package let overrides: [Override]

    /// More files than this in one directory are refused.
    package static let maximumFiles = 200

    package func playbook(_ id: String) -> Playbook? { playbooks.first { $0.id == id } }

    /// Reads every `*.yaml` of `directories`.
    ///
    /// - Parameters:
    ///   - directories: In order of rising precedence: the same id in a later one replaces that of an earlier one. A missing
    ///     directory holds nothing.
    ///   - checkOwner: Refuses files that others than root own or may write to.
    /// - Throws: All problems of all files at once. ``survey(directories:checkOwner:)`` goes on without the bad files.
    package static func load(directories: [FilePath], checkOwner: Bool = false) throws(PlaybookError) -> PlaybookLibrary {
        let (library, problems) = survey(directories: directories, checkOwner: checkOwner)
        if !problems.isEmpty { throw PlaybookError(problems) }
        return library
    }

    /// Reads what can be read: one bad file must not take all playbooks away in the hour they are needed.
    ///
    /// - Returns: The playbooks without problems, and the problems of all others. A bad override leaves the playbook in force
    ///   that it was to replace.
    package static func survey(directories: [FilePath], checkOwner: Bool = false) -> (library: PlaybookLibrary, problems: [DocumentProblem]) {
        var found: [String: (playbook: Playbook, file: FilePath, directory: Int)] = [:]
        var overrides: [Override] = []
        var problems: [DocumentProblem] = []
        for (index, directory) in directories.enumerated() {
            for file in files(in: directory, &problems) {
                guard let playbook = read(file, checkOwner: checkOwner, &problems) else { continue }
                if let earlier = found[playbook.id] {
                    if earlier.directory == index {
                        problems.append(
                            DocumentProblem(
                                .duplicate, file: file.description, position: nil,
                                problem: Phrase(
                                    vi: "mã kịch bản '\(playbook.id)' đã dùng trong '\(earlier.file)'",
                                    en: "the playbook id '\(playbook.id)' is taken in '\(earlier.file)'")))
                        continue
                    }
                    overrides.append(
                        Override(
                            id: playbook.id, file: file, digest: playbook.digest, replacedFile: earlier.file,
                            replacedDigest: earlier.playbook.digest))
                }
                found[playbook.id] = (playbook, file, index)
            }
        }
        let playbooks = found.values.map(\.playbook).sorted { $0.id < $1.id }
        return (library: PlaybookLibrary(playbooks: playbooks, overrides: overrides), problems: problems)
    }

    private static func read(_ file: FilePath, checkOwner: Bool, _ problems: inout [DocumentProblem]) -> Playbook? {
        let bytes: [UInt8]
        do throws(DocumentFileError) {
            bytes = try DocumentFile.read(file, limit: PlaybookLimits.fileBytes, checkOwner: checkOwner)
        } catch {
            problems.append(error.problem)
            return nil
        }
        do throws(PlaybookError) {
            return try Playbook.parse(bytes, name: file.description)
        } catch {
            problems += error.problems
            return nil
        }
    }

    /// The `*.yaml` of a directory, in the order of their names; hidden files (an editor's leftovers) are not read.
    private static func files(in directory: FilePath, _ problems: inout [DocumentProblem]) -> [FilePath] {
        let suffix = Array(".yaml".utf8)[...]
        func report(_ problem: Phrase, hint: Phrase? = nil) {
            problems.append(DocumentProblem(.unreadable, file: directory.description, position: nil, problem: problem, hint: hint))
        }
        let names: [[UInt8]]
        do throws(SystemError) {
            names = try directoryNames(directory).filter {
                $0.suffix(suffix.count) == suffix && $0.first != UInt8(ascii: ".")
            }.sorted { $0.lexicographicallyPrecedes($1) }
        } catch {
            if !error.isMissing { report(error.message, hint: error.hint) }
            return []
        }
        if names.count > maximumFiles {
            report(
                Phrase(vi: "có hơn \(maximumFiles) tệp kịch bản", en: "holds more than \(maximumFiles) playbooks"))
            return []
        }
        return names.map { directory.appending($0) }
    }
}
