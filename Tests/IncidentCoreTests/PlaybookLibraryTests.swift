import Platform
import TestSupport
import Testing

@testable import IncidentCore

private func playbook(_ id: String, version: Int = 1, next: String = "end") -> [UInt8] {
    Array(
        """
        id: \(id)
        version: \(version)
        title: {vi: T, en: T}
        description: {vi: D, en: D}
        triggers: [manual]
        severity: low
        owner: truong-nhom
        legal: {vi: L, en: L}
        start: a
        steps: [{id: a, phase: xac-minh, title: {vi: T, en: T}, instructions: {vi: I, en: I}, role: thu-ky, mandatory: true, next: \(next)}]
        """.utf8)
}

@Suite struct PlaybookLibraryTests {
    @Test func `a later directory replaces a playbook and that is recorded`() throws {
        try withTemporaryDirectory("playbooks") { directory in
            let shipped = directory / "shipped"
            let local = directory / "local"
            try DurableFiles.makeDirectories(shipped)
            try DurableFiles.makeDirectories(local)
            try DurableFiles.create(shipped / "a.yaml", playbook("a"))
            try DurableFiles.create(shipped / "b.yaml", playbook("b"))
            try DurableFiles.create(local / "mine.yaml", playbook("a", version: 2))
            try DurableFiles.create(local / ".hidden.yaml", Array("not yaml: [".utf8))
            try DurableFiles.create(local / "notes.txt", Array("not yaml: [".utf8))
            let library = try PlaybookLibrary.load(directories: [shipped, local, directory / "missing"])
            #expect(library.playbooks.map(\.id) == ["a", "b"])
            #expect(library.playbook("a")?.version == 2)
            let override = try #require(library.overrides.first)
            #expect(library.overrides.count == 1)
            #expect(override.file == local / "mine.yaml" && override.replacedFile == shipped / "a.yaml")
            #expect(override.digest == library.playbook("a")?.digest)
            #expect(try override.replacedDigest == SHA256.hash(playbook("a")))
        }
    }

    @Test func `one bad file is reported and takes nothing else away`() throws {
        try withTemporaryDirectory("playbooks") { directory in
            let shipped = directory / "shipped"
            let local = directory / "local"
            try DurableFiles.makeDirectories(shipped)
            try DurableFiles.makeDirectories(local)
            try DurableFiles.create(shipped / "a.yaml", playbook("a"))
            try DurableFiles.create(local / "a.yaml", playbook("a", version: 2, next: "[nowhere]"))
            let (library, problems) = PlaybookLibrary.survey(directories: [shipped, local])
            #expect(library.playbook("a")?.version == 1)
            #expect(library.overrides.isEmpty)
            #expect(problems.map(\.message.en) == ["\(local)/a.yaml:10: steps[0].next[0]: there is no step 'nowhere'"])
            let error = #expect(throws: PlaybookError.self) { try PlaybookLibrary.load(directories: [shipped, local]) }
            #expect(error?.problems == problems)
        }
    }

    @Test func `two playbooks of one id in one directory are a mistake`() throws {
        try withTemporaryDirectory("playbooks") { directory in
            try DurableFiles.create(directory / "a.yaml", playbook("a"))
            try DurableFiles.create(directory / "b.yaml", playbook("a"))
            let error = #expect(throws: PlaybookError.self) { try PlaybookLibrary.load(directories: [directory]) }
            #expect(error?.message.en == "\(directory)/b.yaml: the playbook id 'a' is taken in '\(directory)/a.yaml'")
        }
    }

    @Test func `in system mode a file that others may write is refused`() throws {
        try withTemporaryDirectory("playbooks") { directory in
            try DurableFiles.create(directory / "a.yaml", playbook("a"), mode: 0o666)
            let (library, problems) = PlaybookLibrary.survey(directories: [directory], checkOwner: true)
            #expect(library.playbooks.isEmpty)
            #expect(problems.map(\.code) == [.unsafeOwner])
        }
    }
}
