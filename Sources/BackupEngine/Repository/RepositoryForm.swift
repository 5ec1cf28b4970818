internal import Platform

/// What is decided about a repository when it is made, and kept for good.
package struct RepositoryForm: Sendable {
    package enum Chunker: Sendable {
        /// A gear hash with a random key: fast, and chunk sizes say little to who lacks the key. Format 1 gets ``rabin`` instead.
        case gear
        /// restic's chunker with a random polynomial: what restic and we store of one file is the same.
        case rabin
        /// The same rule as another repository, so that copies between the two are deduplicated.
        case like(RepositoryConfiguration)
    }

    /// 1 or 2; 1 is without compression.
    package var version: Int
    package var chunker: Chunker

    package init(version: Int = 2, chunker: Chunker = .gear) {
        self.version = version
        self.chunker = chunker
    }

    func configuration() throws(CryptoError) -> RepositoryConfiguration {
        let polynomial: UInt64
        let rule: RepositoryConfiguration.Chunker
        switch chunker {
        // `restic migrate` rewrites the config of format 1 and drops what it does not know: there the rule would change unseen.
        case .gear where version < 2: (polynomial, rule) = (try ChunkerPolynomial.random(), .rabin)
        case .gear: (polynomial, rule) = (try ChunkerPolynomial.random(), .gear(key: try SecureRandom.bytes(GearTable.keyBytes)))
        case .rabin: (polynomial, rule) = (try ChunkerPolynomial.random(), .rabin)
        case .like(let other): (polynomial, rule) = (other.chunkerPolynomial, other.chunker)
        }
        return RepositoryConfiguration(
            version: version, id: hexText(try SecureRandom.bytes(32)), chunkerPolynomial: polynomial, chunker: rule)
    }
}
