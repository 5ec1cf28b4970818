import Platform
import TestSupport
import Testing

@Suite(.enabled(if: Programs.areBuilt, Programs.howToBuild)) struct BinaryTests {
    /// What a Debian 12 server has, and what the package depends on.
    private static let expected = [
        "linux-vdso.so", "ld-linux", "libc.so", "libm.so", "libgcc_s.so", "libstdc++.so", "libz.so", "libcrypto.so", "libssl.so",
        "libsqlite3.so", "libzstd.so", "libyaml-0.so", "libdl.so", "libpthread.so", "libutil.so", "librt.so",
    ]

    @Test(arguments: ["sentineld", "sentinelctl"])
    func `a program carries Swift in it and needs Debian's libraries only`(program: String) async throws {
        let ldd = try #require(availableCommand("ldd"))
        let output = try await runProcess([ldd, try Programs.path(program)])
        output.expect(0)
        for line in output.text.split(separator: "\n") {
            #expect(Self.expected.contains { line.contains($0) }, "\(line)")
            #expect(!line.contains("not found"))
        }
    }

    @Test(arguments: ["sentineld", "sentinelctl"])
    func `a program is at most 40 MB`(program: String) throws {
        #expect(try FileStatus.of(FilePath(try Programs.path(program))).sizeBytes <= 40_000_000)
    }

    @Test(arguments: ["vi", "en"])
    func `help speaks both languages and lists the exit codes`(language: String) async throws {
        let output = try await Programs.sentinelctl(["--help"], environment: ["SENTINEL_LANG": language]).expect(0)
        #expect(output.text.contains(language == "vi" ? "MÃ THOÁT" : "EXIT STATUS"))
        #expect(output.text.contains("130"))
    }

    @Test func `an unknown option is a usage error`() async throws {
        try await Programs.sentinelctl(["status", "--no-such-option"]).expect(64)
    }

    @Test func `without a daemon status says that nobody answers, with a hint`() async throws {
        try await withTemporaryDirectory("e2e") { directory in
            let output = try await Programs.sentinelctl(["status", "--lang", "en", "--state", "\(directory)"]).expect(6)
            #expect(output.errorText.contains("hint: "))
            #expect(output.text.isEmpty)
        }
    }
}
