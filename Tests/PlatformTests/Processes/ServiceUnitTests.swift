internal import Glibc
internal import Platform
internal import TestSupport
internal import Testing

/// The shipped units, as systemd itself judges them.
@Suite(.timeLimit(.minutes(2))) struct ServiceUnitTests {
    /// The root of the source tree: four levels above this file, links resolved.
    private func sourceRoot(_ file: StaticString = #filePath) throws -> FilePath {
        let path = FilePath(file.description)
        guard let resolved = unsafe path.withCString({ unsafe realpath($0, nil) }) else {
            throw SystemError("realpath", errno, path: path)
        }
        defer { unsafe free(resolved) }
        return unsafe FilePath(String(cString: resolved)).parent.parent.parent.parent
    }

    private func text(_ path: FilePath) throws -> String {
        String(decoding: try DurableFiles.read(path, limit: 1 << 20), as: UTF8.self)
    }

    /// Copies the units to `directory`, their programs replaced by stand-ins that exist.
    private func install(into directory: FilePath) throws -> [String] {
        let units = try sourceRoot() / "systemd"
        var paths: [String] = []
        for program in ["sentineld", "sentinelctl"] {
            try DurableFiles.create(directory / program, Array("#!/bin/sh\n".utf8), mode: 0o755)
        }
        for bytes in directoryEntries(units) {
            let name = String(decoding: bytes, as: UTF8.self)
            guard name.hasSuffix(".service") || name.hasSuffix(".timer") else { continue }
            let content = try text(units / name)
                .split(separator: "\n", omittingEmptySubsequences: false)
                .map { line in
                    line.replacing("=/usr/sbin/sentineld", with: "=\(directory)/sentineld")
                        .replacing("=/usr/bin/sentinelctl", with: "=\(directory)/sentinelctl")
                }
                .joined(separator: "\n")
            try DurableFiles.create(directory / name, Array(content.utf8), mode: 0o644)
            paths.append((directory / name).description)
        }
        return paths.sorted()
    }

    private func verify(_ paths: [String]) async throws -> ProcessOutput {
        try await runProcess(["/usr/bin/systemd-analyze", "verify", "--man=no", "--recursive-errors=no"] + paths)
    }

    @Test func `systemd accepts every unit without a warning`() async throws {
        try await withTemporaryDirectory("units") { directory in
            let paths = try install(into: directory)
            #expect(paths.count == 3)
            let result = try await verify(paths)
            #expect(result.status == 0 && result.errorText.isEmpty, "\(result)")
        }
    }

    @Test func `the check above would see an unknown key`() async throws {
        try await withTemporaryDirectory("units") { directory in
            _ = try install(into: directory)
            let path = directory / "sentineld.service"
            try DurableFiles.replace(path, Array(try text(path).replacing("ProtectClock=", with: "ProtectClok=").utf8), mode: 0o644)
            #expect(try await verify([path.description]).status != 0)
        }
    }

    @Test func `the bounding set is what the roles need together, and what the parent needs to make them`() throws {
        let unit = try text(try sourceRoot() / "systemd" / "sentineld.service")
        let line = try #require(unit.split(separator: "\n").first { $0.hasPrefix("CapabilityBoundingSet=") })
        let granted = Set(line.drop { $0 != "=" }.dropFirst().split(separator: " ").map(String.init))
        let names: [(CapabilitySet, String)] = [
            (.changeOwner, "CAP_CHOWN"), (.overridePermissions, "CAP_DAC_OVERRIDE"), (.readSearch, "CAP_DAC_READ_SEARCH"),
            (.actAsOwner, "CAP_FOWNER"), (.keepSetID, "CAP_FSETID"), (.trace, "CAP_SYS_PTRACE"),
            (.systemAdministration, "CAP_SYS_ADMIN"),
        ]
        let roles = ProcessRole.allCases.map(\.capabilities).reduce(CapabilitySet()) { $0.union($1) }
        let parent: Set = ["CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_KILL"]
        #expect(granted == parent.union(names.filter { roles.contains($0.0) }.map(\.1)))
        #expect(names.reduce(CapabilitySet()) { $0.union($1.0) } == roles)
    }

    @Test func `the state is not given back to root at each start`() throws {
        // systemd 252 changes the owner of everything in these directories to the unit's user, which is root here.
        let lines = try text(try sourceRoot() / "systemd" / "sentineld.service").split(separator: "\n")
        #expect(!lines.contains { $0.hasPrefix("StateDirectory=") || $0.hasPrefix("RuntimeDirectory=") })
        let writable: Set<String> = words(lines.first { $0.hasPrefix("ReadWritePaths=") }?.dropFirst("ReadWritePaths=".count) ?? "")
        var made: Set<String> = []
        for line in try text(try sourceRoot() / "packaging" / "tmpfiles.d" / "sentinel.conf").split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count > 3, fields[0] == "d", fields[3] == "sentinel" { made.insert(String(fields[1])) }
        }
        #expect(writable == made && !made.isEmpty)
    }

    /// Paths separated by spaces, without the `-` that allows them to be missing.
    private func words(_ text: Substring) -> Set<String> {
        Set(text.split(separator: " ").map { word in String(word.drop { $0 == "-" }) })
    }

    @Test func `exposure stays as low as the roles allow`() async throws {
        try await withTemporaryDirectory("units") { directory in
            let paths = try install(into: directory)
            for (unit, threshold) in [("sentineld.service", "45"), ("sentinel-drill.service", "15")] {
                let path = try #require(paths.first { $0.hasSuffix("/" + unit) })
                let result = try await runProcess([
                    "/usr/bin/systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=\(threshold)", path,
                ])
                #expect(result.status == 0, "\(result)")
            }
        }
    }

    @Test func `users, groups and directories can be made from the packaging files`() async throws {
        try await withTemporaryDirectory("packaging") { directory in
            let root = directory / "root"
            try DurableFiles.makeDirectories(root / "etc")
            let packaging = try sourceRoot() / "packaging"
            let users = try await runProcess([
                "/usr/bin/systemd-sysusers", "--root=\(root)", (packaging / "sysusers.d" / "sentinel.conf").description,
            ])
            #expect(users.status == 0, "\(users)")
            #expect(try text(root / "etc" / "passwd").contains("sentinel:"))
            let groups = try text(root / "etc" / "group")
            for group in ["sentinel", "sentinel-read", "sentinel-respond", "sentinel-admin"] {
                #expect(groups.split(separator: "\n").contains { $0.hasPrefix(group + ":") }, "\(group)")
            }
            guard isRoot else { return }
            let directories = try await runProcess([
                "/usr/bin/systemd-tmpfiles", "--create", "--root=\(root)", (packaging / "tmpfiles.d" / "sentinel.conf").description,
            ])
            #expect(directories.status == 0, "\(directories)")
            #expect(try FileStatus.ofLink(root / "etc" / "sentinel" / "keys").permissions == 0o700)
        }
    }
}
