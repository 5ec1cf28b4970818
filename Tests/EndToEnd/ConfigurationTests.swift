import Platform
import TestSupport
import Testing

@Suite(.enabled(if: Programs.areBuilt, Programs.howToBuild)) struct ConfigurationTests {
    private func check(_ text: String, in directory: FilePath, language: String = "en") async throws -> ProcessOutput {
        let file = directory / "sentinel.yaml"
        try DurableFiles.replace(file, Array(text.utf8), mode: 0o600)
        return try await runProcess(
            [try Programs.path("sentineld"), "--config", "\(file)", "--state", "\(directory)", "--check-config"],
            environment: Programs.environment(["LANG": language == "vi" ? "vi_VN.UTF-8" : "C.UTF-8", "SENTINEL_LANG": language]))
    }

    @Test(arguments: [false, true])
    func `the shipped configuration is valid, and so are the examples in it`(withExamples: Bool) async throws {
        let root = environmentValue("SENTINEL_ROOT").map { FilePath($0) } ?? FilePath(#filePath).parent.parent.parent
        var text = String(decoding: try DurableFiles.read(root / "packaging" / "sentinel.yaml", limit: 1 << 20), as: UTF8.self)
        if withExamples {
            text = text.split(separator: "\n", omittingEmptySubsequences: false)
                .map { $0.hasPrefix("#: ") ? $0.dropFirst(3) : $0 }.joined(separator: "\n")
        }
        try await withTemporaryDirectory("e2e") { directory in
            let output = try await check(text, in: directory).expect(0)
            #expect(output.text.contains("cấu hình hợp lệ"))
        }
    }

    @Test func `a misspelt key is reported with file, line and a suggestion, and nothing starts`() async throws {
        try await withTemporaryDirectory("e2e") { directory in
            let output = try await check("site: {name: A, code: DK01}\nhealth:\n  defaults: {intervall: 30s}\n", in: directory)
            #expect(output.status == 2)
            #expect(output.errorText.contains("sentinel.yaml:3"))
            #expect(output.errorText.contains("'interval'"))
        }
    }

    @Test func `a name that leads nowhere is an error`() async throws {
        try await withTemporaryDirectory("e2e") { directory in
            let output = try await check(
                "site: {name: A, code: DK01}\nbackup: {jobs: {a: {sources: [{files: [/etc]}], to: [nowhere]}}}\n", in: directory)
            #expect(output.status == 2)
            #expect(output.errorText.contains("nowhere"))
        }
    }

    @Test func `a password in the configuration is refused and not repeated`() async throws {
        try await withTemporaryDirectory("e2e") { directory in
            let output = try await check(
                "site: {name: A, code: DK01}\nbackup: {repositories: {m: {path: /b, password: hunter2-hunter2}}}\n", in: directory)
            #expect(output.status == 2)
            #expect(!(output.errorText + output.text).contains("hunter2-hunter2"))
        }
    }
}
