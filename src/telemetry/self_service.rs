//! What callers do by themselves, and what they are told: look-ups by source and outcome, hot notices.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::figures::{Figures, Labels, count, short_spans};

/// How the names of notices' sounds begin.
const NOTICE: &str = "notice/";

/// The figures.
#[derive(Debug)]
pub(super) struct SelfService {
    look_ups: Family<Labels, Counter>,
    look_up_time: Histogram,
    notices: Gauge,
    notices_told: Counter,
}

impl SelfService {
    pub(super) fn new() -> Self {
        SelfService {
            look_ups: Family::default(),
            look_up_time: short_spans(),
            notices: Gauge::default(),
            notices_told: Counter::default(),
        }
    }

    pub(super) fn register(&self, r: &mut Registry) {
        r.register("look_ups", "Questions of flows, by source and outcome", self.look_ups.clone());
        r.register("look_up_seconds", "From a flow's question to its answer", self.look_up_time.clone());
        r.register("notices_in_force", "Hot notices that callers hear now", self.notices.clone());
        r.register("notices_told", "Times that a caller heard a hot notice begin", self.notices_told.clone());
    }

    /// A prompt began.
    pub(super) fn announced(&self, prompt: &str) {
        if prompt.starts_with(NOTICE) {
            self.notices_told.inc();
        }
    }
}

impl Figures {
    /// A source of look-ups was asked; `outcome` in one word, `took` where it was reached at all.
    pub fn looked_up(&self, source: &str, outcome: &'static str, took: Option<Duration>) {
        let labels = vec![("source", source.to_owned()), ("outcome", outcome.to_owned())];
        count(&self.self_service.look_ups, labels);
        if let Some(took) = took {
            self.self_service.look_up_time.observe(took.as_secs_f64());
        }
    }

    /// So many hot notices are in force.
    pub fn notices_in_force(&self, notices: usize) {
        self.self_service.notices.set(i64::try_from(notices).unwrap_or(i64::MAX));
    }
}
