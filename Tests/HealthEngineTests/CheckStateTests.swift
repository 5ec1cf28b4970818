internal import HealthEngine
internal import Platform
internal import Testing

@Suite struct CheckStateTests {
    private func check(down: Int = 3, up: Int = 2) -> HealthCheck {
        HealthCheck(name: "web", probe: .tcp(host: "h", port: 1), down: down, up: up, parent: "uplink")
    }

    /// Plays results, one a second from second 0: `+` success, `-` failure; `-f` and `-d` with a failing or fallen parent.
    /// Returns the transitions as `state@second of the result/since second/failures`.
    private func play(_ results: String, _ state: inout CheckState) -> [String] {
        var transitions: [String] = []
        var second: Int64 = 0
        for word in results.split(separator: " ") {
            let parent: CheckState.Parent = word.hasSuffix("f") ? .failing : word.hasSuffix("d") ? .down : .fine
            let result = ProbeResult(isUp: word.hasPrefix("+"), detail: Phrase(verbatim: "\(second)"))
            if let transition = state.record(result, at: Timestamp(seconds: second), parent: parent) {
                transitions.append("\(transition.state)@\(second)/\(transition.since.seconds)/\(transition.failures)")
                #expect(transition.detail.en == "\(second)")
            }
            second += 1
        }
        return transitions
    }

    private func play(_ results: String, down: Int = 3, up: Int = 2, known: HealthState = .unknown) -> [String] {
        var state = CheckState(check(down: down, up: up), known: known)
        return play(results, &state)
    }

    @Test(arguments: [
        // A new check that works says nothing.
        ("+ + + +", []),
        // Down at the third failure, since the first of them; reported once.
        ("+ - - - - -", ["down@3/1/3"]),
        // Never seen working: down all the same.
        ("- - -", ["down@2/0/3"]),
        // Too short to be told.
        ("+ - - + - - + - - +", []),
        // Recovery at the second success, since the first, once.
        ("+ - - - + + + +", ["down@3/1/3", "up@5/4/3"]),
        // A single success while down is no recovery, and the count begins again.
        ("- - - + - + - + +", ["down@2/0/3", "up@8/7/5"]),
        // Down, up, down.
        ("- - - + + - - -", ["down@2/0/3", "up@4/3/3", "down@7/5/3"]),
    ])
    func `thresholds decide`(_ results: String, _ expected: [String]) {
        #expect(play(results) == expected)
    }

    @Test func `thresholds of one react at once`() {
        #expect(play("+ - + -", down: 1, up: 1) == ["down@1/1/1", "up@2/2/1", "down@3/3/1"])
    }

    @Test(arguments: [
        // The parent is down: unreachable, once, never down.
        ("+ -d -d -d -d", ["unreachable@3/1/3"]),
        // The parent only fails so far: wait for what it becomes.
        ("+ -f -f -f -f -d", ["unreachable@5/1/5"]),
        // It was the check itself: the parent's success clears the way.
        ("+ -f -f -f -f -", ["down@5/1/5"]),
        // The parent came back and the check too: one recovery.
        ("+ -d -d -d + + +", ["unreachable@3/1/3", "up@5/4/3"]),
        // The parent came back, the check did not: counted anew.
        ("+ -d -d -d -d - - - -", ["unreachable@3/1/3", "down@7/5/3"]),
        // Back and forth of the parent starts the new count again.
        ("+ -d -d -d - - -d - - -", ["unreachable@3/1/3", "down@9/7/3"]),
        // Down on its own before the parent fell: stays down.
        ("- - - -d -d + +", ["down@2/0/3", "up@6/5/5"]),
    ])
    func `a parent that fails silences its children`(_ results: String, _ expected: [String]) {
        #expect(play(results) == expected)
    }

    @Test func `what was reported before a restart is taken up again`() {
        #expect(play("+ +", known: .down) == ["up@1/0/0"])
        #expect(play("- - - -", known: .down) == [])
        #expect(play("+ + +", known: .up) == [])
        #expect(play("+ +", known: .unreachable) == ["up@1/0/0"])
    }

    @Test func `a parent is failing with its first failure and down with its transition`() {
        var state = CheckState(check())
        #expect(state.asParent == .fine)
        _ = play("+", &state)
        #expect(state.asParent == .fine && state.state == .up)
        _ = play("-", &state)
        #expect(state.asParent == .failing && state.failuresInRow == 1)
        _ = play("- -", &state)
        #expect(state.asParent == .down && state.state == .down)
        _ = play("+", &state)
        #expect(state.asParent == .down)
        _ = play("+", &state)
        #expect(state.asParent == .fine && state.last?.isUp == true)
    }

    @Test func `status ranges are read strictly`() {
        let good: [(String, [Int], [Int])] = [
            ("2xx", [200, 204, 299], [199, 300]), ("200", [200], [201]), ("200-204, 301", [200, 204, 301], [205, 300]),
            ("4xx,503", [404, 503], [500]),
        ]
        for (text, inside, outside) in good {
            let range = HTTPStatusRange(text)
            #expect(range?.description == text)
            for status in inside { #expect(range?.contains(status) == true, "\(text) \(status)") }
            for status in outside { #expect(range?.contains(status) == false, "\(text) \(status)") }
        }
        for text in ["", "2x", "xx", "20", "2000", "0xx", "6xx", "204-200", "200-", "-200", "200,,201", "200-201-202", "٢٠٠", "+20", "200,"] {
            #expect(HTTPStatusRange(text) == nil, "\(text)")
        }
        #expect(HTTPStatusRange(200...204).description == "200-204")
    }
}
