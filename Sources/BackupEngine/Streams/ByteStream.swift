package import Platform

/// Something that yields the bytes of one entry, once, from its beginning to its end. Used by one thread.
package protocol ByteStream: AnyObject {
    /// What the entry looks like in the snapshot besides its content.
    var metadata: StreamMetadata { get }

    /// Reads at most `buffer.count` bytes, waiting for at least one; 0 at the end.
    ///
    /// - Throws: Also when the run was cancelled or the time of the producer is over; nothing can be read then any more.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(StreamError) -> Int

    /// Says, after the last byte, whether those bytes are everything: waits for the end of the producer.
    ///
    /// - Throws: When the producer failed. What was read is then worthless, however good it looks.
    func finish() throws(StreamError)
}

/// Mode, times and owner of an entry whose content is produced.
package enum StreamMetadata: Sendable {
    /// There is no such file: mode 0644, no owner, the time of the snapshot; as restic stores standard input.
    case none
    /// Those of a file that exists, such as the database of which a copy is stored.
    case file(FileStatus, [ExtendedAttribute])
}

/// Why a content could not be produced.
package struct StreamError: ExplainedError {
    package let message: Phrase
    package let hint: Phrase?

    package init(_ message: Phrase, hint: Phrase? = nil) {
        self.message = message
        self.hint = hint
    }

    package init(_ error: SystemError) { self.init(error.message, hint: error.hint) }
}

/// What a producer may use while it works.
package struct StreamSurroundings: Sendable {
    /// True as soon as the run is to end; asked several times a second.
    package let isCancelled: @Sendable () -> Bool
    /// Tells something that went wrong without making the content worthless, such as a warning of the program.
    package let note: @Sendable (Phrase) -> Void

    package init(
        isCancelled: @escaping @Sendable () -> Bool = { false }, note: @escaping @Sendable (Phrase) -> Void = { _ in }
    ) {
        self.isCancelled = isCancelled
        self.note = note
    }
}
