internal import CLinux
internal import Glibc

/// A thread of our own for blocking work: files, hashing, compression. The shared pool is never blocked.
@safe package final class WorkerThread: Sendable {
    private let handle: Monitor<pthread_t?>

    /// Starts a thread that runs `body` once.
    ///
    /// - Parameter name: At most 15 bytes are shown by the system.
    /// - Throws: EAGAIN when the system has no thread left.
    package init(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let task = unsafe Unmanaged.passRetained(ThreadBody(name: name, run: body))
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                let body = unsafe Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue()
                _ = unsafe body.name.withCString { unsafe sentinel_set_thread_name($0) }
                body.run()
                return nil
            }, unsafe task.toOpaque())
        guard status == 0 else {
            unsafe task.release()
            throw SystemError("pthread_create", status)
        }
        handle = Monitor(thread)
    }

    deinit {
        if let thread = handle.read({ $0 }) { pthread_detach(thread) }
    }

    /// Waits for the end of the thread. A second call returns at once.
    package func join() {
        let thread = handle.read { handle in
            let thread = handle
            handle = nil
            return thread
        }
        if let thread { pthread_join(thread, nil) }
    }
}

private final class ThreadBody: Sendable {
    let name: String
    let run: @Sendable () -> Void
    init(name: String, run: @escaping @Sendable () -> Void) {
        self.name = name
        self.run = run
    }
}
