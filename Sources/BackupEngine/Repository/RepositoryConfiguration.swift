/// The content of the file `config`: fixed when the repository is made.
package struct RepositoryConfiguration: Sendable, Hashable {
    /// 1 or 2; only version 2 may hold compressed blobs.
    package let version: Int
    /// 64 hex digits, random.
    package let id: String
    /// Irreducible polynomial of degree 53 over GF(2) of restic's chunker. Ours does not use it; it seeds nothing secret.
    package let chunkerPolynomial: UInt64
}
