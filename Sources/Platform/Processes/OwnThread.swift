internal import CLinux
internal import Glibc

/// Blocking work on a thread of its own, away from the pool that runs Swift tasks.
package enum OwnThread {
    /// Starts a detached thread.
    ///
    /// - Parameter name: At most 15 bytes; longer names are cut.
    /// - Throws: EAGAIN when the system has no more threads to give.
    package static func start(
        name: String, stackBytes: Int = 1 << 20, _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        // Allocated, not a variable: its Swift initialiser lives in a module of the overlay that cannot be imported.
        let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
        defer { unsafe attributes.deallocate() }
        unsafe pthread_attr_init(attributes)
        defer { unsafe pthread_attr_destroy(attributes) }
        unsafe pthread_attr_setdetachstate(attributes, Int32(PTHREAD_CREATE_DETACHED))
        unsafe pthread_attr_setstacksize(attributes, stackBytes)
        // The new thread takes the reference over.
        let work = unsafe Unmanaged.passRetained(ThreadBody(name: name, body: body))
        var thread: pthread_t = 0
        let status = unsafe pthread_create(
            &thread, attributes,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, work.toOpaque())
        if status != 0 {
            unsafe work.release()
            throw SystemError("pthread_create", status, subject: name)
        }
    }

    /// Runs `body` on a new thread and suspends the caller until it returns, however long that takes.
    package static func run<Value: Sendable>(
        name: String, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try start(name: name) { continuation.resume(with: Result(catching: body)) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}

private final class ThreadBody: Sendable {
    private let name: String
    private let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }

    func run() {
        _ = unsafe name.withCString { unsafe sentinel_name_thread($0) }
        body()
    }
}
