internal import ArgumentParser
internal import BackupEngine
internal import Platform

/// What is backed up and what is left out: restic's options.
struct SelectionOptions: ParsableArguments {
    @Option(name: [.customShort("e"), .long], help: ArgumentHelp(help("Bỏ qua theo mẫu (lặp lại được).", "Leave out what matches (repeatable).")))
    var exclude: [String] = []
    @Option(help: ArgumentHelp(help("Như --exclude, không phân biệt chữ hoa chữ thường.", "Like --exclude, without regard to case.")))
    var iexclude: [String] = []
    @Option(help: ArgumentHelp(help("Tệp chứa các mẫu bỏ qua.", "File with patterns to leave out."))) var excludeFile: [String] = []
    @Option(help: ArgumentHelp(help("Như --exclude-file, không phân biệt chữ hoa chữ thường.", "Like --exclude-file, without regard to case.")))
    var iexcludeFile: [String] = []
    @Flag(help: ArgumentHelp(help("Bỏ qua thư mục đệm có CACHEDIR.TAG.", "Leave out cache directories marked by CACHEDIR.TAG.")))
    var excludeCaches = false
    @Option(help: ArgumentHelp(help("Bỏ qua thư mục có tệp này: TÊN[:ĐẦU-TỆP].", "Leave out directories that hold this file: NAME[:HEADER].")))
    var excludeIfPresent: [String] = []
    @Option(help: ArgumentHelp(help("Bỏ qua tệp lớn hơn (k, M, G, T).", "Leave out files larger than this (k, M, G, T).")))
    var excludeLargerThan: String?
    @Option(help: ArgumentHelp(help("Đọc danh sách nguồn (mẫu) từ tệp; - là đầu vào chuẩn.", "Read sources (patterns) from a file; - is standard input.")))
    var filesFrom: [String] = []
    @Option(help: ArgumentHelp(help("Như --files-from, mỗi dòng một đường dẫn nguyên văn.", "Like --files-from, each line a path as it is.")))
    var filesFromVerbatim: [String] = []
    @Option(help: ArgumentHelp(help("Như --files-from, đường dẫn kết thúc bằng NUL.", "Like --files-from, paths end in NUL.")))
    var filesFromRaw: [String] = []
    @Flag(name: [.customShort("x"), .long], help: ArgumentHelp(help("Không sang hệ thống tệp khác.", "Stay on one file system.")))
    var oneFileSystem = false

    private static let listLimitBytes = 256 << 20

    /// The sources of the lists.
    ///
    /// - Parameter warn: Gets a pattern that names nothing.
    func listedSources(_ warn: (String) -> Void) throws -> [FilePath] {
        var result: [FilePath] = []
        for name in filesFrom {
            for pattern in SourceList.patterns(try content(name)) {
                let paths = try SourceList.expand(pattern)
                if paths.isEmpty { warn(pattern) }
                result += paths
            }
        }
        for name in filesFromVerbatim { result += SourceList.verbatim(try content(name)) }
        for name in filesFromRaw {
            guard let paths = SourceList.raw(try content(name)) else {
                throw CommandFailure(
                    vi: "'\(escapedForDisplay(name))': đường dẫn rỗng hoặc thiếu NUL ở cuối",
                    en: "'\(escapedForDisplay(name))': an empty path, or no NUL at the end")
            }
            result += paths
        }
        return result
    }

    func apply(to request: inout BackupRequest) throws {
        request.excludes = exclude
        request.unrecordedExcludes = try excludeFile.flatMap { try patterns($0) }
        request.caselessExcludes = try iexclude + iexcludeFile.flatMap { try patterns($0) }
        request.markers = excludeIfPresent.map { text in
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return EntrySelection.Marker(name: Array(parts[0].utf8), header: parts.count == 2 ? Array(parts[1].utf8) : [])
        }
        if request.markers.contains(where: { $0.name.isEmpty }) {
            throw CommandFailure(vi: "--exclude-if-present cần tên tệp", en: "--exclude-if-present needs the name of a file")
        }
        if excludeCaches { request.markers.append(.cache) }
        if let excludeLargerThan {
            guard let bytes = Self.bytes(excludeLargerThan) else {
                throw CommandFailure(
                    vi: "kích thước sai: '\(escapedForDisplay(excludeLargerThan))'", en: "no size: '\(escapedForDisplay(excludeLargerThan))'")
            }
            request.largestFileBytes = bytes
        }
        request.staysOnFileSystem = oneFileSystem
    }

    private func content(_ name: String) throws -> [UInt8] {
        if name != "-" { return try DurableFiles.read(FilePath(name), limit: Self.listLimitBytes) }
        return try FileDescriptor.open("/dev/stdin").readAll(limit: Self.listLimitBytes, path: "-")
    }

    /// The patterns of an exclude file, with variables of the environment replaced: `$NAME`, `${NAME}`, and `$$` for a dollar sign.
    private func patterns(_ name: String) throws -> [String] {
        SourceList.patterns(try content(name)).map(Self.expandingVariables)
    }

    static func expandingVariables(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let character = rest.popFirst() {
            guard character == "$" else {
                result.append(character)
                continue
            }
            if rest.first == "$" {
                rest.removeFirst()
                result.append("$")
            } else if rest.first == "{", let end = rest.firstIndex(of: "}") {
                result += environmentValue(String(rest[rest.index(after: rest.startIndex)..<end])) ?? ""
                rest = rest[rest.index(after: end)...]
            } else {
                let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
                rest = rest[name.endIndex...]
                result += name.isEmpty ? "$" : environmentValue(String(name)) ?? ""
            }
        }
        return result
    }

    /// `10M`, `2g`, `4096`: a number of bytes with restic's suffixes, of 1024 each.
    static func bytes(_ text: String) -> UInt64? {
        var digits = text[...]
        var shift: UInt64 = 0
        switch text.last {
        case "b", "B": digits.removeLast()
        case "k", "K": (shift, digits) = (10, text.dropLast())
        case "m", "M": (shift, digits) = (20, text.dropLast())
        case "g", "G": (shift, digits) = (30, text.dropLast())
        case "t", "T": (shift, digits) = (40, text.dropLast())
        default: break
        }
        guard let number = UInt64(digits) else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        return overflow ? nil : bytes
    }
}
