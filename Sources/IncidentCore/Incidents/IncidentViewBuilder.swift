internal import Ledger
internal import Platform

/// Makes views of incidents out of the tables, the ledger and the preserved playbooks.
struct IncidentViewBuilder {
    let policy: ResponsePolicy
    let definitions: PlaybookDefinitions
    let now: Timestamp

    func summary(of row: IncidentRow, in database: Database) throws -> IncidentSummary {
        try summary(of: row, state: currentState(of: row, in: database))
    }

    private func summary(of row: IncidentRow, state: PlaybookRunState?) -> IncidentSummary {
        IncidentSummary(
            id: row.id, title: row.shownTitle, severity: row.severity, status: row.status, condition: row.condition,
            rule: row.rule, asset: row.asset, opened: viewTime(row.opened), updated: viewTime(row.updated),
            closed: row.closed.map { viewTime($0) }, closedByItself: row.isClosedByItself, assignee: row.assignee,
            findings: row.findings, files: row.files, playbook: state?.definition.id,
            next: row.status == .closed ? nil : state.flatMap { nextStep($0, openedAt: row.opened) })
    }

    func detail(of row: IncidentRow, in database: Database) throws -> IncidentDetail {
        var runs: [PlaybookRunView] = []
        var current: PlaybookRunState?
        for run in try PlaybookRuns.all(of: row.id, in: database) {
            let state = try state(of: row, run, in: database)
            runs.append(view(of: state, openedAt: row.opened))
            if run.superseded == nil { current = state }
        }
        let holds = try Holds.list(includingReleased: true, in: database).filter { $0.incident == row.id }
        return IncidentDetail(
            summary: summary(of: row, state: current), findings: try findings(of: row, in: database),
            timeline: try timeline(of: row, in: database), runs: runs, holds: holds,
            openMandatorySteps: current?.openMandatorySteps.map(\.id) ?? [])
    }

    func currentState(of row: IncidentRow, in database: Database) throws -> PlaybookRunState? {
        guard let run = try PlaybookRuns.current(of: row.id, in: database) else { return nil }
        return try state(of: row, run, in: database)
    }

    private func state(of row: IncidentRow, _ run: PlaybookRunRow, in database: Database) throws -> PlaybookRunState {
        PlaybookRunState(
            incident: row.id, run: run, definition: try definitions.definition(run.digest),
            rows: try PlaybookRuns.steps(of: row.id, run: run.run, in: database))
    }

    private func nextStep(_ state: PlaybookRunState, openedAt opened: Timestamp) -> NextStepView? {
        guard let step = state.current.first else { return nil }
        let deadline = state.deadline(of: step, openedAt: opened)
        return NextStepView(
            step: step.id, title: step.title, state: state.state(of: step), role: step.role, roleTitle: step.role.title,
            people: policy.configuration.team.people(in: step.role).map {
                ContactView(name: $0.name, fullName: $0.fullName, phone: $0.phone)
            }, deadline: deadline.map { viewTime($0) }, isOverdue: deadline.map { $0 < now } ?? false)
    }

    private func view(of state: PlaybookRunState, openedAt opened: Timestamp) -> PlaybookRunView {
        let playbook = state.definition
        return PlaybookRunView(
            run: state.run.run, playbook: playbook.id, version: playbook.versionText, title: playbook.title,
            digest: playbook.digest.hex, attached: viewTime(state.run.attached),
            superseded: state.run.superseded.map { viewTime($0) }, isFinished: state.isFinished, legalNote: playbook.legalNote,
            offlineNote: playbook.offlineNote,
            steps: playbook.steps.map { step in
                let row = state.rows[step.id]
                let stepState = state.state(of: step)
                let deadline = state.deadline(of: step, openedAt: opened)
                let isOver = stepState == .done || stepState == .skipped
                return StepView(
                    id: step.id, phase: step.phase, phaseTitle: step.phase.title, title: step.title,
                    instructions: step.instructions, evidence: step.evidence, role: step.role, roleTitle: step.role.title,
                    isMandatory: step.isMandatory, state: stepState, started: row?.started.map { viewTime($0) },
                    startedBy: row?.startedBy, ended: row?.ended.map { viewTime($0) }, endedBy: row?.endedBy,
                    deadline: deadline.map { viewTime($0) }, isOverdue: !isOver && (deadline.map { $0 < now } ?? false),
                    next: step.next)
            })
    }

    private func findings(of row: IncidentRow, in database: Database) throws -> [FindingView] {
        try IncidentTable.findings(
            of: row.id, first: IncidentDetail.firstFindings, newest: IncidentDetail.listLimit - IncidentDetail.firstFindings, in: database
        ).map { finding in
            let event = try EventTable.event(finding.sequence, in: database)
            let isErased = event?.isRedacted("items") ?? false
            return FindingView(
                sequence: finding.sequence, moment: viewTime(finding.moment), kind: finding.kind, severity: finding.severity,
                condition: finding.condition, subject: finding.subject, summary: finding.summary, files: finding.total,
                items: isErased ? nil : event?.text("items")?.split(separator: "\n").compactMap { FindingItem(line: $0) } ?? [],
                batch: finding.batch)
        }
    }

    private func timeline(of row: IncidentRow, in database: Database) throws -> [TimelineEntry] {
        // A busy incident has thousands of findings, which are listed apart: they must not crowd out what people did.
        var events: [Event] = []
        var last: Int64 = -1
        while true {
            let page = try EventTable.events(
                in: database, after: last, limit: EventTable.pageLimit, kinds: EventNarrative.timelineKinds, subject: row.id)
            events = (events + page).suffix(IncidentDetail.listLimit)
            guard page.count == EventTable.pageLimit, let newest = page.last else { break }
            last = newest.sequence
        }
        return events.map { event in
            let field = event.texts.keys.contains("note") ? "note" : "reason"
            return TimelineEntry(
                sequence: event.sequence, moment: viewTime(event.moment), kind: event.kind, actor: event.actor.name,
                summary: EventNarrative.summary(of: event), note: event.text(field), isNoteErased: event.isRedacted(field))
        }
    }
}
