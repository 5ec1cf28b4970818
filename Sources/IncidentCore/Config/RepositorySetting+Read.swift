internal import Platform

extension RepositorySetting {
    static func read(_ name: String, _ value: DocumentValue) -> RepositorySetting? {
        guard var section = value.section() else { return nil }
        var kinds: [String] = []
        for kind in ["path", "rest", "rclone"] where section.has(kind) { kinds.append(kind) }
        let path = (kinds.isEmpty ? section.required("path") : section.optional("path"))?.absolutePath()
        let rest = section.optional("rest")?.webAddress()
        let rclone = section.optional("rclone").flatMap(remote)
        let password = section.required("password").flatMap(SecretReference.read)
        let credential = section.optional("auth").flatMap(SecretReference.read)
        let authorities = section.optional("ca")?.absolutePath()
        let isAppendOnly = section.optional("appendOnly").map { $0.boolean() } ?? false
        let floor = section.optional("freeSpaceFloor").map(HealthCheckSetting.FreeSpace.read)
        let prune = section.optional("prune").map { $0.schedule() }
        let prunePosition = section.keyPosition("prune")
        let forRest = section.has("auth") ? "auth" : section.has("ca") ? "ca" : nil
        section.finish()
        if kinds.count > 1 {
            value.report(
                .contradiction, Phrase(vi: "cần đúng một trong các khóa path, rest, rclone", en: "exactly one of path, rest, rclone is needed"))
            return nil
        }
        if let forRest, kinds != ["rest"] {
            value.report(
                .contradiction, Phrase(vi: "khóa '\(forRest)' chỉ dùng cùng với 'rest'", en: "the key '\(forRest)' goes with 'rest' only"))
        }
        if kinds != ["path"], floor != nil {
            value.report(
                .contradiction,
                Phrase(vi: "khóa 'freeSpaceFloor' chỉ dùng cùng với 'path'", en: "the key 'freeSpaceFloor' goes with 'path' only"))
        }
        if isAppendOnly == true, prune != nil {
            value.problems.report(
                .contradiction, at: prunePosition,
                Phrase(
                    vi: "\(value.path): kho appendOnly không được dọn từ máy này", en: "\(value.path): an append-only repository is not pruned from this host"),
                hint: Phrase(vi: "cách dọn ở phía máy lưu trữ: docs/append-only.md", en: "see docs/append-only.md"))
        }
        let location = path?.utf8 ?? rest.map { "rest:\($0)\($0.hasSuffix("/") ? "" : "/")" } ?? rclone.map { "rclone:\($0)" }
        guard let location, let password, let isAppendOnly else { return nil }
        return RepositorySetting(
            name: name, location: location, path: path, password: password, credential: credential, authorities: authorities,
            isAppendOnly: isAppendOnly, freeSpaceFloor: floor ?? nil, pruneSchedule: prune ?? nil)
    }

    /// `REMOTE:PATH`, as rclone names it; a leading `-` would be an option.
    private static func remote(_ value: DocumentValue) -> String? {
        guard let text = value.line(maximumCharacters: 1000) else { return nil }
        if text.contains(":"), !text.hasPrefix("-"), !text.hasPrefix(":") { return text }
        value.report(
            .wrongValue, Phrase(vi: "'\(value.excerpt(text))' không phải kho rclone", en: "'\(value.excerpt(text))' is no remote of rclone"),
            hint: Phrase(vi: "viết TÊN:ĐƯỜNG-DẪN như trong 'rclone config'", en: "write REMOTE:PATH as 'rclone config' has it"))
        return nil
    }
}
