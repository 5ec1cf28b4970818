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
    /// Where the metadata of a directory that only leads on comes from.
    private(set) var metadataPath: FilePath?
    /// Where a target of the first level starts: `/`, `.` or a chain of `..`.
    private var origin: FilePath?

    private static let parentName = Array("..".utf8)
    private static let namesLimit = 1 << 24

    private init() {}

    /// - Parameter targets: Absolute or relative; `/`, `.` and `..` stand for the entries they hold.
    /// - Throws: `.invalidArgument` without targets or when two of them cannot stand in one tree, `.storage` when a directory cannot be listed.
    init(targets: [FilePath]) throws(RepositoryError) {
        if targets.isEmpty || targets.contains(where: { $0.isEmpty }) {
            throw RepositoryError(.invalidArgument, Phrase(vi: "chưa nêu nguồn sao lưu", en: "nothing to back up was named"))
        }
        var seen: Set<FilePath> = []
        for target in targets {
            for resolved in try Self.resolve(target.normalised) where seen.insert(resolved).inserted { try add(resolved) }
        }
        try unroll()
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
    private mutating func unroll() throws(RepositoryError) {
        if let directory = path, !children.isEmpty {
            for name in try Self.names(in: directory) {
                let entry = directory.appending(name)
                if let child = children[name] {
                    if child.path == nil {
                        children[name]?.path = entry
                    } else if child.path != entry {
                        let (one, other) = (child.path?.description ?? "", entry.description)
                        throw RepositoryError(
                            .invalidArgument,
                            Phrase(
                                vi: "hai nguồn trùng chỗ trong bản sao lưu: '\(one)' và '\(other)'",
                                en: "two sources take the same place in the snapshot: '\(one)' and '\(other)'"))
                    }
                } else {
                    var child = SourceTree()
                    child.path = entry
                    children[name] = child
                }
            }
            metadataPath = metadataPath ?? directory
            path = nil
        }
        for name in Array(children.keys) {
            guard var child = children[name] else { continue }
            try child.unroll()
            children[name] = child
        }
    }
}
