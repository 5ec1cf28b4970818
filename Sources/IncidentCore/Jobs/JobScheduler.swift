package import Platform

/// Something that runs by a schedule.
package struct ScheduledJob: Sendable, Hashable {
    package let kind: JobKind
    package let name: String
    package let schedule: Schedule

    package init(kind: JobKind, name: String, schedule: Schedule) {
        self.kind = kind
        self.name = name
        self.schedule = schedule
    }
}

/// Kind and name of a scheduled job.
package struct JobKey: Sendable, Hashable {
    package let kind: JobKind
    package let name: String

    package init(kind: JobKind, name: String) {
        self.kind = kind
        self.name = name
    }
}

/// A run that should begin now.
package struct DueJob: Sendable, Hashable {
    package let kind: JobKind
    package let name: String
    /// The newest time of the schedule that has passed.
    package let scheduledFor: Timestamp
    /// Times of the schedule that passed before that one without a run, at most ``JobScheduler/countedMisses``. One run makes
    /// up for all of them.
    package let missed: Int
}

/// Says what is due. Holds nothing and looks at no clock: schedules, last starts and the time come in.
package struct JobScheduler: Sendable {
    package static let countedMisses = 1000

    package let jobs: [ScheduledJob]

    package init(jobs: [ScheduledJob]) { self.jobs = jobs }

    /// Backups, drills, prunes and rescans of a configuration.
    package init(_ configuration: Configuration) {
        jobs =
            configuration.backup.jobs.compactMap { job in
                job.schedule.map { ScheduledJob(kind: .backup, name: job.name, schedule: $0) }
            }
            + configuration.drills.compactMap { drill in
                drill.schedule.map { ScheduledJob(kind: .drill, name: drill.name, schedule: $0) }
            }
            + configuration.backup.repositories.compactMap { repository in
                repository.pruneSchedule.map { ScheduledJob(kind: .prune, name: repository.name, schedule: $0) }
            }
            + (configuration.integrity.watch.isEmpty
                ? [] : [ScheduledJob(kind: .scan, name: "integrity", schedule: configuration.integrity.rescan)])
    }

    /// The jobs whose time has come.
    ///
    /// - Parameters:
    ///   - lastStarts: When each last began, by whatever trigger. A job that never began counts from `since`; an `every`
    ///     schedule is then due at once, so that a new server has its first backup today.
    ///   - running: Not started a second time.
    ///   - since: When this installation began to watch its schedules: the first event of the ledger.
    package func due(
        lastStarts: [JobKey: Timestamp], running: Set<JobKey>, since: Timestamp, now: Timestamp, zone: ZoneRules = .local
    ) -> [DueJob] {
        jobs.compactMap { job in
            let key = JobKey(kind: job.kind, name: job.name)
            if running.contains(key) { return nil }
            if lastStarts[key] == nil, case .every = job.schedule.rule {
                return DueJob(kind: job.kind, name: job.name, scheduledFor: now, missed: 0)
            }
            var scheduled = job.schedule.next(after: lastStarts[key] ?? since, in: zone)
            guard scheduled <= now else { return nil }
            var missed = 0
            while missed < Self.countedMisses {
                let next = job.schedule.next(after: scheduled, in: zone)
                guard next <= now, next > scheduled else { break }
                scheduled = next
                missed += 1
            }
            return DueJob(kind: job.kind, name: job.name, scheduledFor: scheduled, missed: missed)
        }
    }

    /// When ``due(lastStarts:running:since:now:zone:)`` can next have something that it has not now; nil without schedules.
    package func nextTime(
        lastStarts: [JobKey: Timestamp], since: Timestamp, now: Timestamp, zone: ZoneRules = .local
    ) -> Timestamp? {
        jobs.map { job -> Timestamp in
            let base = lastStarts[JobKey(kind: job.kind, name: job.name)] ?? since
            return job.schedule.next(after: max(base, now), in: zone)
        }.min()
    }
}
