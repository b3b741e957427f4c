//! How the knowledge base answers clerks, and how long it takes.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::figures::{Figures, Labels, count};

/// The figures.
#[derive(Debug)]
pub(super) struct KbFigures {
    asked: Family<Labels, Counter>,
    took: Histogram,
    faults: Counter,
}

impl Default for KbFigures {
    fn default() -> Self {
        let spans = [0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];
        KbFigures { asked: Family::default(), took: Histogram::new(spans), faults: Counter::default() }
    }
}

impl KbFigures {
    pub(super) fn register(&self, r: &mut Registry) {
        let asked =
            "Questions of clerks to the knowledge base: answered, missing, busy, timeout, failed, or paced";
        r.register("kb_asked", asked, self.asked.clone());
        r.register(
            "kb_seconds",
            "Until the knowledge base answered a clerk, or failed to",
            self.took.clone(),
        );
        r.register("kb_errors_reported", "Articles that somebody found wrong", self.faults.clone());
    }
}

impl Figures {
    /// The knowledge base was asked: `answered`, `missing`, `busy`, `timeout` or `failed`, after so long.
    pub fn kb_asked(&self, outcome: &'static str, took: Duration) {
        count(&self.kb.asked, vec![("outcome", outcome.to_owned())]);
        self.kb.took.observe(took.as_secs_f64());
    }

    /// Somebody asked more often than they may, and the base was not asked.
    pub fn kb_paced(&self) {
        count(&self.kb.asked, vec![("outcome", "paced".to_owned())]);
    }

    /// An article was found wrong.
    pub fn kb_error_reported(&self) {
        self.kb.faults.inc();
    }
}
