package import Platform

/// All rules together: which of them, if any, a path belongs to. The deepest root wins; one path never belongs to two rules.
package struct RuleSet: Sendable {
    /// In tree order of their roots, each root once (the first rule given for it).
    package let rules: [WatchRule]
    private let indexOfRoot: [FilePath: Int]
    /// True when one root lies below another.
    let hasNestedRoots: Bool

    package init(_ given: [WatchRule]) {
        var seen: Set<FilePath> = []
        rules = given.filter { seen.insert($0.path).inserted }.sorted { $0.path.precedesInTree($1.path) }
        indexOfRoot = Dictionary(uniqueKeysWithValues: rules.enumerated().map { ($0.element.path, $0.offset) })
        var isNested = false
        for (left, right) in zip(rules, rules.dropFirst()) where right.path.isInTree(of: left.path) { isNested = true }
        hasNestedRoots = isNested
    }

    /// The rule of an entry whose directory belongs to `parent`; nil when it is left out.
    func rule(ofEntry path: FilePath, parent: Int?) -> Int? {
        if parent == nil || hasNestedRoots, let own = indexOfRoot[path] { return own }
        guard let parent, !rules[parent].excludes(path) else { return nil }
        return parent
    }

    /// True when a root lies strictly below `path`: the way there is walked even through what is left out.
    func hasRoot(below path: FilePath) -> Bool {
        hasNestedRoots && rules.contains { $0.path != path && $0.path.isInTree(of: path) }
    }

    /// The rule that an absolute, normalised path belongs to; nil when there is none or it is left out.
    package func rule(of path: FilePath) -> Int? {
        var best: Int?
        for (index, rule) in rules.enumerated() where path.isInTree(of: rule.path) { best = index }
        guard let best else { return nil }
        let rule = rules[best]
        if rule.excludes.isEmpty { return best }
        // Every directory between the root and the path may be the one that is left out.
        var end = rule.path.bytes.count
        while end < path.bytes.count {
            var next = end + 1
            while next < path.bytes.count, path.bytes[next] != FilePath.slash { next += 1 }
            if rule.excludes(FilePath(bytes: path.bytes[..<next])) { return nil }
            end = next
        }
        return best
    }
}
