//! Matters that are handed on at once: by a third party who picks up, or by the ticket; in time, late, and never.

use std::net::SocketAddr;
use std::time::Duration;

use hotline::call::Wish;
use hotline::id::{CallId, SeatId};
use hotline::phone::Answers;
use hotline::routing::Plan;
use hotline::routing::afterwards::{Code, Immediate};
use hotline::routing::feed::Feed;
use hotline::routing::peers::{Peers, Platform};
use hotline::routing::people::Role;
use hotline::routing::plan::{Peer, Sink};
use hotline::switchboard::What;
use hotline::switchboard::fact::{HandOn, HandOnBy};
use hotline::switchboard::request::{Asker, AtOnce, Disposed, Refusal, Reply, Request};

use crate::city::{City, millis, secs};
use crate::clerk::Who;
use crate::desk::Office;
use crate::seed::in_a_city_with;

/// The tax office is at the first telephone of the city. Complaints go to it within a minute, reports by their ticket
/// within ten seconds.
fn at_once(plan: &mut Plan) {
    let trunk = plan.trunks.get_mut("sub-12366").expect("the shipped plan has it");
    trunk.targets = vec![SocketAddr::from(([127, 1, 0, 1], 5060)).into()];
    let code = |code: &str| Code { code: code.into(), name: code.into() };
    plan.disposition.types = ["consultation", "complaint", "report"].map(code).into();
    plan.disposition.not_accepted = vec![code("litigation")];
    let complaint = Immediate { code: "complaint".into(), to: Some("12366".into()), within: secs(60) };
    let report = Immediate { code: "report".into(), to: None, within: secs(10) };
    plan.disposition.immediate = vec![complaint, report];
}

fn about(kind: &str) -> Disposed {
    Disposed { kind: Some(kind.into()), ..Disposed::default() }
}

fn asks(city: &mut City, request: Request) -> Result<Reply, Refusal> {
    let seat = SeatId::from("1001");
    let asker = Asker { name: "1001".into(), role: Role::Clerk, seat: Some(seat) };
    let now = city.now();
    let reply = city.board.ask(&asker, request, now);
    city.dispatch();
    reply
}

fn says(city: &mut City, call: CallId, disposed: Disposed) -> Option<AtOnce> {
    match asks(city, Request::Dispose { call, disposed }) {
        Ok(Reply::AtOnce(own)) => Some(own),
        Ok(Reply::Done) => None,
        other => panic!("{other:?}"),
    }
}

/// Caller and clerk talk; the tax office picks up two seconds after it is rung.
fn talking(city: &mut City) -> (Who, Who, CallId) {
    let taxes = city.phone("12366").waits();
    city.telephone(taxes).phone.set_answers(Answers::After(secs(2)));
    let clerk = city.seat("1001").answers_after(secs(1));
    let caller = city.phone("13800000001").dials("12345");
    assert!(city.run_until(secs(60), |city| city.talks_to(caller) == Some(clerk)));
    city.run_for(secs(5)); // The seat's number is said first.
    let call = city.call_of(caller).expect("a call");
    (caller, clerk, call)
}

fn told(city: &City, call: CallId) -> Vec<HandOn> {
    let told = city.store.facts[&call].iter().filter_map(|fact| match &fact.what {
        What::HandOn(told) => Some(told.clone()),
        _ => None,
    });
    told.collect()
}

fn asks_the_taxes(city: &mut City, call: CallId) {
    let wish = Wish::Consult { to: "12366".into() };
    assert_eq!(asks(city, Request::Call { call, wish }), Ok(Reply::Done));
}

fn ends(city: &mut City, caller: Who, clerk: Who) {
    city.hangs_up(clerk);
    city.hangs_up(caller);
    city.run_for(secs(5));
}

#[test]
fn a_complaint_names_whom_to_ask_in_and_is_handed_on_when_they_pick_up() {
    in_a_city_with(at_once, |city| {
        let (caller, clerk, call) = talking(city);
        assert_eq!(says(city, call, about("consultation")), None);
        let own = says(city, call, about("complaint")).expect("at once");
        assert_eq!(
            (own.code.as_str(), own.to.clone(), own.within_ms),
            ("complaint", Some("12366".into()), 60_000)
        );
        let left = own.due_at.duration_since(city.now().wall);
        assert_eq!(left.as_millis(), 60_000);
        assert_eq!(
            city.board.hand_ons().map(|(of, _, late)| (of, late)).collect::<Vec<_>>(),
            [(call, false)]
        );
        city.run_for(secs(20));
        // Said again, the clock goes on.
        says(city, call, Disposed { secret: true, ..about("complaint") });
        asks_the_taxes(city, call);
        city.run_for(secs(10));
        let handed = told(city, call);
        let [HandOn { code, by: HandOnBy::Call, handed: true, late: false, took_ms }] = &handed[..] else {
            panic!("{handed:?}");
        };
        assert!(code == "complaint" && (21_000..=26_000).contains(took_ms), "{took_ms}");
        assert_eq!(city.board.hand_ons().count(), 0);
        city.run_for(secs(60));
        assert_eq!(told(city, call).len(), 1, "it is not late afterwards");
        ends(city, caller, clerk);
        let record = city.record_of(caller);
        assert_eq!(record.marks.hand_on(), Some(Some(false)));
    });
}

/// It is due when it was at first, and handed on once.
#[test]
fn a_matter_that_is_said_once_more_stands_as_it_did_before_and_after_the_hand_over() {
    for kind in ["complaint", "report"] {
        for late in [false, true] {
            in_a_city_with(at_once, |city| {
                city.office_is(Office::Open(millis(40)));
                let (caller, clerk, call) = talking(city);
                if late {
                    city.office_is(Office::Down);
                }
                let first = says(city, call, about(kind)).expect("at once");
                city.run_for(if late { secs(70) } else { millis(500) });
                let owed = told(city, call).last().is_none_or(|told| !told.handed);
                assert!(owed || kind == "report");
                assert_eq!(says(city, call, about(kind)), Some(first.clone()), "while it is owed");
                city.office_is(Office::Open(millis(40)));
                asks_the_taxes(city, call);
                assert!(
                    city.run_until(secs(180), |city| told(city, call).last().is_some_and(|own| own.handed))
                );
                let handed = told(city, call);
                assert_eq!(handed.last().map(|own| own.late), Some(late), "{handed:?}");
                // Neither who was asked in before nor an office that is down is heard of now.
                city.office_is(Office::Down);
                assert_eq!(says(city, call, about(kind)), Some(first.clone()), "afterwards");
                city.run_for(secs(70));
                assert_eq!(told(city, call), handed);
                assert_eq!(city.board.hand_ons().count(), 0);
                let disposed = city.store.facts[&call].iter().filter_map(|fact| match &fact.what {
                    What::Disposed(disposed) => disposed.immediate.as_ref().map(|own| own.due_at),
                    _ => None,
                });
                assert_eq!(disposed.collect::<Vec<_>>(), [first.due_at; 3]);
                // Another matter meanwhile: then it is one of its own.
                says(city, call, about("consultation"));
                city.office_is(Office::Open(millis(40)));
                let anew = says(city, call, about(kind)).expect("at once");
                assert!(anew.due_at > first.due_at);
                assert!(city.run_until(secs(180), |city| told(city, call).len() > handed.len()));
                ends(city, caller, clerk);
            });
        }
    }
}

/// Facts name a platform by its organisation code, and clerks by its number.
#[test]
fn a_complaint_is_handed_on_when_the_county_whose_number_is_named_picks_up() {
    let county = |plan: &mut Plan| {
        at_once(plan);
        plan.city.org = Some("410900".into());
        let ring = secs(20);
        let peer = Peer {
            trunk: "sub-12366".into(),
            number: "039312345".into(),
            ring,
            drill: false,
            hours: Default::default(),
        };
        plan.peers = Peers::new([Platform {
            number: "7101".into(),
            name: "濮阳县 12345".into(),
            org: "410928".into(),
            parent: None,
            peer,
            hands_over: false,
            priority: 0,
            hops_max: 3,
        }]);
        plan.disposition.immediate[0].to = Some("7101".into());
    };
    in_a_city_with(county, |city| {
        let (caller, clerk, call) = talking(city);
        says(city, call, about("complaint")).expect("at once");
        let wish = Wish::Consult { to: "7101".into() };
        assert_eq!(asks(city, Request::Call { call, wish }), Ok(Reply::Done));
        city.run_for(secs(10));
        let handed = told(city, call);
        assert!(
            matches!(&handed[..], [HandOn { by: HandOnBy::Call, handed: true, late: false, .. }]),
            "{handed:?}"
        );
        ends(city, caller, clerk);
    });
}

#[test]
fn a_complaint_that_nobody_takes_is_told_once_when_it_is_late_and_when_it_was_taken_after_all() {
    in_a_city_with(at_once, |city| {
        let (caller, clerk, call) = talking(city);
        says(city, call, about("complaint")).expect("at once");
        city.run_for(secs(59));
        assert_eq!(told(city, call), []);
        city.run_for(secs(2));
        let overdue = told(city, call);
        assert!(matches!(&overdue[..], [HandOn { handed: false, late: true, .. }]), "{overdue:?}");
        assert_eq!(city.board.hand_ons().map(|(_, _, late)| late).collect::<Vec<_>>(), [true]);
        city.run_for(secs(60));
        assert_eq!(told(city, call).len(), 1, "once");
        asks_the_taxes(city, call);
        city.run_for(secs(10));
        let late = told(city, call);
        assert!(matches!(&late[1..], [HandOn { handed: true, late: true, .. }]), "{late:?}");
        ends(city, caller, clerk);
        assert_eq!(city.record_of(caller).marks.hand_on(), Some(Some(true)));
    });
}

#[test]
fn who_was_asked_in_before_the_clerk_said_what_it_is_about_counts_also_behind_the_call() {
    in_a_city_with(at_once, |city| {
        let (caller, clerk, call) = talking(city);
        asks_the_taxes(city, call);
        city.run_for(secs(10));
        ends(city, caller, clerk);
        assert!(says(city, call, about("complaint")).is_some());
        city.run_for(secs(1));
        let handed = told(city, call);
        assert!(matches!(&handed[..], [HandOn { handed: true, late: false, took_ms: 0, .. }]), "{handed:?}");
    });
}

#[test]
fn a_report_is_handed_on_when_the_office_has_taken_the_event_that_says_until_when() {
    in_a_city_with(at_once, |city| {
        city.office_is(Office::Open(millis(40)));
        let (caller, clerk, call) = talking(city);
        let own = says(city, call, about("report")).expect("at once");
        assert_eq!(own.to, None);
        city.run_for(secs(2));
        let handed = told(city, call);
        assert!(
            matches!(
                &handed[..],
                [HandOn { by: HandOnBy::Ticket, handed: true, late: false, took_ms: 40.., .. }]
            ),
            "{handed:?}"
        );
        ends(city, caller, clerk);
    });
}

#[test]
fn a_report_is_handed_on_by_the_ticket_offices_whatever_feeds_there_are() {
    // Its scope does not hold the call: it is never owed the event.
    let feed = |plan: &mut Plan| {
        at_once(plan);
        plan.feeds = vec![Feed {
            experts: Default::default(),
            sink: Sink { name: "justice".into(), ..plan.sinks[0].clone() },
            owners: Vec::new(),
            lines: ["12348".into()].into(),
            departments: Default::default(),
            fields: ["ticket".to_owned()].into(),
            daily: None,
        }];
    };
    in_a_city_with(feed, |city| {
        let (caller, clerk, call) = talking(city);
        assert_eq!(city.board.outboxes().len(), 2);
        says(city, call, about("report")).expect("at once");
        city.run_for(secs(20));
        let handed = told(city, call);
        assert!(
            matches!(&handed[..], [HandOn { by: HandOnBy::Ticket, handed: true, late: false, .. }]),
            "{handed:?}"
        );
        assert_eq!(city.board.hand_ons().count(), 0);
        ends(city, caller, clerk);
    });
}

#[test]
fn a_report_is_late_while_the_office_is_down_and_handed_on_when_it_is_back() {
    in_a_city_with(at_once, |city| {
        let (caller, clerk, call) = talking(city);
        city.office_is(Office::Down);
        says(city, call, about("report")).expect("at once");
        city.run_for(secs(12));
        let overdue = told(city, call);
        assert!(matches!(&overdue[..], [HandOn { handed: false, late: true, .. }]), "{overdue:?}");
        city.office_is(Office::Open(millis(5)));
        assert!(city.run_until(secs(180), |city| told(city, call).len() == 2));
        assert!(matches!(&told(city, call)[1..], [HandOn { handed: true, late: true, .. }]));
        ends(city, caller, clerk);
    });
}

#[test]
fn another_matter_and_one_that_is_not_accepted_are_handed_on_to_nobody() {
    in_a_city_with(at_once, |city| {
        let (caller, clerk, call) = talking(city);
        let refused = Disposed { not_accepted: Some("litigation".into()), ..about("complaint") };
        assert_eq!(says(city, call, refused), None);
        says(city, call, about("complaint")).expect("at once");
        assert_eq!(says(city, call, about("consultation")), None, "it was a slip");
        city.run_for(Duration::from_secs(90));
        assert_eq!(told(city, call), []);
        ends(city, caller, clerk);
        assert_eq!(city.record_of(caller).marks.hand_on(), None);
        // Nobody but the plan says what is at once.
        let own = AtOnce { code: "x".into(), to: None, within_ms: 1, due_at: city.now().wall };
        assert_eq!(says(city, call, Disposed { immediate: Some(own), ..about("consultation") }), None);
    });
}
