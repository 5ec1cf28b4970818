package import ControlAPI
package import Ledger
package import Platform

extension BilingualText {
    package init(_ phrase: Phrase) { self.init(vi: phrase.vi, en: phrase.en) }
    package var phrase: Phrase { Phrase(vi: vi, en: en) }
}

extension PlaybookAnswer {
    package init(_ playbook: Playbook) {
        self.init(
            id: playbook.id, version: playbook.versionText, title: BilingualText(playbook.title),
            description: BilingualText(playbook.description), legalNote: BilingualText(playbook.legalNote),
            offlineNote: playbook.offlineNote.map { BilingualText($0) }, triggers: playbook.triggers, digest: playbook.digest.hex,
            steps: playbook.steps.map { step in
                Step(
                    id: step.id, phase: BilingualText(step.phase.title), title: BilingualText(step.title),
                    instructions: BilingualText(step.instructions), role: BilingualText(step.role.title),
                    isMandatory: step.isMandatory, deadlineSeconds: step.deadlineSeconds,
                    evidence: step.evidence.map { BilingualText($0) }, next: step.next)
            })
    }
}

extension VerificationAnswer {
    package init(_ report: VerificationReport, key: String) {
        self.init(
            isIntact: report.isIntact, events: report.events, texts: report.texts, redactedTexts: report.redactedTexts,
            checkpoints: report.checkpoints, batches: report.batches, root: report.root.hex, verificationKey: key,
            problems: report.problems.map { BilingualText($0.message) }, problemCount: report.problemCount)
    }
}

extension EventAnswer {
    package init(_ event: Event) {
        self.init(
            sequence: event.sequence, moment: event.moment.rfc3339Local, kind: event.kind, subject: event.subject,
            actor: event.actor.name, texts: event.texts)
    }
}
