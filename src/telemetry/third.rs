//! Third parties, watchers and calls that the house makes, in figures. Every label has a bounded set of
//! values.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::figures::{Labels, count};
use crate::acd::event::Purpose;
use crate::id::SeatId;
use crate::switchboard::fact::{Object, Subject, TransferKind, TransferStep, What};
use crate::switchboard::request::Watching;

/// Watchers of one call that are told apart; later ones are not counted.
const WATCHERS_MAX: usize = 16;

/// The figures; handles are shared.
#[derive(Clone, Debug, Default)]
pub(super) struct ThirdFigures {
    transfers: Family<Labels, Counter>,
    offers: Family<Labels, Counter>,
    watchers: Family<Labels, Gauge>,
    outward: Family<Labels, Counter>,
    kept: Counter,
    settled: Family<Labels, Counter>,
    reasons: Family<Labels, Counter>,
}

/// Who watches one call, and how.
pub(super) type Watchers = Vec<(SeatId, Watching)>;

impl ThirdFigures {
    pub(super) fn register(&self, r: &mut Registry) {
        r.register(
            "transfers",
            "Steps of transfers and consultations, by how and to what: object emergency is 110, 119, 120, 122",
            self.transfers.clone(),
        );
        r.register("seat_offers_by_purpose", "Times a seat was rung, by why", self.offers.clone());
        r.register("watchers", "Seats that listen to calls, by how", self.watchers.clone());
        r.register("calls_outward", "Calls that the house or a clerk began", self.outward.clone());
        r.register("callbacks_kept", "Places kept for callers who hung up", self.kept.clone());
        r.register("callbacks_settled", "Kept places and missed calls, by outcome", self.settled.clone());
        r.register("survey_reasons", "Reasons for bad grades, by digit", self.reasons.clone());
    }

    /// Takes a fact in; `watchers` are those of its call.
    pub(super) fn apply(&self, what: &What, watchers: Option<&mut Watchers>) {
        match what {
            What::Transfer { kind, step, object, .. } => self.transfer(*kind, *step, object.as_ref()),
            What::SeatOffered { purpose, .. } => {
                let purpose = match purpose {
                    Purpose::Caller => "caller",
                    Purpose::Transfer => "transfer",
                    Purpose::Consult => "consult",
                    Purpose::Callback => "callback",
                };
                count(&self.offers, vec![("purpose", purpose.to_owned())]);
            }
            What::Watched { seat, how } => {
                if let Some(watchers) = watchers {
                    self.unwatched(watchers, |watcher| watcher == seat);
                    self.watched(watchers, seat, *how);
                }
            }
            What::Unwatched { seat } => {
                if let Some(watchers) = watchers {
                    self.unwatched(watchers, |watcher| watcher == seat);
                }
            }
            What::Closed { .. } => {
                if let Some(watchers) = watchers {
                    self.unwatched(watchers, |_| true);
                }
            }
            What::Outward { purpose, .. } => {
                count(&self.outward, vec![("purpose", purpose.word().to_owned())]);
            }
            What::CallbackKept { .. } => {
                self.kept.inc();
            }
            What::CallbackSettled { outcome } => {
                count(&self.settled, vec![("outcome", outcome.word().to_owned())]);
            }
            What::SurveyReason { digit, subject: Subject::Talk, .. } => {
                count(&self.reasons, vec![("digit", digit.min(&9).to_string())]);
            }
            _ => {}
        }
    }

    fn transfer(&self, kind: TransferKind, step: TransferStep, object: Option<&Object>) {
        let labels = vec![
            ("kind", kind.word().to_owned()),
            ("step", step.word().to_owned()),
            ("object", object.map_or("none", |object| object.kind.word()).to_owned()),
        ];
        count(&self.transfers, labels);
    }

    fn watched(&self, watchers: &mut Watchers, seat: &SeatId, how: Watching) {
        if watchers.len() < WATCHERS_MAX {
            watchers.push((seat.clone(), how));
            self.watchers.get_or_create(&vec![("how", how.word().to_owned())]).inc();
        }
    }

    fn unwatched(&self, watchers: &mut Watchers, is_it: impl Fn(&SeatId) -> bool) {
        watchers.retain(|(seat, how)| {
            let gone = is_it(seat);
            if gone {
                self.watchers.get_or_create(&vec![("how", how.word().to_owned())]).dec();
            }
            !gone
        });
    }
}
