internal import Glibc
package import Platform

/// A consistent copy of an SQLite database that other processes may be writing to.
///
/// The copy is made with SQLite's own backup interface in a private directory, never next to the database, and has no name there
/// while it is read. Mode, owner and times are those of the database.
package struct SQLiteProducer: StreamProducer {
    private let path: FilePath
    private let scratch: FilePath
    private let patienceSeconds: Double

    /// - Parameters:
    ///   - path: Absolute, without symbolic links on the way.
    ///   - scratch: A directory for the copy, made with mode 0700 when it is missing; needs the room of the database.
    ///   - patienceSeconds: How long a writer may keep the database locked.
    package init(path: FilePath, scratch: FilePath, patienceSeconds: Double = 60) {
        self.path = path
        self.scratch = scratch
        self.patienceSeconds = patienceSeconds
    }

    /// The entry of this database in a snapshot: under its own path, without the files that SQLite keeps beside it.
    package static func source(path: FilePath, scratch: FilePath, patienceSeconds: Double = 60) -> StreamSource {
        StreamSource(
            path: path, replacedPaths: LiveDatabase.companions(of: path), isVirtual: false,
            producer: SQLiteProducer(path: path, scratch: scratch, patienceSeconds: patienceSeconds))
    }

    package func open(_ surroundings: StreamSurroundings) throws(StreamError) -> any ByteStream {
        let metadata: StreamMetadata
        do throws(SystemError) {
            try DurableFiles.makeDirectories(scratch, mode: 0o700)
            // Before the copy: what changes meanwhile may or may not be in it, and the older time is the honest one.
            let parent = try FileDescriptor.openPath(path.parent)
            let status = try parent.statusOfEntry(path.name)
            guard status.kind == .file else {
                throw SystemError("open", status.kind == .symlink ? ELOOP : EINVAL, path: path)
            }
            let attributes = try ExtendedAttributes.all(ofEntry: path.name, in: parent).map(ExtendedAttribute.init)
            metadata = .file(status, attributes)
        } catch {
            throw StreamError(error)
        }
        do throws(DatabaseError) {
            return Stream(try LiveDatabase.copy(path, in: scratch, patienceSeconds: patienceSeconds, surroundings.isCancelled), path, metadata)
        } catch {
            throw StreamError(error.message, hint: Self.hint(error))
        }
    }

    private static func hint(_ error: DatabaseError) -> Phrase? {
        if error.isDamaged {
            return Phrase(
                vi: "nếu tệp không phải cơ sở dữ liệu SQLite (hoặc đã mã hóa), sao lưu bằng 'files'",
                en: "if this is no SQLite database, or an encrypted one, back it up by 'files'")
        }
        if error.isBusy {
            return Phrase(
                vi: "ứng dụng giữ khóa quá lâu; chạy vào giờ ít việc hoặc bật chế độ WAL",
                en: "its application holds the lock for too long; run at a quieter hour, or have it use WAL mode")
        }
        if error.isFull { return Phrase(vi: "giải phóng dung lượng cho thư mục tạm", en: "free space for the scratch directory") }
        return nil
    }

    private final class Stream: ByteStream {
        private let copy: FileDescriptor
        private let path: FilePath
        let metadata: StreamMetadata

        init(_ copy: consuming FileDescriptor, _ path: FilePath, _ metadata: StreamMetadata) {
            self.copy = copy
            self.path = path
            self.metadata = metadata
        }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws(StreamError) -> Int {
            do throws(SystemError) {
                return try unsafe copy.read(into: buffer, path: path)
            } catch {
                throw StreamError(error)
            }
        }

        func finish() throws(StreamError) {}
    }
}
