use std::time::Duration;

use super::*;
use crate::acd::event::{OfferEnd, Overflow};
use crate::id::Dice;
use crate::routing::kpi::{Clock, Exclude, Exclusion, Formula};
use crate::switchboard::fact::{AFTER_HOURS, CallbackOutcome, Cause, Fact, OutwardPurpose, Subject, What};
use crate::switchboard::request::{ArticleUse, Disposed};
use crate::time::{Instant, Timestamp};

/// One call as it is told, by the millisecond.
struct Story {
    call: CallId,
    facts: Vec<Fact>,
}

impl Story {
    fn of(n: u64, line: &str, caller: &str) -> Story {
        Story::by(n, line, caller, "carrier")
    }

    fn by(n: u64, line: &str, caller: &str, trunk: &str) -> Story {
        let call = CallId::draw(1_700_000_000_000 + n, &mut Dice::seeded(n));
        let opened = What::Opened {
            line: line.into(),
            dialled: line.into(),
            caller: caller.into(),
            trunk: trunk.into(),
            ticket: "1".into(),
            plan: "p".into(),
            shifted_clock: false,
            wire_ref: "w".into(),
            room: None,
        };
        Story { call, facts: Vec::new() }.at(0, opened)
    }

    fn at(mut self, at_ms: u64, what: What) -> Story {
        let sequence = self.facts.len() as u32 + 1;
        let (at, mono) = (Timestamp::UNIX_EPOCH, Instant::from_millis(5_000 + at_ms));
        self.facts.push(Fact { call: self.call, sequence, at, mono, what });
        self
    }

    fn queued(self, at_ms: u64, queue: &str) -> Story {
        self.at(at_ms, What::Queued { queue: queue.into() })
    }

    fn offered(self, at_ms: u64, seat: &str) -> Story {
        self.offered_for(at_ms, seat, Purpose::Caller)
    }

    fn offered_for(self, at_ms: u64, seat: &str, purpose: Purpose) -> Story {
        self.at(at_ms, What::SeatOffered { seat: seat.into(), waited_ms: 0, history: vec![], purpose })
    }

    fn seat(self, at_ms: u64, seat: &str) -> Story {
        self.at(at_ms, What::SeatAnswered { seat: seat.into(), waited_ms: 0, leg: None })
    }

    fn seat_left(self, at_ms: u64, seat: &str) -> Story {
        self.at(at_ms, What::SeatLeft { seat: seat.into(), talked_ms: 0, vanished: false })
    }

    fn dialled(self, at_ms: u64, number: &str) -> Story {
        self.at(at_ms, What::PeerDialled { trunk: "sub".into(), number: number.into() })
    }

    fn peer(self, at_ms: u64, number: &str) -> Story {
        self.at(at_ms, What::PeerAnswered { trunk: "sub".into(), number: number.into(), leg: None })
    }

    fn peer_left(self, at_ms: u64, number: &str) -> Story {
        self.at(at_ms, What::PeerLeft { trunk: "sub".into(), number: number.into(), talked_ms: 0 })
    }

    fn transfer(self, at_ms: u64, (kind, step): (&str, &str), object: &Object, status: Option<u16>) -> Story {
        let (to, object) = (object.id.clone(), Some(object.clone()));
        let what = What::Transfer {
            to,
            kind: serde_json::from_value(kind.into()).unwrap(),
            step: serde_json::from_value(step.into()).unwrap(),
            status,
            leg: None,
            object,
        };
        self.at(at_ms, what)
    }

    fn closed(self, at_ms: u64) -> CallRecord {
        let cause = Cause::CallerHungUp;
        let (lasted_ms, answered_ms, sound, reason) = (at_ms, None, None, None);
        self.at(at_ms, What::Closed { cause, lasted_ms, answered_ms, sound, reason }).record()
    }

    fn record(self) -> CallRecord {
        CallRecord::fold(&self.facts).unwrap()
    }
}

fn object(kind: ObjectKind, id: &str) -> Object {
    Object { kind, id: id.into() }
}

/// A call that waits from 2 s on, is rung at the seat a second before it picks up, and talks for a minute.
fn served(n: u64, line: &str, wait_ms: u64, seat: &str) -> Story {
    let picked_up = 2_000 + wait_ms;
    let story = Story::of(n, line, &format!("1380000{n:04}")).queued(2_000, "main");
    let story = story.offered(picked_up - 1_000, seat).seat(picked_up, seat);
    story.seat_left(picked_up + 60_000, seat)
}

fn given_up(n: u64, line: &str, caller: &str, wait_ms: u64) -> CallRecord {
    Story::of(n, line, caller).queued(2_000, "main").closed(2_000 + wait_ms)
}

#[test]
fn answer_rates_and_waits_are_those_that_one_counts_by_hand() {
    let mut records: Vec<CallRecord> = [10_000, 13_000, 15_000, 15_001, 40_000]
        .into_iter()
        .zip(1..)
        .map(|(wait, n)| served(n, "12345", wait, "1001").closed(200_000))
        .collect();
    records.push(given_up(10, "12345", "", 4_999));
    records.push(given_up(11, "12345", "", 5_000));
    let overflowed = Story::of(12, "12336", "139").queued(2_000, "main");
    let why = Overflow::NoSeat;
    let overflowed = overflowed.at(32_000, What::Overflowed { queue: "main".into(), why, waited_ms: 30_000 });
    records.push(overflowed.closed(50_000));
    records.push(Story::of(13, "12345", "").queued(2_000, "main").record());
    records.push(Story::of(14, "12345", "").closed(1_000)); // Refused, or gone before the queue.
    let kpi = Kpi::fold(&records, &Rules::default());
    let total = &kpi.total;
    assert_eq!((total.opened, total.asked, total.answered), (10, 9, 5));
    assert_eq!((total.within, total.within_of_call), (3, 2));
    assert_eq!((total.abandoned, total.abandoned_short, total.overflowed, total.open), (1, 1, 1, 1));
    // 5 of 9 less one short abandon and one that waits still.
    assert_eq!(
        (total.counted(), total.answer_rate(), total.within_rate()),
        (7, Some(5.0 / 7.0), Some(3.0 / 7.0))
    );
    assert_eq!((total.within_of_call_rate(), total.is_rule_kept(0.95)), (Some(2.0 / 7.0), Some(false)));
    let waits = &total.waits;
    assert_eq!((waits.mean_ms(), waits.max_ms()), (Some(18_600), Some(40_000)));
    let at = [1, 20, 21, 50, 80, 81, 100].map(|percent| waits.percentile_ms(percent).unwrap());
    assert_eq!(at, [10_000, 10_000, 13_000, 15_000, 15_001, 40_000, 40_000]);
    assert_eq!((total.talked_ms, total.missed, total.called_back), (5 * 60_000, 3, 0));
    let none = Kpi::fold([], &Rules::default()).total;
    assert_eq!(
        (none.answer_rate(), none.is_rule_kept(0.95), none.waits.percentile_ms(50)),
        (None, None, None)
    );
    // Nineteen of twenty are 95 %.
    let kept: Vec<CallRecord> = (1..20)
        .map(|n| served(n, "12345", 9_000, "1001").closed(200_000))
        .chain([given_up(20, "12345", "", 9_000)])
        .collect();
    assert_eq!(Kpi::fold(&kept, &Rules::default()).total.is_rule_kept(0.95), Some(true));
    assert_eq!(Kpi::fold(&kept[1..], &Rules::default()).total.is_rule_kept(0.95), Some(false));
}

#[test]
fn seats_experts_and_centers_are_measured_alike() {
    let (center, experts) =
        (object(ObjectKind::SubCenter, "12366"), object(ObjectKind::ExpertGroup, "12348"));
    let consult = |step| ("consult", step);
    let records = [
        // A seat lets it ring, another one takes it and consults the center, which stays.
        Story::of(1, "12345", "1")
            .queued(0, "main")
            .offered(1_000, "1001")
            .at(11_000, What::OfferEnded { seat: "1001".into(), why: OfferEnd::NoAnswer })
            .offered(11_000, "1002")
            .seat(14_000, "1002")
            .transfer(20_000, consult("requested"), &center, None)
            .dialled(20_000, "12366")
            .peer(28_000, "12366")
            .transfer(28_000, consult("consulting"), &center, None)
            .transfer(38_000, consult("merged"), &center, None)
            .transfer(48_000, consult("left"), &center, None)
            .seat_left(48_000, "1002")
            .peer_left(98_000, "12366")
            .closed(98_000),
        // The center's own line: once taken, once not.
        Story::of(2, "12366", "2").dialled(500, "12366").peer(4_500, "12366").closed(34_500),
        Story::of(3, "12366", "3")
            .dialled(500, "12366")
            .at(20_500, What::PeerFailed { trunk: "sub".into(), number: "12366".into(), status: 486 })
            .queued(20_500, "main")
            .offered(21_000, "1001")
            .seat(23_000, "1001")
            .transfer(30_000, ("blind", "declined"), &center, Some(AFTER_HOURS))
            .seat_left(40_000, "1001")
            .closed(40_000),
        // An expert is asked: the first time in vain, the second time one of them comes.
        Story::of(4, "12348", "4")
            .queued(0, "main")
            .offered(0, "1001")
            .seat(1_000, "1001")
            .transfer(10_000, ("blind", "requested"), &experts, None)
            .offered_for(10_000, "2001", Purpose::Transfer)
            .at(25_000, What::OfferEnded { seat: "2001".into(), why: OfferEnd::NoAnswer })
            .transfer(25_000, ("blind", "failed"), &experts, Some(408))
            .transfer(30_000, ("blind", "requested"), &experts, None)
            .offered_for(30_000, "2002", Purpose::Transfer)
            .transfer(36_000, ("blind", "accepted"), &experts, None)
            .seat_left(36_000, "1001")
            .seat(36_000, "2002")
            .seat_left(66_000, "2002")
            .closed(66_000),
    ];
    let kpi = Kpi::fold(&records, &Rules::default());
    let of = |service: &Service| {
        let ends =
            [service.offered, service.accepted, service.unanswered, service.refused, service.after_hours];
        (
            ends,
            service.pick_up.mean_ms(),
            [service.handled, service.talked_ms, service.held_ms, service.consulted_ms],
        )
    };
    // 8 s by the clerk's consultation, 4 s by its own line.
    assert_eq!(
        of(&kpi.targets["sub_center/12366"]),
        ([3, 2, 0, 1, 1], Some(6_000), [2, 60_000 + 30_000, 0, 10_000])
    );
    assert_eq!(of(&kpi.targets["expert_group/12348"]), ([2, 1, 1, 0, 0], Some(6_000), [1, 30_000, 0, 0]));
    assert_eq!(kpi.targets["sub_center/12366"].accept_rate(), Some(2.0 / 3.0));
    assert_eq!(of(&kpi.seats["1001"]), ([3, 2, 1, 0, 0], Some(1_500), [2, 17_000 + 14_000, 21_000, 0]));
    assert_eq!(of(&kpi.seats["1002"]), ([1, 1, 0, 0, 0], Some(3_000), [1, 16_000, 8_000, 10_000]));
    assert_eq!(of(&kpi.seats["2001"]), ([1, 0, 1, 0, 0], None, [0; 4]));
    assert_eq!(of(&kpi.seats["2002"]), ([1, 1, 0, 0, 0], Some(6_000), [1, 30_000, 0, 0]));
    let kind = |kind: &str| kpi.transfers[kind];
    assert_eq!(kind("consult"), Transfers { requested: 1, accepted: 1, ..Transfers::default() });
    assert_eq!(
        kind("blind"),
        Transfers { requested: 2, accepted: 1, failed: 1, declined: 1, ..Transfers::default() }
    );
    let total = &kpi.total;
    assert_eq!((total.transfers, total.transferred, total.re_transfers, total.first_correct), (3, 2, 1, 1));
    assert_eq!(total.first_correct_rate(), Some(0.5));
    // A sub-center's caller waits from its ringing on, and is answered like any other.
    assert_eq!(kpi.lines["12366"].waits.max_ms(), Some(22_500));
    assert_eq!((kpi.lines["12366"].answered, kpi.lines["12366"].within), (2, 1));
}

#[test]
fn what_is_counted_of_calls_adds_up_over_lines_queues_and_owners() {
    let mut dice = Dice::seeded(20_210_901);
    let mut records = Vec::new();
    for n in 0..600 {
        let line = ["12345", "12336", "12366", "12348"][dice.below(4) as usize];
        let seat = ["1001", "1002", "1003"][dice.below(3) as usize];
        let wait = 1_000 + dice.below(40_000);
        records.push(match dice.below(5) {
            0 => given_up(n, line, "13800000000", dice.below(30_000)),
            1 => Story::of(n, line, "2").dialled(0, line).peer(wait, line).closed(wait + dice.below(90_000)),
            2 => Story::of(n, line, "3").queued(0, "other").record(),
            _ => {
                let unsurveyed = dice.below(2) == 0;
                let about = What::Disposed(Disposed { unsurveyed, ..Disposed::default() });
                let grade = 1 + dice.below(5) as u8;
                let story = served(n, line, wait, seat)
                    .at(150_000, What::Surveyed { grade, subject: Subject::Talk })
                    .at(151_000, about);
                story
                    .at(
                        152_000,
                        What::SurveyReason { digit: 1 + dice.below(9) as u8, grade, subject: Subject::Talk },
                    )
                    .closed(200_000)
            }
        });
    }
    let kpi = Kpi::fold(&records, &Rules::default());
    let sum = |parts: &mut dyn Iterator<Item = &Calls>| {
        let mut sum = Calls::default();
        parts.for_each(|calls| sum.add(calls));
        sum.waits.sort();
        sum
    };
    assert_eq!(sum(&mut kpi.lines.values()), kpi.total);
    assert_eq!(sum(&mut kpi.queues.values()), kpi.total);
    let owners =
        kpi.by_owner(|line| (line.as_str() != "12345").then(|| format!("owner of {}", &line.as_str()[..4])));
    assert_eq!(owners.len(), 4, "{:?}", owners.keys());
    assert_eq!(sum(&mut owners.values()), kpi.total);
    let total = &kpi.total;
    let parts = total.answered + total.overflowed + total.abandoned + total.abandoned_short + total.open;
    assert_eq!((total.opened, total.asked), (600, parts));
    let talked: u64 = kpi.seats.values().chain(kpi.targets.values()).map(|service| service.talked_ms).sum();
    assert_eq!(talked, total.talked_ms, "whoever the callers were with");
    let grades: u64 = kpi.seats.values().map(|service| service.satisfaction.given()).sum();
    assert_eq!((grades, total.reasons.iter().sum::<u64>()), (total.satisfaction.given(), grades));
}

#[test]
fn satisfaction_is_told_with_and_without_what_is_not_chased() {
    let graded = |n, grade, unsurveyed| {
        let about = What::Disposed(Disposed { unsurveyed, ..Disposed::default() });
        // It is said after the call was over, and counts all the same.
        let closed = What::Closed {
            cause: Cause::Completed,
            lasted_ms: 0,
            answered_ms: None,
            sound: None,
            reason: None,
        };
        served(n, "12345", 5_000, "1001")
            .at(80_000, What::Surveyed { grade, subject: Subject::Talk })
            .at(81_000, closed)
            .at(900_000, about)
            .record()
    };
    let grades = [(1, false), (3, false), (4, false), (5, true), (5, true), (2, true)];
    let records: Vec<CallRecord> =
        grades.into_iter().zip(1..).map(|((grade, apart), n)| graded(n, grade, apart)).collect();
    let kpi = Kpi::fold(&records, &Rules::default());
    for satisfaction in
        [&kpi.total.satisfaction, &kpi.lines["12345"].satisfaction, &kpi.seats["1001"].satisfaction]
    {
        assert_eq!(satisfaction.grades, [1, 1, 1, 1, 2]);
        assert_eq!((satisfaction.rate(), satisfaction.rate_chased()), (Some(0.5), Some(2.0 / 3.0)));
    }
}

/// 直办: an article was told, it settled the matter, and nothing is left for an office.
#[test]
fn a_matter_is_settled_at_once_by_an_article_and_no_ticket() {
    let used =
        |settled| What::ArticleUsed(ArticleUse { article: "a".into(), settled, ..ArticleUse::default() });
    let left = What::TicketLeft { reason: "overflow".into() };
    let whole = |n, said: Vec<What>| {
        let story = served(n, "12345", 5_000, "1001");
        said.into_iter().fold(story, |story, what| story.at(80_000, what)).closed(90_000)
    };
    let records = [
        whole(1, vec![used(true)]),
        whole(2, vec![used(false)]),
        whole(3, vec![used(true), used(false)]), // The last word counts.
        whole(4, vec![used(true), left]),
        whole(5, Vec::new()),
    ];
    let kpi = Kpi::fold(&records, &Rules::default());
    for calls in [&kpi.total, &kpi.lines["12345"]] {
        assert_eq!((calls.articles, calls.settled, calls.settled_rate()), (4, 1, Some(0.2)));
    }
}

#[test]
fn missed_callers_are_called_back_by_us_by_themselves_or_not_at_all() {
    let outward = |n, of: &CallRecord, purpose: OutwardPurpose| {
        let (of, number) = (Some(of.call), of.caller.clone());
        let seat = Some(SeatId::from("1001"));
        Story::by(n, "12345", "1001", "seats").at(0, What::Outward { purpose, seat, number, of })
    };
    let missed: Vec<CallRecord> = (1..=5).map(|n| given_up(n, "12345", &format!("13{n}"), 20_000)).collect();
    let settled = Story::of(6, "12345", "136")
        .queued(0, "main")
        .at(9_000, What::CallbackKept { queue: "main".into(), ahead: 3 });
    let settled =
        settled.at(9_000, What::CallbackSettled { outcome: CallbackOutcome::Answered }).closed(9_000);
    let mut records = missed.clone();
    records.push(settled);
    // The first is reached, the second is not; the third calls again; the fourth had been answered before.
    records.push(
        outward(20, &missed[0], OutwardPurpose::Missed)
            .dialled(9_000, "131")
            .peer(12_000, "131")
            .closed(30_000),
    );
    let failed = What::PeerFailed { trunk: "sub".into(), number: "132".into(), status: 408 };
    records.push(
        outward(21, &missed[1], OutwardPurpose::Missed)
            .dialled(9_000, "132")
            .at(30_000, failed)
            .closed(30_000),
    );
    records.push(Story::of(22, "12345", "133").queued(0, "main").seat(1_000, "1002").closed(2_000));
    records.push(Story::of(0, "12345", "134").queued(0, "main").seat(1_000, "1002").closed(2_000));
    // A clerk's own call to a line of ours is nobody's call for help.
    records.push(Story::by(30, "12345", "1001", "seats").queued(0, "main").closed(90_000));
    let kpi = Kpi::fold(&records, &Rules::default());
    assert_eq!((kpi.total.opened, kpi.total.missed, kpi.total.called_back), (8, 6, 3));
    assert_eq!(kpi.total.called_back_rate(), Some(0.5));
    assert_eq!((kpi.repeat_callers, kpi.repeat_calls), (2, 2));
    assert_eq!(kpi.outward, BTreeMap::from([("missed".to_owned(), 2), ("own".to_owned(), 1)]));
    // The clerk's minutes are those of the call back; whom it rang is no sub-center.
    assert_eq!((kpi.seats["1001"].handled, kpi.seats["1001"].talked_ms), (2, 18_000));
    assert!(kpi.targets.is_empty(), "{:?}", kpi.targets);
}

fn rules(change: impl FnOnce(&mut Formula)) -> Rules {
    let mut rules = Rules::default();
    change(&mut rules.usual);
    rules
}

/// Prompts until 2 s; then each waits in the queue, is rung there after a while, and picked up.
///
/// | call | in the queue | first rung | picked up | gone |
/// | --- | --- | --- | --- | --- |
/// | 1 | 2 s | 7 s | 12 s | |
/// | 2 | 2 s | 14 s | 18 s | |
/// | 3 | 2 s | 30 s | 33 s | |
/// | 4 | 2 s | never | | 6 s |
/// | 5 | 2 s | 10 s | | 12 s |
fn by_the_table() -> Vec<CallRecord> {
    let rung = |n, rung_ms, up_ms| {
        let story = Story::of(n, "12345", "").queued(2_000, "main").offered(rung_ms, "1001");
        story.seat(up_ms, "1001").seat_left(up_ms + 10_000, "1001").closed(90_000)
    };
    let rung_in_vain = Story::of(5, "12345", "").queued(2_000, "main").offered(10_000, "1001").closed(12_000);
    vec![
        rung(1, 7_000, 12_000),
        rung(2, 14_000, 18_000),
        rung(3, 30_000, 33_000),
        given_up(4, "12345", "", 4_000),
        rung_in_vain,
    ]
}

#[test]
fn each_clock_measures_from_where_it_says() {
    // (clock, in time, gave up at once, mean wait), counted by hand from the table with 12 s and 5 s.
    for (clock, within, at_once, mean_ms) in [
        (Clock::Arrival, 1, 0, 21_000), // 12, 18, 33; gone after 6 and 12.
        (Clock::Queue, 1, 1, 19_000),   // 10, 16, 31; gone after 4 and 10.
        (Clock::Ring, 3, 2, 4_000),     // 5, 4, 3; gone after 4 (from the queue: never rung) and 2.
    ] {
        let rules = rules(|own| (own.clock, own.answer_within) = (clock, Duration::from_secs(12)));
        let total = Kpi::fold(&by_the_table(), &rules).total;
        let found = (total.within, total.abandoned_short, total.waits.mean_ms());
        assert_eq!(found, (within, at_once, Some(mean_ms)), "{clock:?}");
        assert_eq!((total.asked, total.answered, total.within_of_call), (5, 3, 1), "{clock:?}");
        assert_eq!(total.counted(), 5 - at_once, "{clock:?}");
    }
}

#[test]
fn thresholds_are_the_plans_to_the_millisecond() {
    let at = |within_ms, short_ms| {
        let rules = rules(|own| {
            own.answer_within = Duration::from_millis(within_ms);
            own.short_abandon = Duration::from_millis(short_ms);
        });
        let total = Kpi::fold(&by_the_table(), &rules).total;
        (total.within, total.abandoned_short, total.abandoned)
    };
    assert_eq!(at(10_000, 4_000), (1, 0, 2));
    assert_eq!(at(9_999, 4_001), (0, 1, 1));
    assert_eq!(at(31_000, 10_001), (3, 2, 0));
    assert_eq!(at(31_000, 0), (3, 0, 2), "nobody gives up at once");
}

#[test]
fn a_line_is_judged_by_its_own_formula_also_where_it_is_counted_with_others() {
    let mut rules = Rules::default();
    let own = Formula { answer_within: Duration::from_secs(30), answer_rate: 50, ..Formula::default() };
    rules.lines.insert("12328".into(), own);
    let late = |n, line| served(n, line, 20_000, "1001").closed(200_000);
    let records = [late(1, "12345"), late(2, "12328"), given_up(3, "12328", "", 40_000)];
    let kpi = Kpi::fold(&records, &rules);
    assert_eq!((kpi.lines["12345"].within, kpi.lines["12328"].within, kpi.total.within), (0, 1, 1));
    let transport = &kpi.lines["12328"];
    assert_eq!(transport.is_rule_kept(rules.of(&"12328".into()).rate()), Some(true), "one of two are 50 %");
    assert_eq!(transport.is_rule_kept(rules.usual.rate()), Some(false));
}

#[test]
fn what_is_left_out_counts_for_its_own_figures_only() {
    let about = |code: &str, grade| {
        let disposed = Disposed { not_accepted: Some(code.into()), ..Disposed::default() };
        let graded = What::Surveyed { grade, subject: Subject::Talk };
        move |story: Story| story.at(80_000, What::Disposed(disposed.clone())).at(90_000, graded.clone())
    };
    let to_tax = |story: Story| {
        let tax = object(ObjectKind::SubCenter, "12366");
        let story = story.transfer(20_000, ("blind", "requested"), &tax, None);
        story.transfer(22_000, ("blind", "failed"), &tax, Some(486))
    };
    let records = vec![
        served(1, "12345", 10_000, "1001").closed(200_000), // In time.
        about("petition", 5)(served(2, "12345", 20_000, "1001")).closed(200_000), // Late, and very dissatisfied.
        to_tax(served(3, "12315", 4_000, "1001")).closed(200_000), // In time; the transfer fails.
        given_up(4, "12345", "", 1_000),
        Story::by(5, "12345", "", "drill").queued(2_000, "main").closed(60_000), // Gave up.
        Story::of(6, "12366", "").dialled(1_000, "12366").closed(60_000),        // Rung by the trunk "sub".
    ];
    let with = |answer: Vec<Exclusion>, satisfaction: Vec<Exclusion>, transfer: Vec<Exclusion>| {
        let rules = Rules { exclude: Exclude { answer, satisfaction, transfer }, ..Rules::default() };
        let total = Kpi::fold(&records, &rules).total;
        // Whatever is left out of rates is among the counts.
        assert_eq!((total.asked, total.answered, total.within, total.satisfaction.given()), (6, 3, 2, 1));
        assert_eq!((total.abandoned, total.abandoned_short, total.transferred), (2, 1, 1));
        total
    };
    let drills = |trunk: &str| Exclusion::Drill([trunk.into()].into());
    // What is left out, the calls that count, and of those who were answered, and in time.
    for (exclusion, counted, answered, within) in [
        (None, 6, 3, 2),
        (Some(Exclusion::ShortAbandon), 5, 3, 2),
        (Some(Exclusion::Code("petition".into())), 5, 2, 2),
        (Some(Exclusion::Code("litigation".into())), 6, 3, 2),
        (Some(Exclusion::Line("12315".into())), 5, 2, 1),
        (Some(Exclusion::Trunk("drill".into())), 5, 3, 2),
        (Some(drills("drill")), 5, 3, 2),
        (Some(drills("sub")), 5, 3, 2), // The sub-center that was called.
        (Some(drills("other")), 6, 3, 2),
    ] {
        let total = with(exclusion.clone().into_iter().collect(), vec![], vec![]);
        let rates =
            (Some(f64::from(answered) / f64::from(counted)), Some(f64::from(within) / f64::from(counted)));
        assert_eq!(total.counted(), u64::try_from(counted).unwrap(), "{exclusion:?}");
        assert_eq!((total.answer_rate(), total.within_rate()), rates, "{exclusion:?}");
    }
    let all = with(vec![], vec![], vec![]);
    assert_eq!((all.satisfaction.rate_chased(), all.first_correct_rate()), (Some(0.0), Some(0.0)));
    let petition = vec![Exclusion::Code("petition".into())];
    let chased = with(vec![], petition, vec![]);
    assert_eq!((chased.satisfaction.rate(), chased.satisfaction.rate_chased()), (Some(0.0), None));
    let transfers = with(vec![], vec![], vec![Exclusion::Line("12315".into())]);
    assert_eq!(transfers.first_correct_rate(), None);
}

#[test]
fn matters_to_be_handed_on_at_once_are_counted_as_they_stand() {
    use crate::switchboard::fact::{HandOn, HandOnBy};
    use crate::switchboard::request::AtOnce;
    let code = || "complaint".to_owned();
    let at_once = AtOnce { code: code(), to: None, within_ms: 60_000, due_at: Timestamp::UNIX_EPOCH };
    let told =
        |handed, late| What::HandOn(HandOn { code: code(), by: HandOnBy::Ticket, handed, late, took_ms: 9 });
    let said = |n| {
        let disposed = Disposed { immediate: Some(at_once.clone()), ..Disposed::default() };
        served(n, "12345", 1_000, "1001").at(70_000, What::Disposed(disposed))
    };
    let records = [
        said(1).record(),
        said(2).at(71_000, told(true, false)).record(),
        said(3).at(140_000, told(false, true)).record(),
        said(4).at(140_000, told(false, true)).at(150_000, told(true, true)).record(),
        said(5).at(71_000, told(false, true)).at(72_000, What::Disposed(Disposed::default())).record(),
    ];
    let total = Kpi::fold(&records, &Rules::default()).total;
    assert_eq!((total.immediate, total.immediate_in_time, total.immediate_late), (4, 1, 2));
}
