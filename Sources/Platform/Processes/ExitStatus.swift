internal import Glibc

/// How a process ended.
package enum ExitStatus: Sendable, Hashable, Codable, CustomStringConvertible {
    /// It called exit with this status, 0...255.
    case exited(Int32)
    /// This signal ended it.
    case signalled(Int32)

    /// - Parameter raw: The status word of waitpid(2).
    init(waitStatus raw: Int32) {
        let signal = raw & 0x7F
        self = signal == 0 ? .exited((raw >> 8) & 0xFF) : .signalled(signal)
    }

    package var isSuccess: Bool { self == .exited(0) }

    /// As a shell reports it: the status, or 128 + the signal.
    package var shellStatus: Int32 {
        switch self {
        case .exited(let status): status
        case .signalled(let signal): 128 + signal
        }
    }

    package var phrase: Phrase {
        switch self {
        case .exited(let status): Phrase(vi: "kết thúc với mã \(status)", en: "exited with status \(status)")
        case .signalled(let signal): Phrase(vi: "bị dừng bởi tín hiệu \(signal)", en: "ended by signal \(signal)")
        }
    }

    package var description: String { phrase.en }
}
