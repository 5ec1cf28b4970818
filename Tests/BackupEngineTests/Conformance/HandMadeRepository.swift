import Glibc
import Platform
import TestSupport

@testable import BackupEngine

/// A repository written byte by byte, in every form that restic's format allows and our own writer never chooses.
///
/// Of the engine only the sealing is used; stock restic confirms that what is made here is a repository.
final class HandMadeRepository {
    /// How a blob lies in its pack.
    enum Form {
        /// As it is.
        case plain
        /// A zstd frame that does not say how much it holds, as restic's encoder makes of small inputs; raw blocks of at most 128 KiB.
        case frameWithoutSize
        /// A frame as libzstd makes it.
        case frame
        /// These bytes, whatever they are, said to be a frame.
        case given([UInt8])

        var isPlain: Bool { if case .plain = self { true } else { false } }
    }

    struct Blob {
        let type: String
        let content: [UInt8]
        var form: Form = .frame

        static func data(_ content: [UInt8], _ form: Form = .frame) -> Blob { Blob(type: "data", content: content, form: form) }
        static func tree(_ content: [UInt8], _ form: Form = .frame) -> Blob { Blob(type: "tree", content: content, form: form) }
        static func data(_ text: String, _ form: Form = .frame) -> Blob { data(Array(text.utf8), form) }
    }

    /// How a file that is no pack is written.
    enum Document {
        /// Without the prefix, as format 1 has it and format 2 allows.
        case rawJSON
        case framesWithoutSize
        case frame
    }

    let path: FilePath
    let version: Int
    private let master: MasterKey
    private var sealing: Sealing
    private var compressor: ZstdCompressor
    private typealias Placed = (blob: Blob, id: Digest, offset: Int, length: Int)
    private typealias Pack = (id: Digest, blobs: [Placed])
    private var packs: [Pack] = []

    init(_ path: FilePath, version: Int = 2, password: [UInt8] = storePassword) throws {
        self.path = path
        self.version = version
        let bytes = try SecureRandom.bytes(64)
        guard let master = MasterKey(encrypt: Array(bytes[0..<32]), k: Array(bytes[32..<48]), r: Array(bytes[48..<64])) else {
            throw Complaint("no key")
        }
        self.master = master
        sealing = try Sealing(master)
        compressor = try ZstdCompressor(level: 19)
        for folder in ["data", "index", "keys", "locks", "snapshots"] { try DurableFiles.makeDirectories(path / folder) }
        try addKey(password: password)
        // The polynomial of restic's own test vectors.
        let config = "{\"version\":\(version),\"id\":\"\(hexText(try SecureRandom.bytes(32)))\",\"chunker_polynomial\":\"25b468838dcb75\"}"
        try DurableFiles.create(path / "config", try sealing.seal(Array(config.utf8)), mode: 0o400)
    }

    /// A key file for one more password, at no cost.
    @discardableResult
    func addKey(password: [UInt8]) throws -> FilePath {
        let salt = try SecureRandom.bytes(64)
        let derived = try Scrypt.derive(password: password, salt: salt, parameters: Scrypt.Parameters(n: 16, r: 1, p: 1), byteCount: 64)
        guard let user = MasterKey(encrypt: Array(derived[0..<32]), k: Array(derived[32..<48]), r: Array(derived[48..<64])) else {
            throw Complaint("no key")
        }
        var userSealing = try Sealing(user)
        let json = """
            {"created":"2020-01-02T03:04:05Z","username":"ai đó","hostname":"nơi khác","kdf":"scrypt","N":16,"r":1,"p":1,\
            "salt":"\(Base64.encode(salt))","data":"\(Base64.encode(try userSealing.seal(masterJSON)))"}
            """
        return try store("keys", Array(json.utf8))
    }

    private var masterJSON: [UInt8] {
        let (k, r, encrypt) = (Base64.encode(master.k), Base64.encode(master.r), Base64.encode(master.encrypt))
        return Array("{\"mac\":{\"k\":\"\(k)\",\"r\":\"\(r)\"},\"encrypt\":\"\(encrypt)\"}".utf8)
    }

    // MARK: Packs

    /// Writes a pack of these blobs and remembers it for the next index.
    @discardableResult
    func addPack(_ blobs: [Blob]) throws -> FilePath {
        let (file, pack) = try assemble(blobs)
        packs.append(pack)
        let folder = path / "data" / String(pack.id.hex.prefix(2))
        try DurableFiles.makeDirectories(folder)
        try DurableFiles.create(folder / pack.id.hex, file, mode: 0o400)
        return folder / pack.id.hex
    }

    /// The plain text of the header of a pack.
    func header(of blobs: [Blob]) throws -> [UInt8] {
        var header: [UInt8] = []
        for blob in blobs {
            header.append((blob.type == "tree" ? 1 : 0) + (blob.form.isPlain ? 0 : 2))
            let length = try encoded(blob).count + 32
            header += littleEndian(length) + (blob.form.isPlain ? [] : littleEndian(blob.content.count)) + (try SHA256.hash(blob.content)).bytes
        }
        return header
    }

    private func assemble(_ blobs: [Blob], header: [UInt8]? = nil) throws -> (file: [UInt8], pack: Pack) {
        var file: [UInt8] = []
        var placed: [Placed] = []
        for blob in blobs {
            let sealed = try sealing.seal(encoded(blob))
            placed.append((blob: blob, id: try SHA256.hash(blob.content), offset: file.count, length: sealed.count))
            file += sealed
        }
        let sealedHeader = try sealing.seal(header ?? (try self.header(of: blobs)))
        file += sealedHeader + littleEndian(sealedHeader.count)
        return (file, (id: try SHA256.hash(file), blobs: placed))
    }

    private func encoded(_ blob: Blob) throws -> [UInt8] {
        switch blob.form {
        case .plain: blob.content
        case .frame: try compressor.compress(blob.content)
        case .frameWithoutSize: Self.frameWithoutSize(blob.content)
        case .given(let bytes): bytes
        }
    }

    /// RFC 8878: magic number, a descriptor without any flag, a window of 1 MiB, raw blocks, the last one marked.
    static func frameWithoutSize(_ content: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 10 << 3]
        var rest = content[...]
        repeat {
            let block = rest.prefix(128 << 10)
            rest = rest.dropFirst(block.count)
            let header = UInt32(block.count) << 3 | (rest.isEmpty ? 1 : 0)
            frame += (0..<3).map { UInt8(truncatingIfNeeded: header >> (8 * $0)) } + block
        } while !rest.isEmpty
        return frame
    }

    private func littleEndian(_ number: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }

    // MARK: Index, snapshot

    /// Writes an index of the packs added since the last one.
    func addIndex(_ form: Document = .frame) throws {
        try addDocument("index", indexText, form)
        packs = []
    }

    /// The text of an index of the packs added since the last one; the order of blobs in it is any.
    var indexText: String { "{\"packs\":[\(packs.map(Self.indexEntry).joined(separator: ","))]}\n" }

    private static func indexEntry(_ pack: Pack) -> String {
        let blobs = pack.blobs.reversed().map { placed in
            let size = placed.blob.form.isPlain ? "" : ",\"uncompressed_length\":\(placed.blob.content.count)"
            return "{\"id\":\"\(placed.id.hex)\",\"type\":\"\(placed.blob.type)\",\"offset\":\(placed.offset),\"length\":\(placed.length)\(size)}"
        }
        return "{\"id\":\"\(pack.id.hex)\",\"blobs\":[\(blobs.joined(separator: ","))]}"
    }

    /// Writes a snapshot of a tree.
    @discardableResult
    func addSnapshot(_ tree: Digest, paths: [String] = ["/nguồn"], _ form: Document = .frame) throws -> Digest {
        try addDocument("snapshots", Self.snapshotText(tree, paths: paths), form)
    }

    static func snapshotText(_ tree: Digest, paths: [String] = ["/nguồn"]) -> String {
        """
        {"time":"2024-02-29T23:59:59.5+07:00","tree":"\(tree.hex)","paths":[\(paths.map { "\"\($0)\"" }.joined(separator: ","))],\
        "hostname":"tay","username":"người","x_unknown":{"a":[1,2,{"b":null}]}}
        """
    }

    @discardableResult
    func addDocument(_ folder: String, _ text: String, _ form: Document) throws -> Digest {
        let plaintext = Array(text.utf8)
        let encoded =
            switch form {
            case .rawJSON: plaintext
            case .frame: [2] + (try compressor.compress(plaintext))
            // Several frames one after the other are one text.
            case .framesWithoutSize:
                [2] + Self.frameWithoutSize(Array(plaintext.prefix(7))) + Self.frameWithoutSize(Array(plaintext.dropFirst(7)))
            }
        return try addEncoded(folder, encoded)
    }

    /// Seals and stores what is already encoded, whether it makes sense or not.
    @discardableResult
    func addEncoded(_ folder: String, _ encoded: [UInt8]) throws -> Digest {
        let sealed = try sealing.seal(encoded)
        try store(folder, sealed)
        return try SHA256.hash(sealed)
    }

    @discardableResult
    private func store(_ folder: String, _ bytes: [UInt8]) throws -> FilePath {
        let file = path / folder / (try SHA256.hash(bytes)).hex
        try DurableFiles.create(file, bytes, mode: 0o400)
        return file
    }

    // MARK: Without fsync, for files that live as long as one run of a mutation test

    /// Seals and stores what is already encoded.
    func addFile(_ folder: String, _ encoded: [UInt8]) throws -> FilePath { try addRaw(folder, try sealing.seal(encoded)) }

    func addRaw(_ folder: String, _ bytes: [UInt8]) throws -> FilePath {
        let file = path / folder / (try SHA256.hash(bytes)).hex
        try writeLoosely(file, bytes)
        return file
    }

    /// A pack that no later index will list, with a header of any content, and the text of an index that lists it besides others.
    func addLoosePack(_ blobs: [Blob], header: [UInt8]? = nil, besides index: [UInt8]) throws -> (file: FilePath, index: [UInt8]) {
        let (bytes, pack) = try assemble(blobs, header: header)
        let folder = path / "data" / String(pack.id.hex.prefix(2))
        _ = unsafe folder.withCString { unsafe mkdir($0, 0o700) }
        try writeLoosely(folder / pack.id.hex, bytes)
        let others = String(decoding: index, as: UTF8.self).dropLast("]}\n".utf8.count)
        return (folder / pack.id.hex, Array("\(others),\(Self.indexEntry(pack))]}\n".utf8))
    }

    private func writeLoosely(_ path: FilePath, _ bytes: [UInt8]) throws {
        let file = try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        try file.writeAll(bytes, path: path)
    }
}

/// The text of a tree, written by hand.
enum HandMadeTree {
    static func file(_ name: String, _ contents: [[UInt8]], mode: UInt32 = 0o644) throws -> String {
        let ids = try contents.map { "\"\(try SHA256.hash($0).hex)\"" }.joined(separator: ",")
        let size = contents.reduce(0) { $0 + $1.count }
        return """
            {"name":"\(name)","type":"file","mode":\(mode),\(times),"uid":0,"gid":0,"inode":\(UInt64.max - 1),"size":\(size),"links":1,\
            "content":[\(ids)]}
            """
    }

    static func directory(_ name: String, _ subtree: [UInt8]) throws -> String {
        """
        {"name":"\(name)","type":"dir","mode":2147484141,\(times),"uid":0,"gid":0,"content":null,"subtree":"\(try SHA256.hash(subtree).hex)"}
        """
    }

    private static let times =
        "\"mtime\":\"2001-02-03T04:05:06.000000007+05:30\",\"atime\":\"2001-02-03T04:05:06Z\",\"ctime\":\"2001-02-03T04:05:06Z\""

    /// Nodes as they are given: in the order of their names.
    static func tree(_ nodes: [String]) -> [UInt8] { Array("{\"nodes\":[\(nodes.joined(separator: ","))]}\n".utf8) }
}
