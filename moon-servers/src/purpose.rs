//! What a server is for, from which its settings follow.

/// What a server is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Tests: as fast as it goes. What it holds need not outlive it, so nothing is written before it has to be.
    Tests,
    /// Being killed: when a commit is answered, the operating system has what is needed to restore it. A server that is
    /// killed does not take the system's buffers with it, so nothing waits for the disk; what protects against pages that
    /// are written in part is on, as a kill may come between two halves of a page.
    Kills,
    /// Measurements: commits as for [`Kills`](Self::Kills), and caches as somebody would set them who has some millions
    /// of sales.
    Measurements,
}
