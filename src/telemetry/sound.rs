//! How calls sounded: MOS, loss, jitter and round trip of each leg when it is over, by trunk and for all
//! seats together, and what was missing while two talked.
//!
//! At most [`TRUNKS_MAX`] trunks have figures of their own; later ones share the label `other`.

use std::collections::BTreeSet;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::figures::{Labels, count};
use crate::id::TrunkId;
use crate::switchboard::fact::{Missing, Party, Sound};

/// Trunks with figures of their own.
pub const TRUNKS_MAX: usize = 64;

type Histograms = Family<Labels, Histogram, fn() -> Histogram>;

/// The histograms; handles are shared.
#[derive(Clone, Debug)]
pub(super) struct SoundFigures {
    mos: Histograms,
    missed: Histograms,
    jitter: Histograms,
    round_trip: Histograms,
    missing: Family<Labels, Counter>,
}

/// Scores; below 3.6 many are dissatisfied (G.107 Annex B).
fn scores() -> Histogram {
    Histogram::new([1.5, 2.0, 2.6, 3.1, 3.6, 3.8, 4.0, 4.1, 4.2, 4.3, 4.4, 4.5])
}

/// Parts of 1.
fn parts() -> Histogram {
    Histogram::new([0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5])
}

/// Seconds: what a network does to a packet.
fn spans() -> Histogram {
    Histogram::new([0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0])
}

impl SoundFigures {
    pub(super) fn new() -> Self {
        let family = |constructor: fn() -> Histogram| Family::new_with_constructor(constructor);
        SoundFigures {
            mos: family(scores),
            missed: family(parts),
            jitter: family(spans),
            round_trip: family(spans),
            missing: Family::default(),
        }
    }

    pub(super) fn register(&self, r: &mut Registry) {
        r.register(
            "leg_mos",
            "E-model MOS of a leg, as we hear it (in) and as its own reports say (out)",
            self.mos.clone(),
        );
        r.register("leg_loss_ratio", "Packets of a leg that could not be heard, of 1", self.missed.clone());
        r.register("leg_jitter_seconds", "Mean interarrival jitter of a leg", self.jitter.clone());
        r.register("leg_round_trip_seconds", "Round trip of a leg by RTCP", self.round_trip.clone());
        r.register(
            "sound_missing",
            "Times that one of two who talked was not heard: mute, or one_way",
            self.missing.clone(),
        );
    }

    /// A leg that is over, of a trunk (by its label) or, without one, of a seat.
    pub(super) fn leg(&self, trunk: Option<&str>, sound: &Sound) {
        let side = if trunk.is_some() { "trunk" } else { "seat" };
        let labels = |direction: &'static str| {
            vec![
                ("side", side.to_owned()),
                ("trunk", trunk.unwrap_or_default().to_owned()),
                ("direction", direction.to_owned()),
            ]
        };
        if let Some(missed) = sound.missed() {
            self.observe(&labels("in"), sound.mos_x100, missed, sound.jitter_us);
        }
        if let Some((out, missed)) = sound.outbound.and_then(|out| Some((out, out.missed()?))) {
            self.observe(&labels("out"), out.mos_x100, missed, out.jitter_us);
        }
        if sound.round_trip_us > 0 {
            let mut labels = labels("");
            labels.pop();
            self.round_trip.get_or_create(&labels).observe(micros(sound.round_trip_us));
        }
    }

    fn observe(&self, labels: &Labels, mos_x100: u16, missed: f64, jitter_us: u32) {
        if mos_x100 > 0 {
            self.mos.get_or_create(labels).observe(f64::from(mos_x100) / 100.0);
        }
        self.missed.get_or_create(labels).observe(missed);
        self.jitter.get_or_create(labels).observe(micros(jitter_us));
    }

    pub(super) fn missing(&self, party: &Party, missing: Missing) {
        let what = match missing {
            Missing::Sound => "mute",
            Missing::Packets => "one_way",
            Missing::Nothing => return,
        };
        let party = match party {
            Party::Caller => "caller",
            Party::Seat { .. } => "seat",
            Party::Peer { .. } => "peer",
        };
        count(&self.missing, vec![("what", what.to_owned()), ("party", party.to_owned())]);
    }
}

fn micros(micros: u32) -> f64 {
    Duration::from_micros(micros.into()).as_secs_f64()
}

/// The trunks that have a label of their own.
#[derive(Debug, Default)]
pub(super) struct TrunkLabels(BTreeSet<TrunkId>);

impl TrunkLabels {
    pub(super) fn label(&mut self, trunk: &TrunkId) -> String {
        if !self.0.contains(trunk) {
            if self.0.len() >= TRUNKS_MAX {
                return "other".to_owned();
            }
            self.0.insert(trunk.clone());
        }
        trunk.as_str().to_owned()
    }
}
