internal import Glibc
internal import Platform

/// The upper part of a snapshot: the directories that lead to what is backed up, built from the paths alone, as restic builds it.
///
/// `/home/u` gives home -> u; a relative `src` stands at the root; two targets of one name from different places get `name-1`, `name-2`.
struct SourceTree {
    /// By the name in the snapshot.
    private(set) var children: [[UInt8]: SourceTree] = [:]
    /// What is backed up here with everything below it; nil for a directory that only leads on.
    private(set) var path: FilePath?
    /// What is stored here instead of ``path``.
    private(set) var stream: StreamSource?
    /// True for a directory that leads to streams only and exists in the snapshot alone.
    private(set) var isVirtual = false
    /// Where the metadata of a directory that only leads on comes from.
    private(set) var metadataPath: FilePath?
    /// Where a target of the first level starts: `/`, `.` or a chain of `..`.
    private var origin: FilePath?

    private static let parentName = Array("..".utf8)
    private static let namesLimit = 1 << 24

    private init() {}

    /// - Parameters:
    ///   - targets: Absolute or relative; `/`, `.` and `..` stand for the entries they hold.
    ///   - streams: What takes the place of files, whether a target holds such files or not.
    /// - Throws: `.invalidArgument` without targets or when two of them cannot stand in one tree, `.storage` when a directory cannot be listed.
    init(targets: [FilePath], streams: [StreamSource] = []) throws(RepositoryError) {
        if targets.isEmpty && streams.isEmpty || targets.contains(where: { $0.isEmpty }) {
            throw RepositoryError(.invalidArgument, Phrase(vi: "chưa nêu nguồn sao lưu", en: "nothing to back up was named"))
        }
        let replaced = Set(streams.flatMap { [$0.path] + $0.replacedPaths })
        var seen = replaced
        for target in targets {
            for resolved in try Self.resolve(target.normalised) where seen.insert(resolved).inserted { try add(resolved) }
        }
        for stream in streams { try add(stream) }
        try unroll(leavingOut: replaced)
    }

    /// Components of a normalised path without the `..` it may begin with.
    private static func components(_ path: FilePath) -> [[UInt8]] { Array(path.components.drop { $0 == parentName }) }

    private static func resolve(_ target: FilePath) throws(RepositoryError) -> [FilePath] {
        if !components(target).isEmpty { return [target] }
        return try names(in: target).map { target == "." ? FilePath(bytes: $0) : target.appending($0) }
    }

    private static func names(in directory: FilePath) throws(RepositoryError) -> [[UInt8]] {
        do {
            return try FileDescriptor.open(directory, O_RDONLY | O_DIRECTORY).sortedNames(limit: namesLimit)
        } catch {
            throw .storage(error)
        }
    }

    private mutating func add(_ stream: StreamSource) throws(RepositoryError) {
        guard stream.path.isAbsolute, let name = stream.path.components.last else {
            throw RepositoryError(
                .invalidArgument,
                Phrase(vi: "tên '\(stream.path)' không đặt được trong bản sao lưu", en: "'\(stream.path)' is no name for an entry of a snapshot"))
        }
        try add(stream, name, below: "/", stream.path.components.dropLast()[...])
    }

    private mutating func add(
        _ stream: StreamSource, _ name: [UInt8], below directory: FilePath, _ components: ArraySlice<[UInt8]>
    ) throws(RepositoryError) {
        guard let first = components.first else {
            if children[name] != nil { throw Self.conflict(stream.path.description, stream.path.description) }
            var child = SourceTree()
            child.origin = "/"
            child.stream = stream
            children[name] = child
            return
        }
        var child = children[first] ?? SourceTree()
        if child.stream != nil { throw Self.conflict(directory.appending(first).description, stream.path.description) }
        child.isVirtual = stream.isVirtual && (children[first].map { $0.isVirtual } ?? true)
        child.origin = "/"
        child.metadataPath = child.metadataPath ?? directory.appending(first)
        try child.add(stream, name, below: directory.appending(first), components.dropFirst())
        children[first] = child
    }

    private static func conflict(_ one: String, _ other: String) -> RepositoryError {
        RepositoryError(
            .invalidArgument,
            Phrase(
                vi: "hai nguồn trùng chỗ trong bản sao lưu: '\(one)' và '\(other)'",
                en: "two sources take the same place in the snapshot: '\(one)' and '\(other)'"))
    }

    private mutating func add(_ target: FilePath) throws(RepositoryError) {
        let components = Self.components(target)
        guard let first = components.first else { return }
        let leading = target.components.prefix { $0 == Self.parentName }
        let origin: FilePath =
            target.isAbsolute ? "/" : leading.isEmpty ? "." : FilePath(bytes: leading.joined(separator: [FilePath.slash]))
        var name = first
        var suffix = 0
        while let other = children[name], other.origin != origin {
            suffix += 1
            name = first + Array("-\(suffix)".utf8)
        }
        var child = children[name] ?? SourceTree()
        child.origin = origin
        if components.count == 1 {
            child.path = target
        } else {
            let place = origin == "." ? FilePath(bytes: first) : origin.appending(first)
            child.metadataPath = place
            try child.add(target, below: place, components.dropFirst())
        }
        children[name] = child
    }

    private mutating func add(
        _ target: FilePath, below directory: FilePath, _ components: ArraySlice<[UInt8]>
    ) throws(RepositoryError) {
        guard let name = components.first else { return }
        var child = children[name] ?? SourceTree()
        if components.count == 1 {
            child.path = target
        } else {
            let place = directory.appending(name)
            child.metadataPath = place
            try child.add(target, below: place, components.dropFirst())
        }
        children[name] = child
    }

    /// A target that has another target below it (`/srv` and `/srv/app`) becomes a directory of its entries, so that both meet in one tree.
    ///
    /// - Parameter replaced: Entries that are not stored, because a stream takes their place.
    private mutating func unroll(leavingOut replaced: Set<FilePath>) throws(RepositoryError) {
        if let directory = path, !children.isEmpty {
            for name in try Self.names(in: directory) {
                let entry = directory.appending(name)
                if let child = children[name] {
                    if child.stream != nil { continue }
                    if child.path == nil {
                        children[name]?.path = entry
                    } else if child.path != entry {
                        throw Self.conflict(child.path?.description ?? "", entry.description)
                    }
                } else if !replaced.contains(entry) {
                    var child = SourceTree()
                    child.path = entry
                    children[name] = child
                }
            }
            metadataPath = metadataPath ?? directory
            isVirtual = false
            path = nil
        }
        for name in Array(children.keys) {
            guard var child = children[name] else { continue }
            try child.unroll(leavingOut: replaced)
            children[name] = child
        }
    }
}
