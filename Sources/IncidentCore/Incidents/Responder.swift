package import Ledger

/// A person who acts, with what the control socket knows of them.
package struct Responder: Sendable, Equatable {
    package let actor: Actor
    /// True for members of the group that administers: they may skip mandatory steps and release holds.
    package let isAdministrator: Bool

    package init(actor: Actor, isAdministrator: Bool) {
        self.actor = actor
        self.isAdministrator = isAdministrator
    }
}
