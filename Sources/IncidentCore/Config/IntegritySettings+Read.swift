internal import Platform

extension IntegritySettings {
    static func read(_ value: DocumentValue) -> IntegritySettings? {
        guard var section = value.section() else { return nil }
        section.notAvailable("packages", "guard", "decoys")
        let watch = section.optional("watch")?.items()?.compactMap(WatchSetting.read) ?? []
        let rescan = section.optional("rescan").map { $0.schedule() } ?? standardRescan
        section.finish()
        reportOverlaps(watch)
        guard let rescan else { return nil }
        return IntegritySettings(watch: watch.map(\.setting), rescan: rescan)
    }

    /// A file under two settings would be reported twice, and the two could name different assets.
    private static func reportOverlaps(_ watch: [(setting: WatchSetting, value: DocumentValue)]) {
        for (index, later) in watch.enumerated() {
            for earlier in watch[..<index] {
                let line = earlier.value.position.line
                if later.setting.path == earlier.setting.path {
                    later.value.report(
                        .duplicate,
                        Phrase(
                            vi: "'\(later.setting.path)' đã được giám sát ở dòng \(line)",
                            en: "'\(later.setting.path)' is already watched in line \(line)"))
                } else if later.setting.path.isBelow(earlier.setting.path) || earlier.setting.path.isBelow(later.setting.path) {
                    later.value.report(
                        .contradiction,
                        Phrase(
                            vi: "'\(later.setting.path)' chồng lên '\(earlier.setting.path)' ở dòng \(line)",
                            en: "'\(later.setting.path)' overlaps '\(earlier.setting.path)' of line \(line)"),
                        hint: Phrase(vi: "giữ lại thư mục bao ngoài", en: "keep the outer directory"))
                } else if later.setting.name == earlier.setting.name {
                    later.value.report(
                        .duplicate,
                        Phrase(
                            vi: "tên '\(later.setting.name)' đã dùng ở dòng \(line)",
                            en: "the name '\(later.setting.name)' is taken in line \(line)"))
                }
            }
        }
    }
}

extension WatchSetting {
    static func read(_ value: DocumentValue) -> (setting: WatchSetting, value: DocumentValue)? {
        guard var section = value.section() else { return nil }
        section.notAvailable("guard", "decoys", "packages")
        let path = section.required("path")?.absolutePath()
        let name = section.optional("name").map { $0.name() }
        let asset = section.optional("asset")?.reference(to: .asset)
        let excludes = section.optional("exclude")?.items()?.compactMap { $0.line(maximumCharacters: 1000) } ?? []
        section.finish()
        guard let path, let chosen = name ?? path.description else { return nil }
        return (WatchSetting(name: chosen, path: path, asset: asset, excludes: excludes), value)
    }
}
