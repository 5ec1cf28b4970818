import BackupEngine
import Platform
import RemoteStorage
import Testing

@Suite struct LocationTests {
    private func rest(_ text: String) throws -> RestAddress {
        guard case .rest(let address) = try RepositoryLocation(text) else { throw RepositoryError(.invalidArgument, Phrase(verbatim: text)) }
        return address
    }

    @Test func `a path is a local directory`() throws {
        #expect(try RepositoryLocation("/srv/repo") == .local("/srv/repo"))
        #expect(try RepositoryLocation("local:/srv/repo") == .local("/srv/repo"))
    }

    @Test func `a REST address ends in a slash`() throws {
        #expect(try rest("rest:http://vault.example/a").description == "rest:http://vault.example/a/")
        #expect(try rest("rest:https://vault.example:8000").path == "/")
        #expect(try rest("rest:http://[::1]:8000/a/b/").authority == "[::1]:8000")
    }

    @Test func `a credential in an address is taken out and never printed`() throws {
        let address = try rest("rest:https://may:b%C3%AD%3Am%40t@vault.example:8000/kho")
        #expect(address.user == "may" && address.password == "bí:m@t")
        var dumped = ""
        dump(address, to: &dumped)
        let location = try RepositoryLocation("rest:https://may:b%C3%AD%3Am%40t@vault.example:8000/kho")
        for text in [address.description, "\(address)", String(reflecting: address), dumped, "\(location)", String(reflecting: location)] {
            #expect(!text.contains("m@t") && !text.contains("%40") && !text.contains("may"), "\(text)")
        }
    }

    @Test func `a unix socket has its path before the colon`() throws {
        let address = try rest("rest:http+unix:///run/rest.sock:/kho/")
        #expect(address.scheme == .unixSocket && address.authority == "/run/rest.sock" && address.path == "/kho/")
    }

    @Test(arguments: [
        "rest:", "rest:vault/a", "rest:ftp://vault/", "rest:http://", "rest:http:///a", "rest:http://vault:99999/", "rest:http://vault:x/", "rest:http://v/?a",
        "rest:http://v/#a", "rest:http://v /", "rest:http://v\r\nX: y/", "rest:http://may:%zz@v/", "rest:http+unix://:/a", "rclone:x", "rclone:-x:y", "",
        "local:",
        "rest:http://[::1/",
    ])
    func `malformed names are refused, without repeating a password`(_ name: String) {
        let error = failure { _ = try RepositoryLocation(name) }
        #expect(error?.code == .invalidArgument)
    }

    @Test func `storage that goes through rclone says so`() {
        #expect(failure { _ = try RepositoryLocation("s3:host/bucket") }?.code == .unsupported)
    }
}
