internal import Glibc

/// Tree order: a directory, then everything below it, then its next sibling.
///
/// It is the bytewise order of the path with each `/` replaced by NUL, which no path contains; so a database can keep it as a key.
extension FilePath {
    /// The path with `/` replaced by NUL.
    package var treeKey: [UInt8] { bytes.map { $0 == Self.slash ? 0 : $0 } }

    /// The path of a key; nil when the key holds a slash.
    package init?(treeKey: [UInt8]) {
        if treeKey.contains(Self.slash) { return nil }
        bytes = treeKey.map { $0 == 0 ? Self.slash : $0 }
    }

    /// The keys of everything below the path, without itself.
    package var treeKeysBelow: Range<TreeKeyBound> {
        let prefix = bytes.last == Self.slash ? treeKey : treeKey + [0]
        // The root's children begin right after its own key.
        return TreeKeyBound(bytes: prefix + (bytes.last == Self.slash ? [1] : []))..<TreeKeyBound(bytes: Array(prefix.dropLast()) + [1])
    }

    package func precedesInTree(_ other: FilePath) -> Bool { treeOrder(other) < 0 }

    /// Negative when `self` comes first in tree order, 0 when both are equal.
    package func treeOrder(_ other: FilePath) -> Int {
        unsafe bytes.withUnsafeBufferPointer { left in
            unsafe other.bytes.withUnsafeBufferPointer { right in
                let common = min(left.count, right.count)
                var index = 0
                while index < common {
                    let (mine, theirs) = unsafe (left[index], right[index])
                    if mine != theirs {
                        return Int(mine == Self.slash ? 0 : mine) - Int(theirs == Self.slash ? 0 : theirs)
                    }
                    index += 1
                }
                return left.count - right.count
            }
        }
    }

    /// True when the path is `ancestor` or below it, by bytes: for two normalised paths, without an allocation.
    package func isInTree(of ancestor: FilePath) -> Bool {
        let count = ancestor.bytes.count
        if bytes.count < count { return false }
        return unsafe bytes.withUnsafeBufferPointer { mine in
            unsafe ancestor.bytes.withUnsafeBufferPointer { theirs in
                if count > 0, let left = mine.baseAddress, let right = theirs.baseAddress, unsafe memcmp(left, right, count) != 0 {
                    return false
                }
                return unsafe mine.count == count || theirs.last == Self.slash || mine[count] == Self.slash
            }
        }
    }

    /// The path of an entry: one allocation. `name` must hold neither NUL nor slash, as names from the kernel do not.
    package init(directory: FilePath, entry name: some Collection<UInt8>) {
        var joined: [UInt8] = []
        joined.reserveCapacity(directory.bytes.count + 1 + name.count)
        joined.append(contentsOf: directory.bytes)
        if joined.last != Self.slash { joined.append(Self.slash) }
        joined.append(contentsOf: name)
        bytes = joined
    }

    /// The bytes after the last slash; empty for `/`.
    package var lastComponent: ArraySlice<UInt8> {
        guard let slash = bytes.lastIndex(of: Self.slash) else { return bytes[...] }
        return bytes[(slash + 1)...]
    }

    /// Calls `body` with the NUL-terminated last component, `.` for the root: a name relative to the parent, on the stack.
    package func withLastComponent<Result, Failure: Error>(
        _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let name = lastComponent
        // The kernel takes names of at most 255 bytes; 4096 leaves room for its own answer (ENAMETOOLONG) to longer ones.
        var buffer = InlineArray<512, CChar>(repeating: 0)
        var span = buffer.mutableSpan
        if name.isEmpty { span[0] = 0x2E }
        for (index, byte) in name.prefix(511).enumerated() { span[index] = CChar(bitPattern: byte) }
        return try unsafe buffer.span.withUnsafeBufferPointer { (text) throws(Failure) -> Result in
            guard let base = text.baseAddress else { preconditionFailure("an inline array has an address") }
            return try unsafe body(base)
        }
    }
}

/// A border between tree keys.
package struct TreeKeyBound: Comparable, Sendable {
    package let bytes: [UInt8]
    package init(bytes: [UInt8]) { self.bytes = bytes }

    package static func < (left: TreeKeyBound, right: TreeKeyBound) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}
