internal import Platform
internal import Synchronization

/// Asks a running backup, restore or check to stop. It may be raised from any thread, once; there is no way back.
package final class CancellationFlag: Sendable {
    private let isRaised = Atomic<Bool>(false)

    package init() {}

    package func cancel() { isRaised.store(true, ordering: .relaxed) }

    package var isCancelled: Bool { isRaised.load(ordering: .relaxed) }

    /// - Throws: `.interrupted` after ``cancel()``.
    package func check() throws(RepositoryError) {
        if isCancelled {
            throw RepositoryError(
                .interrupted, Phrase(vi: "đã dừng theo yêu cầu", en: "stopped on request"),
                hint: Phrase(
                    vi: "kho vẫn nguyên vẹn; lần chạy sau dùng lại những gì đã lưu",
                    en: "the repository is intact; the next run reuses what was stored"))
        }
    }
}
