internal import CLinux
internal import Glibc

/// Calls `body` with the NUL-terminated bytes of a name, without allocating for names of ordinary length.
@safe func withTerminated<Result>(_ name: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: name.count + 1) { buffer in
        // In bounds: the buffer holds one element more than the name.
        for index in 0..<name.count { unsafe buffer[index] = CChar(bitPattern: name[index]) }
        unsafe buffer[name.count] = 0
        // A buffer of at least one element has a base address.
        guard let base = buffer.baseAddress else { return withEmptyName(body) }
        return unsafe body(base)
    }
}

@safe private func withEmptyName<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    var terminator: CChar = 0
    return unsafe withUnsafePointer(to: &terminator) { unsafe body($0) }
}

/// A system call about one entry of an open directory. The error names the entry; the caller knows the directory.
///
/// The name must be one component: the calls of this folder never follow a path, so nothing can lead out of the directory.
@safe @discardableResult
func entryCall<Value: SignedInteger>(
    _ call: String, _ name: [UInt8], _ body: (UnsafePointer<CChar>) -> Value
) throws(SystemError) -> Value {
    if name.contains(FilePath.slash) || name.contains(0) || name.isEmpty {
        throw SystemError(call, EINVAL, subject: escapedForDisplay(name))
    }
    do throws(SystemError) {
        return try systemCall(call) { withTerminated(name) { unsafe body($0) } }
    } catch {
        throw SystemError(call, error.number, subject: escapedForDisplay(name))
    }
}
