import Glibc
import Platform
import TestSupport
import Testing

@testable import BackupEngine

/// The place where the repository lies is full, cannot be written, goes away, or leaves no memory: a clear error, nothing lost, and the
/// next run goes on.
@Suite struct HostilePlaceTests {
    /// Runs a shell script in mounts of its own, as root of a user namespace where the tests are not root.
    ///
    /// The script finds our program as `$SENTINEL`, the directory of the copy as `$1` and the source as `$2`.
    private func script(_ text: String, _ copy: SceneCopy) async throws -> ProcessOutput {
        let unshare = try #require(availableCommand("unshare"))
        let flags = isRoot ? ["-m", "--propagation", "private"] : ["-r", "-m"]
        var environment = copy.environment
        environment["SENTINEL"] = try SentinelProgram.command([])[0]
        let words = [unshare] + flags + ["/bin/sh", "-c", "set -u\n" + text, "sh", "\(copy.directory)", "\(copy.scene.source)"]
        return try await runProcess(words, environment: environment, timeLimitSeconds: 120)
    }

    private func withCopy(_ label: String, _ body: (SceneCopy) async throws -> Void) async throws {
        var random = SeededRandom(for: label)
        let directory = try TemporaryDirectory(label)
        let scene = try await FaultScene(directory.path, &random)
        try await body(try await scene.copy(to: directory / "copy"))
    }

    @Test(arguments: ["size=%SIZEk", "nr_inodes=%INODES"])
    func `a full disk ends the backup with a clear error; with more room the next one goes on`(limit: String) async throws {
        try await withCopy("full") { copy in
            // Room for what is there and a little more, then for everything.
            let output = try await script(
                """
                mkdir "$1/disk"
                size=$(( $(du -sk "$1/repo" | cut -f 1) + 600 )); inodes=$(( $(find "$1/repo" | wc -l) + 4 ))
                mount -t tmpfs -o "$(echo '\(limit)' | sed "s/%SIZE/$size/; s/%INODES/$inodes/")" none "$1/disk" || exit 90
                cp -a "$1/repo" "$1/disk/repo" || exit 91
                export RESTIC_REPOSITORY="$1/disk/repo"
                "$SENTINEL" repo backup --host may "$2"; echo "first $?"
                find "$1/disk/repo" -name '*-tmp-*' | wc -l | sed 's/^/left /'
                cp -a "$1/disk/repo" "$1/after" || exit 92
                mount -o remount,size=100m,nr_inodes=100000 "$1/disk" || exit 93
                "$SENTINEL" repo backup --host may "$2"; echo "second $?"
                rm -rf "$1/repo"; cp -a "$1/disk/repo" "$1/repo"
                """, copy)
            #expect(output.status == 0 && output.text.contains("first 1") && output.text.contains("second 0"), "\(output)")
            #expect(output.errorText.contains("ENOSPC") && output.errorText.contains("hint: "), "\(output)")
            // What was begun was taken away again: it would only keep the disk full.
            #expect(output.text.contains("left 0"), "\(output)")
            let after = SceneCopy(scene: copy.scene, directory: copy.directory / "kept")
            try DurableFiles.makeDirectories(after.directory)
            #expect(unsafe rename("\(copy.directory)/after", "\(after.repository)") == 0)
            #expect(try await after.judge(.newestRestic, keeping: copy.scene.kept, newSnapshots: 0...0) == [])
            #expect(try await copy.judge(.restic018, keeping: copy.scene.kept, newSnapshots: 1...1) == [])
        }
    }

    @Test func `a repository that cannot be written says so, and still restores without a lock`() async throws {
        try await withCopy("read-only") { copy in
            let output = try await script(
                """
                mount --bind "$1/repo" "$1/repo" && mount -o remount,bind,ro "$1/repo" || exit 90
                "$SENTINEL" repo backup --host may "$2"; echo "backup $?"
                "$SENTINEL" repo check --no-lock --read-data; echo "check $?"
                """, copy)
            #expect(output.text.contains("backup 1") && output.text.contains("check 0"), "\(output)")
            #expect(output.errorText.contains("EROFS") && output.errorText.contains("\(copy.repository)"), "\(output)")
            #expect(try await copy.judge(.debianRestic, keeping: copy.scene.kept, newSnapshots: 0...0) == [])
        }
    }

    /// The places at which the directory goes away: before a pack, an index, the snapshot.
    @Test(arguments: ["write data/upload-tmp", "rename data/XX/ID", "rename index/ID", "rename snapshots/ID"])
    func `a directory that goes away in the middle ends the backup; back again, the next one goes on`(moment: String) async throws {
        try await withCopy("gone") { copy in
            let words = moment.split(separator: " ").map(String.init)
            let flag = copy.directory / "paused"
            let python = try #require(availableCommand("python3"))
            let process = try SpawnedProcess(
                [
                    python, "\(testResource("Tests/Tools/trace-calls.py"))", "--below", "\(copy.repository)", "--log",
                    "\(copy.directory / "log")", "--pause", words[0], words[1], "1", "\(flag)", "--",
                ] + (try SentinelProgram.command(["backup", "--host", "may", "\(copy.scene.source)"])), environment: copy.environment)
            for _ in 0..<1500 where try !FileStatus.exists(flag) { try await Task.sleep(for: .milliseconds(20)) }
            #expect(unsafe rename("\(copy.repository)", "\(copy.directory)/elsewhere") == 0)
            try DurableFiles.remove(flag)
            let end = await process.wait(seconds: 60)
            let said = String(decoding: process.standardError, as: UTF8.self)
            #expect(end == .exited(1) || end == .exited(10), "\(moment): \(said)")
            #expect(said.contains("error: "), "\(said)")
            // Whatever it made under the old name is not taken for a repository.
            #expect(try !FileStatus.exists(copy.repository / "config"))
            removeTree(copy.repository)
            #expect(unsafe rename("\(copy.directory)/elsewhere", "\(copy.repository)") == 0)
            #expect(try await copy.judge(.newestRestic, keeping: copy.scene.kept, newSnapshots: 0...0) == [])
        }
    }

    @Test func `memory stays bounded, whatever the size of the files`() async throws {
        try await withCopy("memory") { copy in
            let output = try await script(
                """
                measured() {
                    python3 -c 'import resource, subprocess, sys
                status = subprocess.call(sys.argv[2:])
                print(sys.argv[1], status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)' "$@"
                }
                # Address space, of which threads reserve much more than they use.
                ulimit -v 1500000
                mkdir "$1/large"; for i in 1 2; do head -c 150000000 /dev/urandom > "$1/large/$i"; done
                measured backup "$SENTINEL" repo backup --host may "$1/large"
                measured check "$SENTINEL" repo check --read-data
                measured restore "$SENTINEL" repo restore latest --target "$1/back"
                cmp "$1/large/2" "$1/back$1/large/2" && echo same
                """, copy)
            #expect(output.text.contains("same"), "\(output)")
            for line in output.text.split(separator: "\n") {
                let words = line.split(separator: " ")
                guard words.count == 3, ["backup", "check", "restore"].contains(words[0]), let peak = Int(words[2]) else { continue }
                printToStandardError("memory: \(words[0]) of 300 MB took \(peak) MiB at most")
                #expect(words[1] == "0" && peak < 400, "\(output)")
            }
        }
    }

    /// Files that hold a thousand times what they are long; RFC 8878, blocks of one repeated byte.
    @Test func `a file that unpacks to ten gigabytes is an error, not the end of the memory`() async throws {
        let directory = try TemporaryDirectory("bomb")
        let count = 80_000
        let bomb: [UInt8] =
            [0x28, 0xB5, 0x2F, 0xFD, 0x00, 10 << 3]
            + (0..<count).flatMap { number -> [UInt8] in
                let header = UInt32(128 << 10) << 3 | 1 << 1 | (number == count - 1 ? 1 : 0)
                return (0..<3).map { UInt8(truncatingIfNeeded: header >> (8 * $0)) } + [UInt8(ascii: " ")]
            }
        for folder in ["index", "snapshots", "locks"] {
            let made = try HandMadeRepository(directory / folder)
            try made.addPack([.tree(HandMadeTree.tree([]))])
            try made.addIndex()
            try made.addSnapshot(try SHA256.hash(HandMadeTree.tree([])))
            try made.addEncoded(folder, [2] + bomb)
            let output = try await runProcess(
                ["/bin/sh", "-c", "ulimit -v 1500000; exec \"$@\"", "sh"] + (try SentinelProgram.command(["check", "--read-data"])),
                environment: FaultScene.environment(made.path), timeLimitSeconds: 60)
            #expect((1..<100).contains(output.status), "\(folder): \(output)")
            #expect(output.errorText.contains("error: "), "\(folder): \(output)")
        }
    }
}
