//! What the house measures of itself about once a second: counts of states, tables and threads.
//!
//! Totals are kept where they arise, without cost per packet; here they are copied to be shown.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::figures::{Figures, Labels, snake};
use crate::sip::event::{TrunkNow, TurnedAway, WayFailed};

/// One queue at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueNow {
    /// Its name.
    pub queue: String,
    /// Callers in it, those for whom a seat rings too.
    pub waiting: u32,
    /// The longest wait of them.
    pub longest_wait: Duration,
    /// Places kept for callers who hung up.
    pub kept: u32,
    /// Whether it has more callers than usual.
    pub surging: bool,
}

/// The switchboard at a moment.
#[derive(Clone, Debug, Default)]
pub struct HouseNow<'a> {
    /// Calls under way by state; a state that nobody is in is named with 0.
    pub calls: Vec<(&'static str, usize)>,
    /// Seats by state, as with calls.
    pub seats: Vec<(&'static str, usize)>,
    /// Of those that are away, by what kind of reason.
    pub away: Vec<(&'static str, usize)>,
    /// All queues.
    pub queues: Vec<QueueNow>,
    /// RTP port pairs lent to legs.
    pub ports_in_use: usize,
    /// Rows of signalling's tables by name.
    pub sip_tables: Vec<(&'static str, usize)>,
    /// Of new calls, per mille, what signalling lets in.
    pub admitted_per_mille: u32,
    /// Requests turned away since the start.
    pub turned_away: Option<&'a BTreeMap<TurnedAway, u64>>,
    /// All trunks.
    pub trunks: Vec<TrunkNow>,
    /// Callers who found a meeting room full since the start.
    pub rooms_full: u64,
}

/// Totals of the media threads since the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct MediaTotals {
    /// Ticks served.
    pub ticks: u64,
    /// Ticks that began late.
    pub late_ticks: u64,
    /// Ticks left out.
    pub skipped_ticks: u64,
    /// Datagrams in.
    pub received: u64,
    /// Datagrams out.
    pub sent: u64,
    /// Datagrams too large.
    pub oversize: u64,
    /// Datagrams that the kernel would not take.
    pub send_failed: u64,
    /// Datagrams for which a tick had no room.
    pub outbox_full: u64,
    /// Orders that waited outside a full ring.
    pub orders_held: u64,
    /// Orders refused.
    pub orders_refused: u64,
    /// Facts that waited for room.
    pub facts_held: u64,
    /// Faults caught.
    pub faults: u64,
}

/// Totals of the recorder since the start, and how many recordings run.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecorderTotals {
    /// Recordings that run.
    pub running: u64,
    /// Frames for which the disk was too far behind.
    pub frames_refused: u64,
    /// Frames that the disk refused.
    pub frames_unwritten: u64,
    /// Recordings that could not be begun, or were gone.
    pub files_lost: u64,
    /// Files that could not be compressed, summed or entered into the manifest.
    pub files_unfiled: u64,
    /// Syncs put off.
    pub syncs_put_off: u64,
    /// Files entered into the manifest.
    pub files_filed: u64,
    /// Files put off because too many waited for that.
    pub files_put_off: u64,
    /// Files that were removed because their term was over.
    pub files_removed: u64,
    /// Their bytes.
    pub bytes_removed: u64,
    /// Files whose term was over and that could not be removed.
    pub removals_failed: u64,
    /// Calls whose recordings are due and still there, as of the last pass.
    pub overdue: u64,
    /// Calls whose recordings are under hold, as of the last pass.
    pub held: u64,
}

/// See the module's own words.
#[derive(Debug, Default)]
pub(super) struct Measured {
    calls: Family<Labels, Gauge>,
    seats: Family<Labels, Gauge>,
    away: Family<Labels, Gauge>,
    waiting: Family<Labels, Gauge>,
    longest_wait: Family<Labels, Gauge<f64, AtomicU64>>,
    kept: Family<Labels, Gauge>,
    surging: Family<Labels, Gauge>,
    ports_in_use: Gauge,
    sip_tables: Family<Labels, Gauge>,
    admitted: Gauge<f64, AtomicU64>,
    turned_away: Family<Labels, Counter>,
    trunks: [Family<Labels, Gauge>; TRUNKS.len()],
    rooms_full: Counter,
    trunk_attempts: Family<Labels, Counter>,
    keys_refused: Family<Labels, Counter>,
    ways_failed: Family<Labels, Counter>,
    media: [Counter; MEDIA.len()],
    recordings: Gauge,
    overdue: Gauge,
    held: Gauge,
    recorder: [Counter; RECORDER.len()],
    trace: [Counter; TRACE.len()],
}

/// What is shown of each trunk, in the order that `trunk_now` sets them.
const TRUNKS: [(&str, &str); 4] = [
    ("trunk_up", "1 while any hop of a trunk gives signs of life"),
    ("trunk_registered", "1 while we are registered at a trunk that wants it"),
    ("trunk_calls", "Sessions with a trunk, both ways"),
    ("trunk_full", "1 while a trunk has its most calls"),
];

/// Names of [`MediaTotals`], in the order of its fields.
const MEDIA: [(&str, &str); 12] = [
    ("media_ticks", "Media ticks served"),
    ("media_ticks_late", "Media ticks that began more than one period late"),
    ("media_ticks_skipped", "Media ticks left out after falling too far behind"),
    ("media_datagrams_received", "RTP and RTCP datagrams in"),
    ("media_datagrams_sent", "RTP and RTCP datagrams out"),
    ("media_datagrams_oversize", "Datagrams dropped because they were too large"),
    ("media_send_failures", "RTP and RTCP datagrams that the kernel would not take"),
    ("media_outbox_full", "RTP and RTCP datagrams for which a tick had no room"),
    ("media_orders_held", "Orders to media threads that waited outside a full ring"),
    ("media_orders_refused", "Legs refused because too many orders waited"),
    ("media_facts_held", "Facts of media threads that waited for room"),
    ("media_faults", "Faults caught in media ticks"),
];

/// Names of the sums in [`RecorderTotals`], alarming ones first.
const RECORDER: [(&str, &str); 10] = [
    ("recorder_frames_refused", "Frames lost because the disk was too far behind"),
    ("recorder_frames_unwritten", "Frames lost because the disk refused them"),
    ("recorder_files_lost", "Recordings that could not be begun or were gone at the end"),
    ("recorder_files_unfiled", "Recordings' files that could not be compressed, summed or filed"),
    ("recorder_removals_failed", "Recordings' files whose term was over and that could not be removed"),
    ("recorder_syncs_put_off", "Syncs of recordings put off because the disk was too slow"),
    ("recorder_files_filed", "Recordings' files summed and entered into the manifest"),
    ("recorder_files_put_off", "Recordings' files put off because too many waited to be filed"),
    ("recorder_files_removed", "Recordings' files removed because their term was over"),
    ("recorder_bytes_removed", "Bytes of recordings' files removed because their term was over"),
];

/// What becomes of SIP messages in the trace.
const TRACE: [(&str, &str); 5] = [
    ("trace_messages", "SIP messages kept in the trace"),
    ("trace_messages_refused", "SIP messages not traced because too many waited"),
    ("trace_messages_unwritten", "SIP messages that the disk would not take"),
    ("trace_copies", "SIP messages copied to the HEP collector"),
    ("trace_copies_lost", "Copies that could not be sent to the HEP collector"),
];

impl Measured {
    pub(super) fn register(&self, r: &mut Registry) {
        r.register("calls", "Calls under way, by state", self.calls.clone());
        r.register("seats", "Seats, by state", self.seats.clone());
        r.register("seats_away", "Seats that are away, by why", self.away.clone());
        r.register("queue_length", "Callers in a queue", self.waiting.clone());
        r.register(
            "queue_longest_wait_seconds",
            "The longest wait of those in a queue",
            self.longest_wait.clone(),
        );
        r.register(
            "queue_places_kept",
            "Places in a queue of callers who hung up and are called back",
            self.kept.clone(),
        );
        r.register("queue_surge", "1 while a queue has more callers than usual", self.surging.clone());
        r.register("rtp_ports_in_use", "RTP port pairs lent to legs", self.ports_in_use.clone());
        r.register("sip_table_rows", "Rows of signalling's tables", self.sip_tables.clone());
        r.register(
            "calls_admitted_share",
            "Share of new calls that is let in: below 1 there is more to do than can be done",
            self.admitted.clone(),
        );
        r.register(
            "requests_turned_away",
            "Requests refused at the door, by reason",
            self.turned_away.clone(),
        );
        for ((name, help), gauge) in TRUNKS.iter().zip(&self.trunks) {
            r.register(*name, *help, gauge.clone());
        }
        r.register(
            "meeting_rooms_full",
            "Callers refused because their meeting room was full",
            self.rooms_full.clone(),
        );
        r.register("trunk_attempts", "INVITEs that went out by a trunk", self.trunk_attempts.clone());
        let refused = "Calls in which a trunk took no keys by INFO";
        r.register("trunk_keys_refused", refused, self.keys_refused.clone());
        r.register("trunk_ways_failed", "Ways passed over or lost, by reason", self.ways_failed.clone());
        for ((name, help), counter) in MEDIA
            .iter()
            .zip(&self.media)
            .chain(RECORDER.iter().zip(&self.recorder))
            .chain(TRACE.iter().zip(&self.trace))
        {
            r.register(*name, *help, counter.clone());
        }
        r.register("recordings_running", "Recordings that run", self.recordings.clone());
        let overdue = "Calls whose recordings are due and still there, as of the last pass";
        r.register("recordings_overdue", overdue, self.overdue.clone());
        let held = "Calls whose recordings are under hold, as of the last pass";
        r.register("recordings_held", held, self.held.clone());
    }
}

impl Figures {
    /// The trace so far: kept, refused, unwritten, copied, copies lost.
    pub fn trace_totals(&self, totals: [u64; TRACE.len()]) {
        self.measured.trace.iter().zip(totals).for_each(|(counter, total)| set(counter, total));
    }

    /// The switchboard, as it is now.
    pub fn house_now(&self, now: &HouseNow<'_>) {
        let measured = &self.measured;
        set_all(&measured.calls, "state", &now.calls);
        set_all(&measured.seats, "state", &now.seats);
        set_all(&measured.away, "why", &now.away);
        set_all(&measured.sip_tables, "table", &now.sip_tables);
        for queue in &now.queues {
            let labels = || vec![("queue", queue.queue.clone())];
            measured.waiting.get_or_create(&labels()).set(queue.waiting.into());
            measured.longest_wait.get_or_create(&labels()).set(queue.longest_wait.as_secs_f64());
            measured.kept.get_or_create(&labels()).set(queue.kept.into());
            measured.surging.get_or_create(&labels()).set(queue.surging.into());
        }
        measured.ports_in_use.set(whole(now.ports_in_use));
        measured.admitted.set(f64::from(now.admitted_per_mille) / 1_000.0);
        for (why, total) in now.turned_away.into_iter().flatten() {
            let labels = vec![("reason", snake(&format!("{why:?}")))];
            set(&measured.turned_away.get_or_create(&labels), *total);
        }
        set(&measured.rooms_full, now.rooms_full);
        now.trunks.iter().for_each(|trunk| self.trunk_now(trunk));
    }

    fn trunk_now(&self, trunk: &TrunkNow) {
        let measured = &self.measured;
        let named = || vec![("trunk", trunk.trunk.to_string())];
        let shown = [
            Some(i64::from(trunk.up)),
            trunk.registered.map(i64::from),
            Some(i64::from(trunk.calls)),
            Some(i64::from(trunk.full)),
        ];
        for (gauge, value) in measured.trunks.iter().zip(shown) {
            if let Some(value) = value {
                gauge.get_or_create(&named()).set(value);
            }
        }
        set(&measured.trunk_attempts.get_or_create(&named()), trunk.attempts);
        set(&measured.keys_refused.get_or_create(&named()), trunk.keys_refused);
        for (why, total) in WayFailed::ALL.iter().zip(trunk.failed).filter(|(_, total)| *total > 0) {
            let mut labels = named();
            labels.push(("reason", snake(&format!("{why:?}"))));
            set(&measured.ways_failed.get_or_create(&labels), total);
        }
    }

    /// The media threads so far. A new fault, or a leg refused, is an alarm.
    pub fn media_totals(&self, totals: &MediaTotals) {
        let MediaTotals { ticks, late_ticks, skipped_ticks, received, sent, oversize, .. } = *totals;
        let MediaTotals { send_failed, outbox_full, orders_held, orders_refused, .. } = *totals;
        let MediaTotals { facts_held, faults, .. } = *totals;
        let in_order = [
            ticks,
            late_ticks,
            skipped_ticks,
            received,
            sent,
            oversize,
            send_failed,
            outbox_full,
            orders_held,
            orders_refused,
            facts_held,
            faults,
        ];
        let before: u64 = [9, 11].map(|at| self.measured.media[at].get()).iter().sum();
        if orders_refused + faults > before {
            self.alarm("media");
        }
        self.measured.media.iter().zip(in_order).for_each(|(counter, total)| set(counter, total));
    }

    /// The recorder so far. What is lost anew is an alarm.
    pub fn recorder_totals(&self, totals: &RecorderTotals) {
        let RecorderTotals {
            running,
            frames_refused,
            frames_unwritten,
            files_lost,
            files_unfiled,
            syncs_put_off,
            files_filed,
            files_put_off,
            files_removed,
            bytes_removed,
            removals_failed,
            overdue,
            held,
        } = *totals;
        let alarming = [frames_refused, frames_unwritten, files_lost, files_unfiled, removals_failed];
        let others = [syncs_put_off, files_filed, files_put_off, files_removed, bytes_removed];
        let in_order = alarming.into_iter().chain(others);
        let before: u64 = self.measured.recorder[..alarming.len()].iter().map(Counter::get).sum();
        if alarming.iter().sum::<u64>() > before {
            self.alarm("recorder");
        }
        let gauges = [&self.measured.recordings, &self.measured.overdue, &self.measured.held];
        for (gauge, count) in gauges.into_iter().zip([running, overdue, held]) {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        self.measured.recorder.iter().zip(in_order).for_each(|(counter, total)| set(counter, total));
    }
}

fn set_all(family: &Family<Labels, Gauge>, label: &'static str, counts: &[(&'static str, usize)]) {
    for (value, count) in counts {
        family.get_or_create(&vec![(label, (*value).to_owned())]).set(whole(*count));
    }
}

/// A total that was counted elsewhere.
fn set(counter: &Counter, total: u64) {
    counter.inner().store(total, Ordering::Relaxed);
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Metrics;

    #[test]
    fn totals_are_shown_as_they_were_counted_and_a_new_loss_is_one_alarm() {
        let metrics = Metrics::new();
        let figures = metrics.figures();
        for _ in 0..2 {
            figures.media_totals(&MediaTotals { ticks: 400, faults: 1, ..MediaTotals::default() });
            figures.recorder_totals(&RecorderTotals {
                running: 3,
                files_lost: 2,
                ..RecorderTotals::default()
            });
        }
        let turned_away = BTreeMap::from([(TurnedAway::UnknownSource, 7)]);
        let mut now = HouseNow {
            calls: vec![("talking", 2), ("waiting", 1)],
            away: vec![("said", 2), ("rest", 0)],
            queues: vec![QueueNow {
                queue: "main".into(),
                waiting: 1,
                longest_wait: Duration::from_millis(2_500),
                kept: 3,
                surging: true,
            }],
            ports_in_use: 5,
            turned_away: Some(&turned_away),
            trunks: vec![TrunkNow {
                trunk: "carrier".into(),
                up: false,
                registered: Some(true),
                calls: 7,
                full: true,
                attempts: 9,
                failed: [0, 0, 0, 0, 3, 0, 0, 0, 1],
                keys_refused: 3,
            }],
            rooms_full: 4,
            ..HouseNow::default()
        };
        figures.house_now(&now);
        now.calls = vec![("talking", 2), ("waiting", 0)];
        figures.house_now(&now);
        let text = figures.encode();
        for line in [
            "hotline_media_ticks_total 400",
            "hotline_media_faults_total 1",
            "hotline_recordings_running 3",
            "hotline_recorder_files_lost_total 2",
            "hotline_alarms_total{kind=\"media\"} 1",
            "hotline_alarms_total{kind=\"recorder\"} 1",
            "hotline_calls{state=\"talking\"} 2",
            "hotline_calls{state=\"waiting\"} 0",
            "hotline_seats_away{why=\"said\"} 2",
            "hotline_seats_away{why=\"rest\"} 0",
            "hotline_queue_longest_wait_seconds{queue=\"main\"} 2.5",
            "hotline_queue_places_kept{queue=\"main\"} 3",
            "hotline_queue_surge{queue=\"main\"} 1",
            "hotline_rtp_ports_in_use 5",
            "hotline_requests_turned_away_total{reason=\"unknown_source\"} 7",
            "hotline_meeting_rooms_full_total 4",
            "hotline_trunk_up{trunk=\"carrier\"} 0",
            "hotline_trunk_registered{trunk=\"carrier\"} 1",
            "hotline_trunk_calls{trunk=\"carrier\"} 7",
            "hotline_trunk_full{trunk=\"carrier\"} 1",
            "hotline_trunk_attempts_total{trunk=\"carrier\"} 9",
            "hotline_trunk_keys_refused_total{trunk=\"carrier\"} 3",
            "hotline_trunk_ways_failed_total{trunk=\"carrier\",reason=\"silent\"} 3",
            "hotline_trunk_ways_failed_total{trunk=\"carrier\",reason=\"credentials\"} 1",
        ] {
            assert!(text.lines().any(|shown| shown == line), "no {line:?} in\n{text}");
        }
    }
}
