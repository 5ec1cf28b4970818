import Glibc
import Platform
import TestSupport

/// The command line under test as a process: `sentinelctl`, or `repoctl`, a build of its `repo` commands alone.
enum SentinelProgram {
    /// The absolute path: in the directory that `SENTINEL_BIN` names, else beside the tests.
    static let path: String? = {
        let own = FilePath(CommandLine.arguments.first ?? "").parent
        let directories = [environmentValue("SENTINEL_BIN").map { FilePath($0) }, own].compactMap { $0 }
        let candidates = directories.flatMap { [$0 / "sentinelctl", $0 / "repoctl"] }
        return candidates.first { (try? FileStatus.of($0))?.kind == .file }?.utf8
    }()

    /// The command line `sentinelctl repo ARGUMENTS`.
    static func command(_ arguments: [String]) throws -> [String] {
        guard let path else { throw SystemError("exec", ENOENT, subject: "sentinelctl: SENTINEL_BIN names no directory that holds it") }
        return [path, "repo"] + arguments
    }
}

/// A file of the tests that is no Swift, by its path below the root of the repository.
func testResource(_ path: String) -> FilePath {
    if let root = environmentValue("SENTINEL_ROOT") { return FilePath(root) / path }
    // The sources may be reached through a link.
    let own = FilePath(#filePath).parent
    let resolved = unsafe own.withCString { name in
        guard let text = unsafe realpath(name, nil) else { return own }
        defer { unsafe free(text) }
        return unsafe FilePath(String(cString: text))
    }
    return resolved.parent.parent.parent / path
}
