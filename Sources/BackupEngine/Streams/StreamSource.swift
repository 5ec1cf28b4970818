package import Platform

/// Makes the bytes of one entry when the run gets there.
package protocol StreamProducer: Sendable {
    /// Starts producing. Called once per run, on the thread that will read the stream to its end.
    func open(_ surroundings: StreamSurroundings) throws(StreamError) -> any ByteStream
}

/// An entry of the snapshot whose content is produced during the run: a dump, the output of a command, standard input.
package struct StreamSource: Sendable {
    /// Where it stands in the snapshot: absolute. What a walked directory has there is not stored.
    package var path: FilePath
    /// Further paths that are not stored, because the content of the stream already contains what they say.
    package var replacedPaths: [FilePath]
    /// True when the directories above exist in the snapshot only.
    package var isVirtual: Bool
    package var producer: any StreamProducer

    package init(path: FilePath, replacedPaths: [FilePath] = [], isVirtual: Bool = true, producer: any StreamProducer) {
        self.path = path.normalised
        self.replacedPaths = replacedPaths.map(\.normalised)
        self.isVirtual = isVirtual
        self.producer = producer
    }
}

/// What the failure of one producer means for the run.
package enum StreamFailure: Sendable {
    /// The run fails and saves no snapshot, as restic does with `--stdin-from-command`.
    case endsRun
    /// The entry is absent, the rest is saved, and the report is not complete.
    case leavesOut
}

extension Snapshot {
    /// The tag of a snapshot that lacks something that was asked for. Retention may refuse to count it.
    package static let incompleteTag = "incomplete"
}
