internal import ControlAPI
internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import IncidentCore
internal import NIOCore
internal import Platform

extension ControlFailure {
    /// The failure as it crosses the socket: texts in both languages, and the exit status it means.
    init(_ error: any Error) {
        let explained = error as? any ExplainedError
        self.init(
            message: BilingualText(explained?.message ?? Phrase(verbatim: escapedForDisplay("\(error)"))),
            hint: explained?.hint.map { BilingualText($0) }, exit: exitCode(of: error))
    }
}

/// A refusal of the control socket.
struct ControlRefusal: ExplainedError {
    let message: Phrase
    let hint: Phrase?
    let exit: ControlAPI.ExitCode
    let status: HTTPResponse.Status

    init(vi: String, en: String, hint: Phrase? = nil, _ exit: ControlAPI.ExitCode, _ status: HTTPResponse.Status) {
        message = Phrase(vi: vi, en: en)
        self.hint = hint
        self.exit = exit
        self.status = status
    }

    static func notFound(_ what: Phrase, _ name: String) -> ControlRefusal {
        let shown = escapedForDisplay(name)
        return ControlRefusal(vi: "không có \(what.vi) '\(shown)'", en: "there is no \(what.en) '\(shown)'", .notFound, .notFound)
    }
}

/// Encodes an answer as JSON.
func answer(_ value: some Encodable, _ status: HTTPResponse.Status = .ok, language: Language) throws -> Response {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let body = try encoder.encode(value) + [0x0A]
    var headers: HTTPFields = [.contentType: "application/json; charset=utf-8"]
    if let name = HTTPField.Name(Route.languageHeader) { headers[name] = language.rawValue }
    return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: body)))
}

/// Decodes the JSON body of a request; a larger one than the limit, or another shape, is refused with a reason.
func body<Value: Decodable>(_ request: Request, as type: Value.Type) async throws -> Value {
    let buffer: ByteBuffer
    do {
        buffer = try await request.body.collect(upTo: Route.maximumBodyBytes)
    } catch {
        throw ControlRefusal(
            vi: "yêu cầu lớn hơn \(Route.maximumBodyBytes) byte", en: "the request is larger than \(Route.maximumBodyBytes) bytes", .usage,
            .contentTooLarge)
    }
    do {
        return try JSONDecoder().decode(Value.self, from: Data(buffer.readableBytesView))
    } catch {
        throw ControlRefusal(
            vi: "nội dung yêu cầu không đúng dạng JSON mong đợi", en: "the request body is not the JSON that is expected",
            hint: Phrase(verbatim: escapedForDisplay("\(error)")), .usage, .badRequest)
    }
}

/// Turns every thrown error into a JSON answer; the only place where that happens.
struct FailureMiddleware: RouterMiddleware {
    let language: @Sendable () -> Language

    func handle(
        _ request: Request, context: ControlContext, next: (Request, ControlContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            let refusal = ControlRefusal(
                vi: "không có địa chỉ \(escapedForDisplay(request.uri.path))", en: "there is no route \(escapedForDisplay(request.uri.path))", .notFound,
                .notFound)
            return try answer(ControlFailure(refusal), .notFound, language: language())
        } catch {
            return try answer(ControlFailure(error), httpStatus(of: error), language: language())
        }
    }
}
