internal import Platform

/// Collects problems while a file is read, so that a person sees all of them at once.
///
/// Used by one thread, for one file. Names are declared and referred to in any order; ``resolveReferences()`` compares them
/// at the end.
final class DocumentProblems {
    /// What a name stands for. Each kind has its own name space.
    enum NameKind: Hashable {
        case asset, repository, job, channel, check, person

        var title: Phrase {
            switch self {
            case .asset: Phrase(vi: "tài sản", en: "asset")
            case .repository: Phrase(vi: "kho sao lưu", en: "repository")
            case .job: Phrase(vi: "công việc sao lưu", en: "backup job")
            case .channel: Phrase(vi: "kênh thông báo", en: "notification channel")
            case .check: Phrase(vi: "phép kiểm tra", en: "health check")
            case .person: Phrase(vi: "người", en: "person")
            }
        }

        /// Where such a name is declared.
        var place: String {
            switch self {
            case .asset: "assets"
            case .repository: "backup.repositories"
            case .job: "backup.jobs"
            case .channel: "notify.channels"
            case .check: "health.checks"
            case .person: "team.people"
            }
        }
    }

    /// More problems than this are counted, not kept: a hostile file must not make a hostile report.
    static let maximumCount = 100

    let file: String
    private var found: [DocumentProblem] = []
    private var omittedCount = 0
    private var declared: [NameKind: Set<String>] = [:]
    private var references: [(kind: NameKind, name: String, context: String, position: YAMLPosition)] = []

    /// - Parameter file: The name of the file; escaped here.
    init(file: String) { self.file = escapedForDisplay(file) }

    func report(_ code: DocumentProblem.Code, at position: YAMLPosition?, _ problem: Phrase, hint: Phrase? = nil) {
        guard found.count < Self.maximumCount else {
            omittedCount += 1
            return
        }
        found.append(DocumentProblem(code, file: file, position: position, problem: problem, hint: hint))
    }

    func declare(_ kind: NameKind, _ name: String) { declared[kind, default: []].insert(name) }

    func refer(to kind: NameKind, _ name: String, in context: String, at position: YAMLPosition) {
        references.append((kind, name, context, position))
    }

    /// Reports every reference to a name that nothing declares.
    func resolveReferences() {
        for reference in references {
            let names = declared[reference.kind] ?? []
            if names.contains(reference.name) { continue }
            let title = reference.kind.title
            let name = escapedForDisplay(reference.name)
            report(
                .unknownName, at: reference.position,
                Phrase(
                    vi: "\(reference.context): không có \(title.vi) nào tên '\(name)'",
                    en: "\(reference.context): there is no \(title.en) named '\(name)'"),
                hint: Suggestion.hint(for: reference.name, among: names)
                    ?? Phrase(vi: "khai báo trong mục \(reference.kind.place)", en: "declare it in \(reference.kind.place)"))
        }
        references.removeAll()
    }

    /// The problems in the order of their lines.
    var sorted: [DocumentProblem] {
        var result = found.enumerated().sorted { left, right in
            let lines = (left.element.position?.line ?? 0, right.element.position?.line ?? 0)
            return lines.0 == lines.1 ? left.offset < right.offset : lines.0 < lines.1
        }.map(\.element)
        if omittedCount > 0 {
            result.append(
                DocumentProblem(
                    .tooLarge, file: file, position: nil,
                    problem: Phrase(vi: "và \(omittedCount) lỗi khác", en: "and \(omittedCount) more problems")))
        }
        return result
    }

    var isEmpty: Bool { found.isEmpty }
}
