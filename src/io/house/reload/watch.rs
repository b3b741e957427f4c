//! Sees that a file of the plan or of one of its secrets has changed, or one has come that a pattern asks for.
//!
//! By looking at each of them once a second, not by the kernel's word of it: that word does not come from
//! network mounts and into containers, follows a file that an editor has renamed away, and has to be set
//! up anew for each file and folder. A look costs a `stat` a file.

use std::path::Path;
use std::time::Duration;

use tokio::sync::watch::Receiver;

use super::super::{Ask, Door};
use super::Wanted;
use crate::io::plan_files::{Mark, Marked, mark};
use crate::ledger::Trigger;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// For so long a reload that was asked for may take to say what it read, before it is asked for again.
const ANSWER: Duration = Duration::from_secs(60);

/// What is looked at.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Watched {
    /// Whether anything is.
    pub(in super::super) on: bool,
    /// Files of the plan.
    pub(in super::super) read: Vec<Marked>,
    /// Files of its secrets.
    pub(in super::super) secrets: Vec<Marked>,
}

impl Watched {
    pub(in super::super) fn of(on: bool, read: Vec<Marked>, secrets: Vec<Marked>) -> Self {
        Watched { on, read, secrets }
    }

    fn all(&self) -> impl Iterator<Item = &Marked> {
        self.read.iter().chain(&self.secrets)
    }

    fn marks(&self) -> Vec<Option<Mark>> {
        self.all().map(|(name, _)| mark(Path::new(name))).collect()
    }

    fn is_as_read(&self, marks: &[Option<Mark>]) -> bool {
        self.all().map(|(_, mark)| *mark).eq(marks.iter().copied())
    }
}

/// Looks until the house is gone. A change counts once two looks in a row saw the same: whoever writes a
/// file in pieces, or several files, is then done.
pub(in super::super) async fn watch(door: Door, mut known: Receiver<Watched>) {
    let mut seen = Vec::new();
    loop {
        tokio::time::sleep(LOOK).await;
        if known.has_changed().is_err() {
            return; // The house is gone.
        }
        let watched = known.borrow_and_update().clone();
        if !watched.on {
            continue;
        }
        let looked = tokio::task::spawn_blocking(move || {
            let marks = watched.marks();
            (watched.is_as_read(&marks), marks)
        });
        let Ok((as_read, marks)) = looked.await else { return }; // The runtime ends.
        if as_read {
            continue;
        }
        if seen != marks {
            seen = marks;
            continue;
        }
        if door.send(Ask::Reload(Wanted::files(Trigger::Watch))).is_err() {
            return;
        }
        let _ = tokio::time::timeout(ANSWER, known.changed()).await;
    }
}
