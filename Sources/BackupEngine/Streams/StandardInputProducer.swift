internal import Glibc
internal import Platform

/// What is piped into this process. Nothing at all is a failure: the program in front of the pipe has died.
package struct StandardInputProducer: StreamProducer {
    private let descriptor: Int32

    /// - Parameter descriptor: Stays open, and must stay so until the run has ended.
    package init(descriptor: Int32 = STDIN_FILENO) { self.descriptor = descriptor }

    package func open(_ surroundings: StreamSurroundings) throws(StreamError) -> any ByteStream {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        if copy < 0 { throw StreamError(SystemError("dup", errno)) }
        return Stream(FileDescriptor(owning: copy), surroundings.isCancelled)
    }

    private final class Stream: ByteStream {
        private let file: FileDescriptor
        private let isCancelled: () -> Bool
        private var isEmpty = true
        let metadata = StreamMetadata.none

        init(_ file: consuming FileDescriptor, _ isCancelled: @escaping () -> Bool) {
            self.file = file
            self.isCancelled = isCancelled
        }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws(StreamError) -> Int {
            do throws(SystemError) {
                while try !waitUntilReady(file.raw, for: .reading, until: Deadline(afterSeconds: 0.2)) {
                    if isCancelled() { throw SystemError("read", ECANCELED) }
                }
                let count = try unsafe file.read(into: buffer, path: "/dev/stdin")
                if count > 0 { isEmpty = false }
                return count
            } catch {
                throw StreamError(error)
            }
        }

        func finish() throws(StreamError) {
            if isEmpty { throw StreamError(Phrase(vi: "không có dữ liệu ở đầu vào chuẩn", en: "no data on standard input")) }
        }
    }
}
