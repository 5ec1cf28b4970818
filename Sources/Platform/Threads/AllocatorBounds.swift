internal import CLinux

/// How the C library's allocator spends memory on speed.
package enum AllocatorBounds {
    /// Of `malloc.h`; these are macros there.
    private static let arenaLimit: Int32 = -8
    private static let mappingThreshold: Int32 = -3

    /// Keeps what a process with several threads holds near what it uses: at most two pools for all threads, and blocks of 1 MiB and more
    /// given back to the system at once. Without it a backup keeps about half as much again. For the whole process; a second call changes nothing.
    package static func tighten() {
        _ = sentinel_mallopt(arenaLimit, 2)
        _ = sentinel_mallopt(mappingThreshold, 1 << 20)
    }
}
