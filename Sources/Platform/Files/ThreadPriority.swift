internal import Glibc

/// Priorities of the calling thread.
package enum ThreadPriority {
    /// Lets everything else go first: nice value 10. On Linux it holds for the thread alone.
    package static func lower() throws(SystemError) {
        try systemCall("setpriority") { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10) }
    }

    /// Sleeps; for threads of our own only.
    package static func pause(nanoseconds: UInt64) {
        var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        var rest = timespec()
        while unsafe nanosleep(&time, &rest) != 0 { time = rest }
    }

    /// Processors that this process may use.
    package static var processorCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}
