internal import Platform

/// An open file or directory that several places refer to; closed when the last of them lets go.
final class HeldDescriptor: Sendable {
    let descriptor: FileDescriptor

    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
}
