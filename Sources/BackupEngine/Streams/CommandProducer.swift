package import Platform

/// The standard output of a program: a dump, or whatever else a command prints. No shell is involved.
///
/// Exit status 0 and at least one byte make it good; a signal, a time limit or an empty output never do.
package struct CommandProducer: StreamProducer {
    /// Its time limit holds for the whole stream; its output limit for what is kept of standard error.
    package var request: CommandRequest
    /// Readable for the program as ``PipedCommand/secretPath`` and nowhere else.
    package var secret: [UInt8]?
    /// More output than this is a failure: a program gone wild must not fill the repository. nil: no limit.
    package var limitBytes: UInt64?

    package init(_ request: CommandRequest, secret: [UInt8]? = nil, limitBytes: UInt64? = nil) {
        self.request = request
        self.secret = secret
        self.limitBytes = limitBytes
    }

    package func open(_ surroundings: StreamSurroundings) throws(StreamError) -> any ByteStream {
        do throws(CommandError) {
            let command = try PipedCommand(request, secret: secret, isCancelled: surroundings.isCancelled)
            return CommandStream(command, name: request.programName, limitBytes: limitBytes, note: surroundings.note)
        } catch {
            throw StreamError(error.message, hint: error.hint)
        }
    }
}

/// One running program.
private final class CommandStream: ByteStream {
    /// Of standard error, in a message.
    private static let quotedCharacters = 600

    private let command: PipedCommand
    private let name: String
    private let limitBytes: UInt64?
    private let note: (Phrase) -> Void
    private var readBytes: UInt64 = 0

    let metadata = StreamMetadata.none

    init(_ command: PipedCommand, name: String, limitBytes: UInt64?, note: @escaping (Phrase) -> Void) {
        self.command = command
        self.name = name
        self.limitBytes = limitBytes
        self.note = note
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(StreamError) -> Int {
        let count: Int
        do throws(SystemError) {
            count = try unsafe command.read(into: buffer)
        } catch {
            throw StreamError(error)
        }
        readBytes += UInt64(count)
        if let limitBytes, readBytes > limitBytes {
            throw StreamError(
                Phrase(
                    vi: "lệnh '\(name)' in ra nhiều hơn giới hạn \(limitBytes) byte",
                    en: "command '\(name)' printed more than the limit of \(limitBytes) bytes"),
                hint: Phrase(vi: "nâng giới hạn trong cấu hình nếu là bình thường", en: "raise the limit in the configuration if that is right"))
        }
        return count
    }

    func finish() throws(StreamError) {
        let end: PipedCommand.End
        do throws(SystemError) {
            end = try command.finish()
        } catch {
            throw StreamError(error)
        }
        let said = quotation
        switch end {
        case .exited(.exited(0)):
            if readBytes == 0 {
                throw StreamError(Phrase(vi: "lệnh '\(name)' không in ra gì\(said)", en: "command '\(name)' printed nothing\(said)"))
            }
            if !said.isEmpty { note(Phrase(vi: "lệnh '\(name)'\(said)", en: "command '\(name)'\(said)")) }
        case .exited(let status):
            throw StreamError(
                Phrase(vi: "lệnh '\(name)' \(status.phrase.vi)\(said)", en: "command '\(name)' \(status.phrase.en)\(said)"))
        case .timedOut:
            throw StreamError(
                Phrase(vi: "lệnh '\(name)' quá thời hạn, đã bị dừng\(said)", en: "command '\(name)' exceeded its time limit and was ended\(said)"))
        case .cancelled: throw StreamError(Phrase(vi: "lệnh '\(name)' đã bị hủy", en: "command '\(name)' was cancelled"))
        }
    }

    /// What the program said on standard error, its end if it said much.
    private var quotation: String {
        let text = String(decoding: command.standardError, as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }
        let joined = lines.joined(separator: "; ")
        if joined.isEmpty { return "" }
        let tail = joined.count > Self.quotedCharacters ? "..." + joined.suffix(Self.quotedCharacters) : joined
        return ": " + escapedForDisplay(tail)
    }
}
