internal import CYAML

/// What libyaml reports, reduced to the parts a tree needs.
enum YAMLEvent {
    case streamStart, streamEnd
    case documentStart, documentEnd
    case alias(name: String)
    case scalar(YAMLScalar, YAMLProperties)
    case sequenceStart(YAMLProperties)
    case mappingStart(YAMLProperties)
    case sequenceEnd, mappingEnd
}

/// The properties a node may carry; both must be absent in our files.
struct YAMLProperties {
    var anchor: String?
    var tag: String?
}

/// libyaml's event parser over bytes that outlive it.
///
/// Owns its `yaml_parser_t` and deletes it exactly once; every event is freed before the next is asked for.
@safe struct YAMLEventParser: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>  // never nil, no other owner
    private let input: UnsafeBufferPointer<UInt8>
    private let file: String

    /// - Parameter input: Must stay valid and unchanged as long as this value lives.
    init(_ input: UnsafeBufferPointer<UInt8>, file: String) throws(YAMLError) {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        guard unsafe yaml_parser_initialize(parser) == 1 else {
            unsafe parser.deallocate()  // no deinit runs for a value that never was
            throw Self.outOfMemory(file, line: 1)
        }
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, input.baseAddress, input.count)
        unsafe self.parser = unsafe parser
        unsafe self.input = unsafe input
        self.file = file
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
    }

    /// The next event and where it starts.
    mutating func next() throws(YAMLError) -> (event: YAMLEvent, position: YAMLPosition) {
        var raw = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &raw) == 1 else { throw failure() }
        defer { unsafe yaml_event_delete(&raw) }
        let mark = unsafe raw.start_mark
        return (event: unsafe translate(raw), position: YAMLPosition(line: mark.line + 1, column: mark.column + 1))
    }

    private func translate(_ raw: yaml_event_t) -> YAMLEvent {
        switch unsafe raw.type {
        case YAML_STREAM_START_EVENT: return .streamStart
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        case YAML_ALIAS_EVENT: return .alias(name: unsafe text(raw.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            let scalar = unsafe raw.data.scalar
            let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            // libyaml has checked the encoding, so nothing is replaced here.
            let value = YAMLScalar(
                text: unsafe String(decoding: bytes, as: UTF8.self), isPlain: unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE)
            return .scalar(value, YAMLProperties(anchor: unsafe text(scalar.anchor), tag: unsafe text(scalar.tag)))
        case YAML_SEQUENCE_START_EVENT:
            let start = unsafe raw.data.sequence_start
            return .sequenceStart(YAMLProperties(anchor: unsafe text(start.anchor), tag: unsafe text(start.tag)))
        case YAML_MAPPING_START_EVENT:
            let start = unsafe raw.data.mapping_start
            return .mappingStart(YAMLProperties(anchor: unsafe text(start.anchor), tag: unsafe text(start.tag)))
        default: return .streamEnd  // YAML_STREAM_END_EVENT, or YAML_NO_EVENT once the stream has ended
        }
    }

    private func text(_ pointer: UnsafeMutablePointer<UInt8>?) -> String? {
        guard let pointer = unsafe pointer else { return nil }
        return unsafe String(cString: pointer)
    }

    private func failure() -> YAMLError {
        let state = unsafe parser.pointee
        switch unsafe state.error {
        case YAML_MEMORY_ERROR: return Self.outOfMemory(file, line: unsafe Int(state.mark.line) + 1)
        case YAML_READER_ERROR:
            // The reader knows only an offset: the line is counted here.
            let offset = unsafe min(Int(clamping: state.problem_offset), input.count)
            let line = unsafe input[..<offset].count { $0 == UInt8(ascii: "\n") } + 1
            return YAMLError(.syntax, file: file, line: line, problem: YAMLProblem.phrase(unsafe String(cString: state.problem)))
        default:
            let problem = unsafe state.problem.map { unsafe String(cString: $0) } ?? "syntax error"
            let phrase = YAMLProblem.phrase(problem)
            return unsafe YAMLError(
                .syntax, file: file, line: Int(state.problem_mark.line) + 1, problem: phrase, hint: YAMLProblem.hint(problem))
        }
    }

    private static func outOfMemory(_ file: String, line: Int) -> YAMLError {
        YAMLError(.outOfMemory, file: file, line: line, problem: Phrase(vi: "không đủ bộ nhớ", en: "out of memory"))
    }
}
