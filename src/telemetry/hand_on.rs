//! Matters that are handed on at once: how soon, and how often too late.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::figures::{Labels, count};
use crate::switchboard::fact::HandOn;

/// Bounds of the histogram, seconds.
const BUCKETS: [f64; 9] = [1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3_600.0];

/// The figures.
#[derive(Debug)]
pub(super) struct HandOnFigures {
    done: Family<Labels, Counter>,
    overdue: Family<Labels, Counter>,
    took: Histogram,
}

impl Default for HandOnFigures {
    fn default() -> Self {
        HandOnFigures { done: Family::default(), overdue: Family::default(), took: Histogram::new(BUCKETS) }
    }
}

impl HandOnFigures {
    pub(super) fn register(&self, r: &mut Registry) {
        r.register(
            "immediate_handed_on",
            "Matters to be handed on at once that were: by a call or a ticket, late or in time",
            self.done.clone(),
        );
        r.register(
            "immediate_overdue",
            "Matters to be handed on at once whose time ran out before they were",
            self.overdue.clone(),
        );
        r.register(
            "immediate_hand_on_seconds",
            "From the word what a call is about until it was handed on",
            self.took.clone(),
        );
    }

    pub(super) fn told(&self, told: &HandOn) {
        let by = ("by", told.by.word().to_owned());
        if told.handed {
            let late = ("late", told.late.to_string());
            count(&self.done, vec![by, late]);
            self.took.observe(Duration::from_millis(told.took_ms).as_secs_f64());
        } else {
            count(&self.overdue, vec![by]);
        }
    }
}
