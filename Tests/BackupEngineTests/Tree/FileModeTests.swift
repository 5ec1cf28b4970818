import Platform
import TestSupport
import Testing

@testable import BackupEngine

@Suite struct FileModeTests {
    /// Values that stock restic 0.14 wrote; see docs/format.md, "Trees".
    static let known: [(kind: FileStatus.Kind, permissions: UInt32, mode: UInt32)] = [
        (.directory, 0o755, 2_147_484_141), (.symlink, 0o777, 134_218_239), (.blockDevice, 0o644, 67_109_284),
        (.fifo, 0o644, 33_554_852), (.file, 0o6755, 12_583_405), (.characterDevice, 0o644, 69_206_436),
        (.directory, 0o1777, 2_148_532_735), (.file, 0, 0), (.file, 0o600, 384),
    ]

    @Test func `modes are those of Go, not those of the kernel`() throws {
        var status = try FileStatus.of("/")
        for (kind, permissions, mode) in Self.known {
            status.kind = kind
            status.mode = 0o170000 | permissions
            #expect(FileMode(status).rawValue == mode)
            #expect(FileMode(rawValue: mode).permissions == permissions)
        }
    }

    @Test func `a listing looks like that of ls`() {
        #expect(FileMode(rawValue: 2_147_484_141).listing == "drwxr-xr-x")
        #expect(FileMode(rawValue: 12_583_405).listing == "-rwsr-sr-x")
        #expect(FileMode(rawValue: 2_148_532_735).listing == "drwxrwxrwt")
        #expect(FileMode(rawValue: 1 << 23 | 0o644).listing == "-rwSr--r--")
        #expect(FileMode(rawValue: 69_206_436).listing == "crw-r--r--")
        #expect(FileMode(rawValue: 134_218_239).listing == "lrwxrwxrwx")
    }
}
