internal import Platform

/// The content of the file `config`: fixed when the repository is made.
package struct RepositoryConfiguration: Sendable, Hashable {
    /// How files are cut into blobs. A repository keeps its rule for good: another one would store everything once more.
    package enum Chunker: Sendable, Hashable {
        /// restic's own, by ``RepositoryConfiguration/chunkerPolynomial``: blobs of restic and ours are the same.
        case rabin
        /// ``GearTable``, with its key of 32 bytes.
        case gear(key: [UInt8])

        /// The word in `config` and on the command line.
        package var name: String {
            switch self {
            case .rabin: "rabin"
            case .gear: "gear"
            }
        }
    }

    /// 1 or 2; only version 2 may hold compressed blobs.
    package let version: Int
    /// 64 hex digits, random.
    package let id: String
    /// Irreducible polynomial of degree 53 over GF(2) of restic's chunker; restic demands it, whatever ``chunker`` says.
    package let chunkerPolynomial: UInt64
    package let chunker: Chunker

    package init(version: Int, id: String, chunkerPolynomial: UInt64, chunker: Chunker = .rabin) {
        self.version = version
        self.id = id
        self.chunkerPolynomial = chunkerPolynomial
        self.chunker = chunker
    }

    /// The rule to cut files by.
    ///
    /// - Throws: `.unsupported` when the polynomial has a degree that nobody cuts with.
    package func cutRule() throws(RepositoryError) -> CutRule {
        switch chunker {
        case .rabin:
            guard let tables = RabinTables(polynomial: chunkerPolynomial) else {
                throw RepositoryError(
                    .unsupported,
                    Phrase(vi: "đa thức chia khối của kho không dùng được", en: "the chunker polynomial of the repository is unusable"))
            }
            return .rabin(tables)
        case .gear(let key):
            do throws(CryptoError) {
                return .gear(try GearTable(key: key))
            } catch {
                throw .crypto(error)
            }
        }
    }
}
