package import Platform

/// A file of a repository that is written piece by piece, before its name is known. It appears under its name whole, at ``commit(as:)``,
/// or never: letting go of an upload that was not committed discards it.
///
/// For one thread at a time.
package protocol Upload: AnyObject, Sendable {
    /// Adds bytes at the end. They are not kept in memory where the storage can take them at once.
    func append(_ bytes: UnsafeRawBufferPointer) throws(RepositoryError)
    /// Reads back what was added, all of `buffer`.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(RepositoryError)
    /// Gives the file its name, and returns when it would survive a power cut.
    ///
    /// - Parameter id: SHA-256 of everything that was added.
    func commit(as id: Digest) throws(RepositoryError)
}

extension Backend {
    /// Collects the file in memory and stores it as a whole: for storage that wants to know the name first.
    package func openUpload(_ type: FileType) throws(RepositoryError) -> any Upload { BufferedUpload(self, type) }
}

/// An upload in memory. `@unchecked Sendable`: used by one thread at a time, see ``Upload``.
final class BufferedUpload: Upload, @unchecked Sendable {
    private let backend: any Backend
    private let type: FileType
    private var bytes: [UInt8] = []

    init(_ backend: any Backend, _ type: FileType) {
        self.backend = backend
        self.type = type
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(RepositoryError) { unsafe self.bytes.append(contentsOf: bytes) }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(RepositoryError) {
        guard let start = Int(exactly: offset), start <= bytes.count, buffer.count <= bytes.count - start else { throw .shortUpload }
        unsafe bytes.withUnsafeBytes { bytes in unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + buffer.count])) }
    }

    func commit(as id: Digest) throws(RepositoryError) {
        try backend.save(type, id, bytes)
        bytes = []
    }
}

extension RepositoryError {
    /// An upload holds less than was added to it.
    static var shortUpload: RepositoryError {
        RepositoryError(.storage, Phrase(vi: "tệp đang ghi ngắn hơn những gì đã ghi", en: "a file under construction is shorter than what was written"))
    }
}
