import BackupEngine
import Platform
import RemoteStorage
import Testing

@Suite struct LocationTests {
    @Test func `a path is a local directory`() throws {
        #expect(try RepositoryLocation("/srv/repo") == .local("/srv/repo"))
        #expect(try RepositoryLocation("local:/srv/repo") == .local("/srv/repo"))
    }

    @Test func `a REST address ends in a slash`() throws {
        #expect(try RepositoryLocation("rest:http://vault.example/a") == .rest("http://vault.example/a/"))
    }

    @Test func `storage that goes through rclone says so`() {
        #expect(throws: RepositoryError.self) { try RepositoryLocation("s3:host/bucket") }
    }
}
