/// A cheap look at content that is not worth a compressor: what is compressed or encrypted already.
enum Incompressible {
    /// Smaller blobs are compressed without a look.
    private static let smallestBytes = 64 * 1024
    private static let sampleBytes = 4096
    private static let samples = 4

    /// True when four samples use all byte values about equally often.
    ///
    /// For n random bytes the sum of the squared counts is n + n(n-1)/256, with a spread far below the margin of a sixteenth given here;
    /// text, programs and numbers lie at several times that. Content of repeated random pieces is missed, and stored plain.
    static func seemsSo(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if bytes.count < smallestBytes { return false }
        let stride = (bytes.count - sampleBytes) / (samples - 1)
        for sample in 0..<samples where unsafe !isUniform(UnsafeRawBufferPointer(rebasing: bytes[sample * stride..<sample * stride + sampleBytes])) {
            return false
        }
        return true
    }

    private static func isUniform(_ sample: UnsafeRawBufferPointer) -> Bool {
        var counts = InlineArray<256, UInt32>(repeating: 0)
        for index in 0..<sample.count { unsafe counts[Int(sample[index])] &+= 1 }
        var sum = 0
        for value in 0..<256 { sum += Int(counts[value]) * Int(counts[value]) }
        let expected = sample.count + sample.count * (sample.count - 1) / 256
        return sum <= expected + expected / 16
    }
}
