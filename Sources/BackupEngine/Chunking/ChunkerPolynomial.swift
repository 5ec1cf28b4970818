package import Platform

/// Arithmetic on polynomials over GF(2), kept in the bits of a `UInt64` (bit n is the coefficient of x^n),
/// and the choice of the polynomial a repository cuts its files with.
package enum ChunkerPolynomial {
    /// The degree restic gives every polynomial that it makes.
    package static let degree = 53

    /// A random irreducible polynomial of degree 53.
    ///
    /// As restic does it: eight random bytes, masked to 54 bits, bits 53 and 0 set, until it is irreducible
    /// (about one candidate in 27 is).
    package static func random() throws(CryptoError) -> UInt64 {
        while true {
            var candidate: UInt64 = 0
            for byte in try SecureRandom.bytes(8) { candidate = candidate << 8 | UInt64(byte) }
            candidate &= 1 << UInt64(degree + 1) - 1
            candidate |= 1 << UInt64(degree) | 1
            if isIrreducible(candidate) { return candidate }
        }
    }

    /// Ben-Or's test: no irreducible factor of degree i divides x^(2^i) - x for i up to half the degree.
    package static func isIrreducible(_ polynomial: UInt64) -> Bool {
        let degree = degree(of: polynomial)
        if degree < 1 { return false }
        if degree == 1 { return true }
        var power: UInt64 = 2  // x
        for _ in 1...degree / 2 {
            power = product(power, power, modulo: polynomial)
            if greatestCommonDivisor(polynomial, power ^ 2) != 1 { return false }
        }
        return true
    }

    /// -1 for the zero polynomial.
    static func degree(of polynomial: UInt64) -> Int { 63 - polynomial.leadingZeroBitCount }

    static func remainder(_ value: UInt64, modulo divisor: UInt64) -> UInt64 {
        var value = value
        let degreeOfDivisor = degree(of: divisor)
        while degree(of: value) >= degreeOfDivisor {
            value ^= divisor << UInt64(degree(of: value) - degreeOfDivisor)
        }
        return value
    }

    /// - Parameter modulus: Of degree 63 at most, so that one shift never loses a bit that counts.
    static func product(_ left: UInt64, _ right: UInt64, modulo modulus: UInt64) -> UInt64 {
        let top: UInt64 = 1 << UInt64(degree(of: modulus))
        var addend = remainder(left, modulo: modulus)
        var rest = right
        var sum: UInt64 = 0
        while rest != 0 {
            if rest & 1 == 1 { sum ^= addend }
            rest >>= 1
            addend <<= 1
            if addend & top != 0 { addend ^= modulus }
        }
        return sum
    }

    static func greatestCommonDivisor(_ left: UInt64, _ right: UInt64) -> UInt64 {
        var (left, right) = (left, right)
        while right != 0 { (left, right) = (right, remainder(left, modulo: right)) }
        return left
    }
}
