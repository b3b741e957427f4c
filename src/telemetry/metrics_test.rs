//! What facts come to in the shown figures.

use super::*;
use crate::acd::event::Overflow;
use crate::id::{Dice, QueueId, SeatId, TrunkId};
use crate::switchboard::fact::{CallbackOutcome, Room};
use crate::switchboard::request::Watching;
use crate::time::Timestamp;

struct Caller {
    call: CallId,
    sequence: u32,
    at_ms: u64,
}

impl Caller {
    fn new(seed: u64) -> Self {
        Caller { call: CallId::draw(seed, &mut Dice::seeded(seed)), sequence: 0, at_ms: 0 }
    }

    fn tells(&mut self, metrics: &mut Metrics, what: What) {
        self.sequence += 1;
        metrics.apply(&Fact {
            call: self.call,
            sequence: self.sequence,
            at: Timestamp::UNIX_EPOCH,
            mono: Instant::from_millis(self.at_ms),
            what,
        });
    }

    fn opens(&mut self, metrics: &mut Metrics, line: &str) {
        self.opens_in(metrics, line, None);
    }

    fn opens_in(&mut self, metrics: &mut Metrics, line: &str, room: Option<Room>) {
        let what = What::Opened {
            line: LineId::from(line),
            dialled: line.into(),
            caller: String::new(),
            trunk: TrunkId::from("t"),
            ticket: "1".into(),
            plan: "p".into(),
            shifted_clock: false,
            wire_ref: "w".into(),
            room,
        };
        self.tells(metrics, what);
    }

    fn closes(&mut self, metrics: &mut Metrics, cause: Cause) {
        let what = What::Closed { cause, lasted_ms: 1, answered_ms: None, sound: None, reason: None };
        self.tells(metrics, what);
    }
}

fn queued() -> What {
    What::Queued { queue: QueueId::from("main") }
}

fn shows(metrics: &Metrics, line: &str) {
    let text = metrics.figures().encode();
    assert!(text.lines().any(|l| l == line), "no {line:?} in\n{text}");
}

#[test]
fn a_served_call_is_counted_from_its_opening_to_its_end() {
    let mut metrics = Metrics::new();
    let mut caller = Caller::new(1);
    caller.opens(&mut metrics, "12345");
    caller.tells(&mut metrics, What::Answered { durable: true });
    caller.tells(&mut metrics, queued());
    shows(&metrics, "hotline_calls_active 1");
    shows(&metrics, "hotline_queue_waiting 1");
    let seat = SeatId::from("1001");
    let answered = What::SeatAnswered { seat: seat.clone(), waited_ms: 14_000, leg: None };
    caller.tells(&mut metrics, answered);
    shows(&metrics, "hotline_queue_waiting 0");
    shows(&metrics, "hotline_seats_talking 1");
    let left = What::SeatLeft { seat, talked_ms: 61_000, vanished: false };
    caller.tells(&mut metrics, left);
    caller.closes(&mut metrics, Cause::Completed);
    shows(&metrics, "hotline_calls_active 0");
    shows(&metrics, "hotline_seats_talking 0");
    shows(&metrics, "hotline_service_level_met_total 1");
    shows(&metrics, "hotline_service_level_missed_total 0");
    shows(&metrics, "hotline_calls_closed_total{line=\"12345\",cause=\"completed\"} 1");
    shows(&metrics, "hotline_calls_answered_total{line=\"12345\"} 1");
    shows(&metrics, "hotline_seat_talk_seconds_sum 61.0");
}

#[test]
fn callers_who_give_up_or_overflow_miss_the_service_level() {
    let mut metrics = Metrics::new();
    let mut gives_up = Caller::new(1);
    gives_up.opens(&mut metrics, "12345");
    gives_up.tells(&mut metrics, queued());
    gives_up.closes(&mut metrics, Cause::CallerHungUp);
    let mut overflows = Caller::new(2);
    overflows.opens(&mut metrics, "12345");
    overflows.tells(&mut metrics, queued());
    let what = What::Overflowed { queue: QueueId::from("main"), why: Overflow::NoSeat, waited_ms: 20_000 };
    overflows.tells(&mut metrics, what);
    overflows.closes(&mut metrics, Cause::Completed);
    shows(&metrics, "hotline_service_level_missed_total 2");
    shows(&metrics, "hotline_queue_waiting 0");
    shows(&metrics, "hotline_queue_overflows_total{reason=\"no_seat\"} 1");
}

#[test]
fn who_comes_back_to_a_queue_waits_from_then_on_whatever_the_clock() {
    for clock in [Clock::Arrival, Clock::Ring, Clock::Queue] {
        let mut rules = Rules::default();
        rules.usual.clock = clock;
        let mut metrics = Metrics::new();
        metrics.judge_by(&rules);
        let mut caller = Caller::new(1);
        caller.opens(&mut metrics, "12345");
        let seat = || SeatId::from("1001");
        for (queued_ms, waited_ms) in [(1_000, 4_000), (600_000, 3_000)] {
            caller.at_ms = queued_ms;
            caller.tells(&mut metrics, queued());
            let offered =
                What::SeatOffered { seat: seat(), waited_ms: 0, history: vec![], purpose: Purpose::Caller };
            caller.tells(&mut metrics, offered);
            caller.at_ms = queued_ms + waited_ms;
            caller.tells(&mut metrics, What::SeatAnswered { seat: seat(), waited_ms, leg: None });
        }
        shows(&metrics, "hotline_service_level_met_total 2");
        shows(&metrics, "hotline_service_level_missed_total 0");
    }
}

#[test]
fn the_time_and_the_clock_are_those_of_the_lines_formula() {
    let mut rules = Rules::default();
    rules.usual.answer_within = Duration::from_secs(20);
    let own = Formula { version: "12328".into(), clock: Clock::Arrival, ..Formula::default() };
    rules.lines.insert("12328".into(), own);
    let mut metrics = Metrics::new();
    metrics.judge_by(&rules);
    // Ten seconds of prompts, then nineteen or six in the queue.
    for (n, line, waited_ms) in [(1, "12345", 19_000), (2, "12328", 6_000), (3, "12345", 20_001)] {
        let mut caller = Caller::new(n);
        caller.opens(&mut metrics, line);
        caller.tells(&mut metrics, queued());
        caller.at_ms = 10_000 + waited_ms;
        let seat = SeatId::from("1001");
        caller.tells(&mut metrics, What::SeatAnswered { seat, waited_ms, leg: None });
        caller.closes(&mut metrics, Cause::Completed);
    }
    shows(&metrics, "hotline_service_level_met_total 1");
    shows(&metrics, "hotline_service_level_missed_total 2");
    let labels = |line: &str, formula: &str, clock: &str| {
        format!("{{line=\"{line}\",formula=\"{formula}\",clock=\"{clock}\"}}")
    };
    let city = labels("*", "GB/T 33358-2016", "queue");
    shows(&metrics, &format!("hotline_kpi_answer_within_seconds{city} 20.0"));
    shows(&metrics, &format!("hotline_kpi_answer_rate_wanted{} 0.95", labels("12328", "12328", "arrival")));
    shows(&metrics, "hotline_kpi_answer_rate_24h{line=\"*\"} 1.0");
    shows(&metrics, "hotline_kpi_answer_rate_24h_below{line=\"12328\"} 0");
    metrics.judge_by(&Rules::default());
    let text = metrics.figures().encode();
    assert!(!text.contains("kpi_answer_within_seconds{line=\"12328\""), "{text}");
}

#[test]
fn lines_beyond_the_bound_share_a_label_and_refusals_one_cause() {
    let mut metrics = Metrics::new();
    for number in 0..LINES_MAX as u64 + 10 {
        let mut caller = Caller::new(number);
        caller.opens(&mut metrics, &number.to_string());
        caller.closes(&mut metrics, Cause::Refused(400 + number as u16));
    }
    shows(&metrics, "hotline_calls_opened_total{line=\"other\"} 10");
    shows(&metrics, "hotline_calls_closed_total{line=\"other\",cause=\"refused\"} 10");
}

#[test]
fn rooms_and_members_are_gauges_and_all_rooms_of_a_meeting_are_one_line() {
    let mut metrics = Metrics::new();
    let mut members: Vec<(Caller, u64)> = Vec::new();
    for number in 0..3 * LINES_MAX as u64 {
        let mut member = Caller::new(number);
        // Three to a room.
        let room = Room { meeting: "94xxxxxx".into(), number: format!("{:06}", number / 3) };
        member.opens_in(&mut metrics, &format!("94{}", room.number), Some(room));
        member.tells(&mut metrics, What::RoomJoined { members: number as u32 % 3 + 1 });
        members.push((member, number));
    }
    shows(&metrics, &format!("hotline_calls_opened_total{{line=\"94xxxxxx\"}} {}", 3 * LINES_MAX));
    shows(&metrics, &format!("hotline_meeting_members {}", 3 * LINES_MAX));
    shows(&metrics, &format!("hotline_meeting_rooms {LINES_MAX}"));
    for (member, number) in &mut members[..5] {
        member.tells(&mut metrics, What::RoomLeft { members: 2 - *number as u32 % 3, stayed_ms: 9 });
        member.closes(&mut metrics, Cause::CallerHungUp);
    }
    shows(&metrics, &format!("hotline_meeting_members {}", 3 * LINES_MAX - 5));
    shows(&metrics, &format!("hotline_meeting_rooms {}", LINES_MAX - 1));
    shows(&metrics, "hotline_calls_closed_total{line=\"94xxxxxx\",cause=\"caller_hung_up\"} 5");
}

#[test]
fn each_leg_is_scored_both_ways_under_its_trunk_or_as_a_seats() {
    use crate::switchboard::fact::{Missing, Outbound, Sound};
    let mut metrics = Metrics::new();
    let mut caller = Caller::new(1);
    caller.opens(&mut metrics, "12345");
    let outbound = Some(Outbound { expected: 1_000, lost: 40, mos_x100: 395, ..Outbound::default() });
    let sound = Sound {
        received: 990,
        lost: 10,
        jitter_us: 4_000,
        mos_x100: 430,
        round_trip_us: 30_000,
        outbound,
        ..Sound::default()
    };
    let seat = Party::Seat { seat: SeatId::from("1001") };
    let what = What::SoundMissing { leg: 1, party: seat.clone(), missing: Missing::Packets };
    caller.tells(&mut metrics, what);
    let what = What::SoundMissing { leg: 1, party: seat.clone(), missing: Missing::Nothing };
    caller.tells(&mut metrics, what);
    let what = What::LegClosed { leg: 1, party: seat, sound: Sound { outbound: None, ..sound.clone() } };
    caller.tells(&mut metrics, what);
    let peer = Party::Peer { trunk: TrunkId::from("sub"), number: "1".into() };
    // Nothing came, nothing was reported: no figure, rather than a bad one.
    caller.tells(&mut metrics, What::LegClosed { leg: 2, party: peer, sound: Sound::default() });
    let (cause, sound) = (Cause::Completed, Some(sound));
    caller.tells(&mut metrics, What::Closed { cause, lasted_ms: 1, answered_ms: None, sound, reason: None });
    let trunk = "side=\"trunk\",trunk=\"t\"";
    for line in [
        format!("hotline_leg_mos_bucket{{le=\"4.3\",{trunk},direction=\"in\"}} 1"),
        format!("hotline_leg_mos_sum{{{trunk},direction=\"out\"}} 3.95"),
        format!("hotline_leg_loss_ratio_sum{{{trunk},direction=\"out\"}} 0.04"),
        format!("hotline_leg_loss_ratio_sum{{{trunk},direction=\"in\"}} 0.01"),
        format!("hotline_leg_round_trip_seconds_sum{{{trunk}}} 0.03"),
        "hotline_leg_jitter_seconds_sum{side=\"seat\",trunk=\"\",direction=\"in\"} 0.004".into(),
        "hotline_sound_missing_total{what=\"one_way\",party=\"seat\"} 1".into(),
    ] {
        shows(&metrics, &line);
    }
    assert!(!metrics.figures().encode().contains("trunk=\"sub\""));
}

#[test]
fn trunks_beyond_the_bound_share_a_label() {
    use crate::telemetry::sound::TRUNKS_MAX;
    let mut labels = TrunkLabels::default();
    for number in 0..TRUNKS_MAX {
        assert_eq!(labels.label(&TrunkId::from(number.to_string().as_str())), number.to_string());
    }
    assert_eq!(labels.label(&TrunkId::from("one more")), "other");
    assert_eq!(labels.label(&TrunkId::from("7")), "7");
}

#[test]
fn a_crashed_call_closed_at_start_does_not_make_the_house_emptier_than_empty() {
    let mut metrics = Metrics::new();
    Caller::new(1).closes(&mut metrics, Cause::Crash);
    shows(&metrics, "hotline_calls_active 0");
}

#[test]
fn an_undurable_answer_and_a_failing_store_raise_alarms_once() {
    let mut metrics = Metrics::new();
    let mut caller = Caller::new(1);
    caller.opens(&mut metrics, "12345");
    caller.tells(&mut metrics, What::Answered { durable: false });
    metrics.figures().store_failed();
    metrics.figures().store_failed();
    shows(&metrics, "hotline_calls_undurable_total 1");
    shows(&metrics, "hotline_alarms_total{kind=\"undurable\"} 1");
    shows(&metrics, "hotline_alarms_total{kind=\"store_failing\"} 1");
    shows(&metrics, "hotline_store_failing 1");
    metrics.figures().store_committed(Duration::from_millis(2));
    shows(&metrics, "hotline_store_failing 0");
}

#[test]
fn third_parties_watchers_and_calls_outward_are_counted_under_labels_that_stay_few() {
    use crate::acd::event::Purpose;
    use crate::switchboard::fact::{Object, ObjectKind, TransferKind, TransferStep};
    let mut metrics = Metrics::new();
    let mut caller = Caller::new(1);
    caller.opens(&mut metrics, "12345");
    let transfer = |step, object| What::Transfer {
        to: "110".into(),
        kind: TransferKind::Consult,
        step,
        status: None,
        leg: None,
        object,
    };
    let police = Some(Object { kind: ObjectKind::Emergency, id: "110".into() });
    caller.tells(&mut metrics, transfer(TransferStep::Requested, police.clone()));
    caller.tells(&mut metrics, transfer(TransferStep::Merged, police));
    let watched = |seat: &str, how| What::Watched { seat: seat.into(), how };
    for n in 0..50 {
        caller.tells(&mut metrics, What::CallbackSettled { outcome: CallbackOutcome::Expired });
        caller.tells(&mut metrics, watched(&n.to_string(), Watching::Listen));
    }
    caller.tells(&mut metrics, watched("3", Watching::Whisper));
    caller.tells(&mut metrics, What::Unwatched { seat: "4".into() });
    let purpose = Purpose::Consult;
    caller.tells(
        &mut metrics,
        What::SeatOffered { seat: "2001".into(), waited_ms: 0, history: vec![], purpose },
    );
    caller.tells(&mut metrics, What::SurveyReason { digit: 4, grade: 5, subject: Subject::Talk });
    metrics.figures().offer_delay(Duration::from_millis(3));
    for line in [
        "hotline_transfers_total{kind=\"consult\",step=\"requested\",object=\"emergency\"} 1",
        "hotline_transfers_total{kind=\"consult\",step=\"merged\",object=\"emergency\"} 1",
        "hotline_callbacks_settled_total{outcome=\"expired\"} 50",
        "hotline_watchers{how=\"listen\"} 14",
        "hotline_watchers{how=\"whisper\"} 1",
        "hotline_seat_offers_by_purpose_total{purpose=\"consult\"} 1",
        "hotline_survey_reasons_total{digit=\"4\"} 1",
        "hotline_offer_delay_seconds_count 1",
    ] {
        shows(&metrics, line);
    }
    caller.closes(&mut metrics, Cause::CallerHungUp);
    shows(&metrics, "hotline_watchers{how=\"listen\"} 0");
    shows(&metrics, "hotline_watchers{how=\"whisper\"} 0");
}

#[test]
fn a_seat_that_a_caller_is_put_through_to_meets_no_service_level_a_second_time() {
    let mut metrics = Metrics::new();
    let mut caller = Caller::new(1);
    caller.opens(&mut metrics, "12345");
    caller.tells(&mut metrics, queued());
    for seat in ["1001", "1002"] {
        let (seat, waited_ms) = (SeatId::from(seat), 1_000);
        caller.tells(&mut metrics, What::SeatAnswered { seat: seat.clone(), waited_ms, leg: None });
        caller.tells(&mut metrics, What::SeatLeft { seat, talked_ms: 5_000, vanished: false });
    }
    shows(&metrics, "hotline_service_level_met_total 1");
    shows(&metrics, "hotline_queue_wait_seconds_count 1");
    shows(&metrics, "hotline_seat_talk_seconds_count 2");
}
