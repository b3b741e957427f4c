//! Questions of flows, taken to the plan's sources and back.

use std::collections::BTreeMap;

use super::{Ask, House};
use crate::call::LookedUp;
use crate::id::{CallId, LookUpId};
use crate::io::look_up::Question;
use crate::switchboard::Input;

/// How a source that the plan does not have any more is named in figures.
const GONE: &str = "-";

impl House {
    /// Asks on the worker; an answer always comes.
    pub(super) fn look_up(
        &mut self,
        call: CallId,
        asked: u32,
        source: &LookUpId,
        by: BTreeMap<String, String>,
    ) {
        let line = self.board.line_of(call).cloned();
        let Some(asking) = self.look_ups.ask(source, Question { call, asked, line, by }) else {
            tracing::warn!(%call, %source, "the plan has no such look-up any more");
            self.metrics.figures().look_up_failed(GONE, "failed");
            let said = LookedUp::Failed;
            return self.board.handle_input(Input::LookedUp { call, asked, said }, self.setup.clock.now());
        };
        let (door, figures, source) = (self.door.clone(), self.metrics.figures().clone(), source.clone());
        self.worker.spawn(async move {
            let (said, failure) = asking.await;
            if let Some(why) = failure {
                figures.look_up_failed(source.as_str(), why);
            }
            let _ = door.send(Ask::Input(Input::LookedUp { call, asked, said }));
        });
    }
}
