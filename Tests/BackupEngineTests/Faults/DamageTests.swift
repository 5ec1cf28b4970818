import Platform
import TestSupport
import Testing

@testable import BackupEngine

/// Files of a repository are damaged one at a time. `check` names what is damaged; a restore brings back the right bytes or says which
/// file it could not; nothing wrong is ever written as right.
@Suite struct DamageTests {
    enum Damage: String, CaseIterable, Sendable {
        case flippedBit, truncated, zeros, swapped, emptied, gone
    }

    private struct Case: Sendable {
        let number: Int
        let victim: String
        let damage: Damage
        let seed: UInt64
    }

    @Test func `one damaged file is named, and costs what it holds and no more`() async throws {
        var random = SeededRandom(for: "damage")
        let directory = try TemporaryDirectory("damage")
        let scene = try await FaultScene(directory.path, &random)
        let files = onlyFiles(below: scene.repository).map {
            String(decoding: $0.bytes.dropFirst(scene.repository.bytes.count + 1), as: UTF8.self)
        }
        var cases: [Case] = []
        for victim in files {
            for damage in Damage.allCases {
                for _ in 0..<(isFullTest && damage == .flippedBit ? 8 : 1) {
                    cases.append(Case(number: cases.count, victim: victim, damage: damage, seed: random.next()))
                }
            }
        }
        if !isFullTest {
            // Each kind of file at least twice, the damage by chance.
            let kinds = Dictionary(grouping: cases.shuffled(using: &random), by: { $0.victim.prefix { $0 != "/" } })
            cases = kinds.sorted { $0.key < $1.key }.flatMap { $0.value.prefix(3) }
        }
        let complaints = try await concurrently(cases) { item in
            let copy = try await scene.copy(to: scene.directory / "case-\(item.number)")
            defer { removeTree(copy.directory) }
            var random = SeededRandom(seed: item.seed)
            try Self.inflict(item.damage, on: item.victim, of: files, in: copy.repository, &random)
            return try await Self.judge(copy, item.victim, item.damage).map { "\(item.victim) \(item.damage), seed \(item.seed): \($0)" }
        }
        printToStandardError("damage: \(files.count) files, \(cases.count) cases")
        #expect(complaints == [])
    }

    private static func inflict(
        _ damage: Damage, on victim: String, of files: [String], in repository: FilePath, _ random: inout SeededRandom
    ) throws {
        let path = repository / victim
        switch damage {
        case .flippedBit:
            try rewrite(path) { $0[random.number(0..<$0.count)] ^= 1 << UInt8(random.number(0..<8)) }
        case .truncated: try rewrite(path) { $0.removeLast(random.number(1..<$0.count)) }
        case .zeros:
            try rewrite(path) { bytes in
                let start = random.number(0..<bytes.count)
                let end = min(bytes.count, start + random.number(1..<5000))
                // Zeros over zeros are no damage.
                bytes[start] |= 1
                bytes.replaceSubrange(start..<end, with: [UInt8](repeating: 0, count: end - start))
            }
        case .emptied: try rewrite(path) { $0.removeAll() }
        case .gone: try DurableFiles.remove(path)
        case .swapped:
            let folder = victim.prefix { $0 != "/" }
            let twin = files.filter { $0 != victim && $0.prefix { $0 != "/" } == folder }.randomElement(using: &random)
            // The only file of its kind trades places with one of another kind.
            let other = repository / (twin ?? files.filter { $0 != victim }.randomElement(using: &random) ?? victim)
            let (mine, theirs) = (try DurableFiles.read(path, limit: 1 << 30), try DurableFiles.read(other, limit: 1 << 30))
            try DurableFiles.replace(path, theirs)
            try DurableFiles.replace(other, mine)
        }
    }

    private static func judge(_ copy: SceneCopy, _ victim: String, _ damage: Damage) async throws -> [String] {
        var complaints: [String] = []
        let check = try await copy.run(["check", "--read-data"])
        let said = check.text + check.errorText
        if check.status >= 128 { complaints.append("check died: \(check)") }
        // A damaged key or config may already keep the repository from opening, and must say so.
        let isNamed = said.contains(victim.split(separator: "/").last.map { String($0.prefix(8)) } ?? victim)
        if victim.hasPrefix("keys/") {
            // A key that is gone or cannot be read is a password less; the only one here. A flipped bit in its remarks harms nothing.
            if check.status == 0 { return complaints }
        } else if damage == .gone, victim.hasPrefix("snapshots/") {
            // Nothing else in a repository knows of a snapshot: that it is gone, receipts show, not the check.
            if check.status != 0 { complaints.append("check: \(check)") }
        } else if damage == .gone, victim == "config" {
            // As in restic: where there is no config, there is no repository.
            if check.status != 10 { complaints.append("check: \(check)") }
        } else if damage == .gone, victim.hasPrefix("index/") {
            // Its name is gone with it; what it listed is missed.
            if check.status == 0 { complaints.append("check finds nothing: \(check)") }
        } else if check.status == 0 {
            complaints.append("check finds nothing: \(check)")
        } else if damage == .swapped, victim == "config" {
            // Swapped with a file of another kind: whichever of the two is read first is named.
            if check.errorText.isEmpty { complaints.append("check names nothing: \(check)") }
        } else if !isNamed {
            complaints.append("check does not name it: \(check)")
        }
        for kept in copy.scene.kept {
            let target = copy.directory / "restored-\(kept.snapshot.short)"
            let restore = try await copy.run(["restore", kept.snapshot.hex, "--target", "\(target)"])
            complaints += copy.complaints(about: restore, of: kept, in: target)
        }
        return complaints
    }
}

extension SceneCopy {
    /// What is wrong with a restore from a repository that is damaged: every file is right, or was reported by its name and with the exit
    /// status.
    func complaints(about restore: ProcessOutput, of kept: FaultScene.Kept, in target: FilePath) -> [String] {
        let said = restore.text + restore.errorText
        if restore.status >= 128 { return ["restore died: \(restore)"] }
        let description = try? TreeDescription(FilePath(bytes: target.bytes + scene.source.bytes))
        let difference = description.map { TreeDescription.difference(kept.content, $0) } ?? kept.content.lines
        if difference.isEmpty { return [] }
        var complaints: [String] = []
        if restore.status == 0 { complaints.append("restore of \(kept.snapshot.short) is wrong without a word: \(difference.prefix(3))") }
        if said.isEmpty { complaints.append("restore fails without a word") }
        // Of each file that is there, the bytes are right, unless it was named.
        let expected = Dictionary(kept.content.lines.compactMap { line in Self.name(in: line).map { ($0, line) } }) { first, _ in first }
        for line in description?.lines ?? [] {
            guard let name = Self.name(in: line), let right = expected[name], Self.content(of: right) != Self.content(of: line),
                !said.contains(name)
            else { continue }
            complaints.append("wrong content under a right name, unreported: \(line) instead of \(right)")
        }
        return complaints
    }

    /// The path in a line of a description that is about a file.
    private static func name(in line: String) -> String? { line.firstRange(of: " file ").map { String(line[..<$0.lowerBound].dropFirst()) } }

    /// Size and hash.
    private static func content(of line: String) -> [Substring] { line.split(separator: " ").suffix(2) }
}
