/// Takes length-prefixed frames out of a byte stream.
///
/// A frame is its payload's length (4 bytes, big-endian, at most ``payloadLimitBytes``), then the payload, which may be empty.
/// Memory grows with the bytes that have come, never with the length that was only announced.
package struct FrameParser: Sendable {
    package static let payloadLimitBytes = 16 << 20
    package static let headerBytes = 4

    private var header: UInt32 = 0
    private var headerCount = 0
    private var payload: [UInt8] = []
    private var isBroken = false

    package init() {}

    /// How many bytes may be read without passing the end of the current frame; never 0.
    package var missingBytes: Int {
        headerCount < Self.headerBytes ? Self.headerBytes - headerCount : Int(header) - payload.count
    }

    /// True before the first byte of a frame: the stream may end here.
    package var isBetweenFrames: Bool { headerCount == 0 }

    /// Takes bytes from the front of `bytes`, up to the end of the current frame.
    ///
    /// - Returns: The payload when the frame is complete; nil when `bytes` was used up before.
    /// - Throws: `.oversized` for an announced length above the limit; again on every later call, as the stream has lost its place.
    package mutating func consume(_ bytes: inout ArraySlice<UInt8>) throws(ChannelError) -> [UInt8]? {
        if isBroken { throw ChannelError(.oversized) }
        while headerCount < Self.headerBytes {
            guard let byte = bytes.popFirst() else { return nil }
            header = header << 8 | UInt32(byte)
            headerCount += 1
        }
        if header > UInt32(Self.payloadLimitBytes) {
            isBroken = true
            throw ChannelError(.oversized)
        }
        let taken = bytes.prefix(Int(header) - payload.count)
        payload += taken
        bytes = bytes.dropFirst(taken.count)
        if payload.count < Int(header) { return nil }
        defer {
            header = 0
            headerCount = 0
            payload = []
        }
        return payload
    }

    /// The header of a frame with `count` bytes of payload.
    ///
    /// - Throws: `.oversized` above the limit.
    package static func header(payloadBytes count: Int) throws(ChannelError) -> [UInt8] {
        if count > payloadLimitBytes { throw ChannelError(.oversized) }
        return (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) }
    }
}
