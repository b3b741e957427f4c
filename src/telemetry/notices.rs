//! What callers are told by the hour, why adapters of flows failed, and how many programs talk.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::figures::{Figures, Labels, count};

/// How the names of notices' sounds begin.
const NOTICE: &str = "notice/";

/// The figures.
#[derive(Debug, Default)]
pub(super) struct NoticeFigures {
    /// How flows' questions end is told by facts; why an adapter failed is known to nobody but `io`.
    failures: Family<Labels, Counter>,
    talks: Gauge,
    in_force: Gauge,
    told: Counter,
}

impl NoticeFigures {
    pub(super) fn register(&self, r: &mut Registry) {
        r.register(
            "look_up_failures",
            "Questions of flows that an adapter did not answer: failed, timeout, or busy with too many",
            self.failures.clone(),
        );
        r.register(
            "bot_talks_under_way",
            "Programs that talk with callers now, or are waited for",
            self.talks.clone(),
        );
        r.register("notices_in_force", "Hot notices that callers hear now", self.in_force.clone());
        r.register("notices_told", "Times that a caller heard a hot notice begin", self.told.clone());
    }

    /// A prompt began.
    pub(super) fn announced(&self, prompt: &str) {
        if prompt.starts_with(NOTICE) {
            self.told.inc();
        }
    }
}

impl Figures {
    /// A source of look-ups did not answer; why in one word.
    pub fn look_up_failed(&self, source: &str, why: &'static str) {
        count(&self.notices.failures, vec![("source", source.to_owned()), ("why", why.to_owned())]);
    }

    /// So many programs talk with callers, or are waited for.
    pub fn bots_talking(&self, talks: usize) {
        self.notices.talks.set(i64::try_from(talks).unwrap_or(i64::MAX));
    }

    /// So many hot notices are in force.
    pub fn notices_in_force(&self, notices: usize) {
        self.notices.in_force.set(i64::try_from(notices).unwrap_or(i64::MAX));
    }
}
