internal import CLinux
internal import Glibc

/// A server of our own: a child process that the kernel ends with the *thread* that started it.
package enum BoundProcess {
    /// Starts a program. It gets SIGTERM when the calling thread ends, reads nothing, and writes its standard error to `errors`.
    ///
    /// - Parameters:
    ///   - arguments: The absolute path of the program, then its arguments.
    ///   - environment: The whole environment.
    ///   - errors: An open descriptor; the child gets a duplicate.
    package static func start(
        _ arguments: [String], environment: [String: String], errors: Int32
    ) throws(SystemError) -> ChildProcess {
        guard let program = arguments.first else { throw SystemError("execve", EINVAL) }
        let null = FileDescriptor(owning: try systemCall("open", path: "/dev/null") { unsafe open("/dev/null", O_RDWR | O_CLOEXEC) })
        let pid = try systemCall("fork") {
            unsafe withCStrings(arguments) { argv in
                unsafe withCStrings(environment.map { "\($0.key)=\($0.value)" }) { envp in
                    unsafe sentinel_spawn_bound(program, argv, envp, null.raw, errors)
                }
            }
        }
        return ChildProcess(pid: pid)
    }

    /// The two ends of a pipe, close-on-exec; the caller owns both.
    package static func pipe() throws(SystemError) -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        try systemCall("pipe2") { unsafe sentinel_pipe(&ends) }
        return (ends[0], ends[1])
    }
}

/// Calls `body` with a NULL-terminated array of C strings that lives as long as the call.
func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count + 1)
    for (index, string) in strings.enumerated() { unsafe (pointers + index).initialize(to: strdup(string)) }
    unsafe (pointers + strings.count).initialize(to: nil)
    defer {
        for index in strings.indices { unsafe free(pointers[index]) }
        unsafe pointers.deallocate()
    }
    return unsafe body(pointers)
}
