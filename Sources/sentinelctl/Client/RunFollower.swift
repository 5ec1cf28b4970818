internal import ControlAPI
internal import Platform

/// Follows a job, drill or scan that the daemon carries out, until it ends.
struct RunFollower {
    let client: ControlClient
    let interface: Interface

    /// Waits for the end of a run and shows its progress meanwhile.
    ///
    /// - Returns: The finished run; a failed one is thrown with the daemon's own words.
    func follow(_ start: RunAnswer) async throws -> RunAnswer {
        var answer = start
        var pauseMilliseconds = 50
        while answer.state == .running {
            try await Task.sleep(for: .milliseconds(pauseMilliseconds))
            pauseMilliseconds = min(pauseMilliseconds * 2, 500)
            answer = try await client.get(Route.run(start.id))
            let percent = answer.progress.map { "\(Int($0 * 100)) % " } ?? ""
            interface.progress("\(percent)\(answer.activity ?? "")")
        }
        interface.endProgress()
        if let failure = answer.failure { throw CommandFailure(failure) }
        return answer
    }
}
