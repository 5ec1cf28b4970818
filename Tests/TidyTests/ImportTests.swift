import Testing

/// What each target may import; the table of layers in docs/decisions/0001-package.md.
private struct Layer {
    /// Targets of ours below it.
    let ours: Set<String>
    /// Modules of other packages.
    var packages: Set<String> = []
    /// Modules that only one folder of the target may import.
    var foldersOnly: [String: String] = [:]
}

private let nio: Set<String> = ["NIOCore", "NIOPosix", "NIOHTTP1", "NIOFoundationEssentialsCompat"]
private let engines: Set<String> = [
    "Platform", "BackupEngine", "RemoteStorage", "IntegrityEngine", "HealthEngine", "Ledger", "ControlAPI",
]
private let layers: [String: Layer] = [
    "Platform": Layer(
        ours: ["COpenSSL", "CSQLite", "CZstd", "CYAML", "CLinux"], packages: ["Subprocess", "Logging", "SystemPackage"]),
    "BackupEngine": Layer(ours: ["Platform"]),
    "RemoteStorage": Layer(ours: ["Platform", "BackupEngine"], packages: nio.union(["AsyncHTTPClient", "NIOSSL"])),
    "IntegrityEngine": Layer(ours: ["Platform"]),
    "HealthEngine": Layer(ours: ["Platform"], packages: nio.union(["AsyncHTTPClient", "NIOSSL"])),
    "Ledger": Layer(ours: ["Platform"]),
    "ControlAPI": Layer(ours: []),
    "IncidentCore": Layer(ours: engines),
    "sentineld": Layer(
        ours: engines.union(["IncidentCore"]),
        packages: nio.union([
            "Hummingbird", "HummingbirdCore", "ServiceLifecycle", "ArgumentParser", "AsyncHTTPClient", "Logging", "HTTPTypes",
        ])),
    "sentinelctl": Layer(
        ours: engines.union(["IncidentCore"]), packages: nio.union(["ArgumentParser", "AsyncHTTPClient"])),
]
/// Modules of the toolchain that every target may use. Foundation is not among them: ICU, and zones that silently mean GMT.
private let toolchain: Set<String> = ["Dispatch", "FoundationEssentials", "Glibc", "Synchronization", "Swift", "_Concurrency"]

private func imports(of path: String) throws -> [(line: Int, module: String)] {
    var found: [(Int, String)] = []
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
    let prefixes: Set<Substring> = ["public", "package", "internal", "private", "fileprivate"]
    for (number, line) in codeOnly(try Repository.text(path)).split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        var words = line.split(separator: " ").filter { !$0.hasPrefix("@") }
        while let first = words.first, prefixes.contains(first) { words.removeFirst() }
        guard words.first == "import", words.count > 1 else { continue }
        words.removeFirst()
        if kinds.contains(words[0]), words.count > 1 { words.removeFirst() }
        found.append((number + 1, String(words[0].prefix { $0 != "." && $0 != ";" })))
    }
    return found
}

@Suite struct ImportTests {
    @Test func `every import runs downwards, as the table of layers says`() throws {
        var wrong: [String] = []
        var seen: Set<String> = []
        for path in try Repository.files(in: "Sources", endingIn: ".swift") {
            let parts = path.split(separator: "/").map(String.init)
            let layer = try #require(layers[parts[1]], "\(path): a target that the table does not know")
            seen.insert(parts[1])
            for (line, module) in try imports(of: path) where !toolchain.contains(module) {
                if layer.ours.contains(module) || layer.packages.contains(module) { continue }
                if let folder = layer.foldersOnly[module], parts.count > 3, parts[2] == folder { continue }
                wrong.append("\(path):\(line): \(parts[1]) may not import \(module)")
            }
        }
        #expect(wrong.isEmpty)
        #expect(seen == Set(layers.keys), "a target of the table has no source")
    }

    @Test func `nothing, tests included, imports the full Foundation`() throws {
        var wrong: [String] = []
        for folder in ["Sources", "Tests"] {
            for path in try Repository.files(in: folder, endingIn: ".swift") {
                for (line, module) in try imports(of: path)
                where ["Foundation", "FoundationNetworking", "FoundationInternationalization", "FoundationXML"].contains(module) {
                    wrong.append("\(path):\(line): \(module)")
                }
            }
        }
        #expect(wrong.isEmpty)
    }
}
