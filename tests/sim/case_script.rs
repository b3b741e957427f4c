//! Callers who help themselves: they order a ticket, ask how far it is, and have somebody called whose car is
//! in the way; and whatever they press, there is a person, a ticket, or their own leaving at the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hotline::id::LegId;
use hotline::phone::{Answers, Dial, PhoneEvent};
use hotline::routing::Plan;
use hotline::routing::afterwards::Calling;
use hotline::routing::plan::ForwardedIn;
use hotline::routing::script::{
    Act, Branch, Case, Collect, Condition, LookUp, LookUpKind, LookUpSource, Menu, Message, Order, Reading,
    Script, Spoken, Target, Transfer,
};
use hotline::switchboard::fact::{Answer, Cause, NotRelayed};
use hotline::switchboard::{Input, What};
use hotline::telemetry::CallRecord;
use hotline::tickets::event::{EventBody, read};

use crate::adapter::Mood;
use crate::busy::hurries;
use crate::city::{City, millis, secs};
use crate::clerk::{Deed, Who, address};
use crate::desk::has;
use crate::exchange::{Exchange, Temper};
use crate::network::Weather;
use crate::seed::{in_a_city_with, play, seeds};

const CAR: &str = "4711";
const OWNER: &str = "13900000007";
const CALLER: &str = "13800000001";

/// Flows on 12345, a trunk to everybody outside, and two adapters.
fn helps_itself(plan: &mut Plan) {
    let far: SocketAddr = ([127, 1, 0, 1], 5060).into();
    let mut trunk = plan.trunks["sub-12366"].clone();
    (trunk.id, trunk.targets) = ("outward".into(), vec![far.into()]);
    trunk.forwarded_in = vec![ForwardedIn::HistoryInfo, ForwardedIn::Diversion];
    plan.trunks.insert(trunk.id.clone(), trunk);
    plan.calling = Some(Calling {
        prefix: "9".into(),
        allowed: vec!["13".into()],
        trunk: "outward".into(),
        line: "12336".into(),
        ring: secs(15),
    });
    plan.missed.enabled = true;
    plan.missed.after = secs(1);
    for (id, kind) in [("tickets", LookUpKind::Tickets), ("cars", LookUpKind::Jsonl { path: "cars".into() })]
    {
        let says = ["state", "opened", "owner"].map(str::to_owned).into();
        let source =
            LookUpSource { id: id.into(), kind, says, timeout: secs(3), misses_max: 3, lock: secs(3_600) };
        plan.look_ups.insert(source.id.clone(), source);
    }
    for (id, acts) in flows() {
        plan.scripts.insert(id.into(), Arc::new(Script { id: id.into(), acts }));
    }
    plan.lines.get_mut("12345").expect("shipped").script = Some("main".into());
}

fn flows() -> Vec<(&'static str, Vec<Act>)> {
    let keys = [('1', "order".into()), ('2', "progress".into()), ('3', "car".into())];
    let menu = Menu { prompt: "greeting".into(), keys: keys.into(), wait: secs(5), tries: 2 };
    vec![
        ("main", vec![Act::Menu(menu)]),
        (
            "order",
            vec![
                Act::Message(Message {
                    into: "what".into(),
                    prompt: "transfer_wait".into(),
                    most: secs(60),
                    least: secs(3),
                    tries: 2,
                }),
                collect("phone", 11, 11),
                Act::Order(Order {
                    category: "noise".into(),
                    values: ["what", "phone"].map(str::to_owned).to_vec(),
                    prompt: "ticket_number".into(),
                    code_prompt: Some("gonghao".into()),
                }),
                Act::HangUp,
            ],
        ),
        (
            "progress",
            vec![
                collect("number", 11, 14),
                collect("code", 6, 6),
                look_up("tickets", &[("ticket", "number"), ("code", "code")], Some("progress")),
                Act::Branch(Branch {
                    cases: vec![Case {
                        when: vec![Condition::Value { name: "state".into(), is: vec!["done".into()] }],
                        to: "said".into(),
                    }],
                    otherwise: None,
                }),
            ],
        ),
        (
            "said",
            vec![
                Act::Say(vec![
                    Spoken::Value { name: "number".into(), reading: Reading::Digits },
                    Spoken::Prompt("goodbye".into()),
                ]),
                Act::HangUp,
            ],
        ),
        (
            "car",
            vec![
                collect("plate", 3, 6),
                look_up("cars", &[("plate", "plate")], None),
                Act::Transfer(Transfer { to: Target::Value("owner".into()), failed: None }),
                Act::Play("system_fault".into()),
            ],
        ),
    ]
}

fn collect(into: &str, least: u8, most: u8) -> Act {
    let prompt = "transfer_wait".into();
    Act::Collect(Collect { into: into.into(), prompt, least, most, wait: secs(5), tries: 2 })
}

fn look_up(source: &str, with: &[(&str, &str)], missing: Option<&str>) -> Act {
    Act::LookUp(LookUp {
        source: source.into(),
        with: with.iter().map(|(theirs, ours)| (theirs.to_string(), ours.to_string())).collect(),
        music: Some("hold_music".into()),
        missing: missing.map(Into::into),
        failed: None,
    })
}

/// Whoever is called by the trunk outward.
fn owner(city: &mut City, answers: Answers) -> Who {
    assert_eq!(city.people().count(), 0, "it has the first place");
    let owner = city.phone(OWNER).waits();
    city.telephone(owner).phone.set_answers(answers);
    owner
}

fn is_served(city: &City, who: Who) -> bool {
    city.state_of(who) == Some("self_service")
}

/// Dials 12345 and takes this way.
fn chooses(city: &mut City, caller: Who, key: &'static str) {
    city.dials(caller, "12345");
    assert!(city.run_until(secs(5), |city| is_served(city, caller)), "{}", city.story());
    city.run_for(secs(1));
    city.presses(caller, key);
    city.run_for(secs(1));
}

/// Types in what a telephone would send, key by key.
fn types(city: &mut City, caller: Who, keys: &str) {
    city.presses(caller, keys);
    city.run_for(millis(300 * (keys.len() as u64 + 1)));
}

fn is_over(city: &mut City, caller: Who, most: Duration) {
    assert!(city.run_until(most, |city| city.call_of(caller).is_none()), "{}", city.story());
    city.run_for(secs(2));
}

/// Orders, and gives the ticket's number and its code as the office has them.
fn orders(city: &mut City, caller: Who) -> (String, String) {
    chooses(city, caller, "1");
    city.presses(caller, "5"); // The invitation is known.
    city.run_for(secs(6));
    types(city, caller, "#");
    types(city, caller, "13900000008#");
    is_over(city, caller, secs(60));
    let call = city.record_of(caller).call;
    let events = city.books.taken.iter().filter(|event| event.event.call == call);
    let mut ordered = events.filter_map(|event| match read(&event.json).expect("an event").body {
        EventBody::Ordered { ticket, code, .. } => Some((ticket, code.expect("it was read out"))),
        _ => None,
    });
    ordered.next_back().expect("the office has it")
}

#[test]
fn who_orders_a_ticket_by_keys_and_voice_needs_no_clerk_and_the_office_has_all_of_it() {
    in_a_city_with(helps_itself, |city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone(CALLER).waits();
        let (ticket, code) = orders(city, caller);
        let record = city.record_of(caller);
        assert_eq!(record.ticket, ticket);
        assert!(code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit()), "{code}");
        assert!(!code.starts_with('0'), "{code}: that would be the key for a person");
        assert_eq!((record.cause, record.seat.clone(), record.offers), (Some(Cause::Completed), None, 0));
        assert_eq!(record.ticket_left.as_deref(), Some("self_service"));
        let served = &record.served;
        assert_eq!(served.flows, ["main", "order"].map(Into::into));
        assert_eq!(served.flow, Some("order".into()));
        let ordered = served.ordered.as_ref().expect("an order");
        assert_eq!(ordered.category, "noise");
        let span = ordered.message.expect("a message");
        assert_eq!(served.messages, [span]);
        assert!((5_500..=7_500).contains(&(span.to_ms - span.from_ms)), "{span:?}");
        assert!(record.recording_ms.is_some_and(|whole| span.to_ms < whole), "{record:?}");
        // The citizen's keys: the way, the invitation, the message's end. The number is the value's.
        assert_eq!(record.digits, "15#");
        let facts = &city.store.facts[&record.call];
        let events: Vec<EventBody> = city
            .books
            .taken
            .iter()
            .filter(|event| event.event.call == record.call)
            .map(|event| read(&event.json).expect("an event").body)
            .collect();
        let place =
            |wanted: fn(&EventBody) -> bool| events.iter().position(wanted).expect("the office knows");
        let message = place(|body| matches!(body, EventBody::MessageLeft { .. }));
        let left =
            place(|body| matches!(body, EventBody::TicketLeft { reason, .. } if reason == "self_service"));
        let order = place(|body| matches!(body, EventBody::Ordered { .. }));
        assert!(message < left && left < order, "{events:?}");
        let EventBody::Ordered { values, message: Some(_), .. } = &events[order] else {
            panic!("{:?}", events[order])
        };
        assert_eq!(values["phone"], "13900000008");
        assert!(has(facts, |what| matches!(what, What::Ordered { code: Some(_), .. })));
        assert!(city.board.missed().is_empty(), "nobody waited for a clerk");
        assert!(city.look_at(clerk).is_idle());
        // On no board.
        let board = hotline::console::snapshot(&city.board, city.now()).to_string();
        assert!(!board.contains(&code), "{board}");
    });
}

#[test]
fn who_hangs_up_having_spoken_has_ordered() {
    in_a_city_with(helps_itself, |city| {
        let caller = city.phone(CALLER).waits();
        chooses(city, caller, "1");
        city.presses(caller, "5");
        city.run_for(secs(6));
        city.hangs_up(caller);
        is_over(city, caller, secs(5));
        let record = city.record_of(caller);
        assert_eq!(record.cause, Some(Cause::CallerHungUp));
        assert_eq!(record.ticket_left.as_deref(), Some("self_service"));
        assert!(record.served.ordered.is_some_and(|ordered| ordered.message.is_some()));

        let hasty = city.phone("13800000002").waits();
        chooses(city, hasty, "1");
        city.presses(hasty, "5");
        city.run_for(secs(2));
        city.hangs_up(hasty);
        is_over(city, hasty, secs(5));
        let record = city.record_of(hasty);
        assert_eq!((record.ticket_left, record.served.ordered), (None, None));
        assert!(city.board.missed().is_empty());
    });
}

#[test]
fn progress_is_told_by_number_and_code_and_whoever_guesses_is_asked_no_more() {
    in_a_city_with(helps_itself, |city| {
        city.seat("1001").talks_for(secs(5)).answers_after(secs(1));
        let caller = city.phone(CALLER).waits();
        let (ticket, code) = orders(city, caller);
        let asks = |city: &mut City, who: Who, code: &str| {
            types(city, who, &format!("{ticket}#"));
            types(city, who, code);
            city.run_for(secs(1));
        };
        chooses(city, caller, "2");
        asks(city, caller, &code);
        is_over(city, caller, secs(30));
        let record = city.record_of(caller);
        assert_eq!(record.cause, Some(Cause::Completed));
        assert_eq!(record.served.look_ups[0].answer, Answer::Found);
        assert_eq!(record.digits, "2", "neither number nor code is in the record: {record:?}");

        // Somebody tries codes: three in vain, and then nobody is asked, whoever hangs up and comes again.
        let wrong = if code == "222222" { "111111" } else { "222222" };
        let guesser = city.phone("13800000002").waits();
        chooses(city, guesser, "2");
        asks(city, guesser, wrong);
        asks(city, guesser, wrong);
        city.hangs_up(guesser);
        is_over(city, guesser, secs(5));
        chooses(city, guesser, "2");
        asks(city, guesser, wrong);
        let asked = city.adapters.asked.len();
        asks(city, guesser, &code);
        assert_eq!(city.adapters.asked.len(), asked, "the right one comes too late");
        assert!(city.run_until(secs(10), |city| city.talks_to(guesser).is_some()), "{}", city.story());
        city.run_for(secs(10));
        is_over(city, guesser, secs(60));
        let answers: Vec<Answer> =
            city.record_of(guesser).served.look_ups.iter().map(|asked| asked.answer).collect();
        assert_eq!(answers, [Answer::Missing, Answer::Locked]);

        // Nobody else is locked, as long as it was one who guessed.
        let other = city.phone("13800000003").waits();
        chooses(city, other, "2");
        asks(city, other, &code);
        is_over(city, other, secs(30));
        assert_eq!(city.record_of(other).served.look_ups[0].answer, Answer::Found);

        // By other numbers it goes on no further: whoever asks about that ticket comes to a person now.
        let another = city.phone("13800000004").waits();
        chooses(city, another, "2");
        asks(city, another, wrong);
        asks(city, another, wrong);
        city.hangs_up(another);
        is_over(city, another, secs(5));
        let anew = city.phone("13800000005").waits();
        chooses(city, anew, "2");
        asks(city, anew, wrong);
        asks(city, anew, &code);
        assert!(city.run_until(secs(10), |city| city.talks_to(anew).is_some()), "{}", city.story());
        is_over(city, anew, secs(60));
        let answers: Vec<Answer> =
            city.record_of(anew).served.look_ups.iter().map(|asked| asked.answer).collect();
        assert_eq!(answers, [Answer::Missing, Answer::Locked]);

        // What a restart is to know of it stands in the facts, and the code that was tried does not.
        let mut facts: Vec<_> = city.store.facts.values().flatten().cloned().collect();
        facts.sort_by_key(|fact| (fact.at, fact.call, fact.sequence));
        let about: Vec<_> = facts
            .iter()
            .filter_map(|fact| match &fact.what {
                What::LookedUp { answer: Answer::Missing, about, .. } => Some(about.clone()),
                _ => None,
            })
            .collect();
        assert!(about.len() == 6 && about.iter().all(|it| it.is_some() && *it == about[0]), "{about:?}");
        let written = format!("{facts:?}");
        assert!(!written.contains(wrong), "{written}");
        city.run_for(secs(3_600));
        chooses(city, guesser, "2");
        asks(city, guesser, &code);
        is_over(city, guesser, secs(30));
        assert_eq!(city.record_of(guesser).served.look_ups[0].answer, Answer::Found);
    });
}

#[test]
fn an_adapter_that_fails_or_says_nothing_or_too_late_leads_to_a_person() {
    for mood in [Mood::Fails, Mood::Mute, Mood::Answers(secs(6))] {
        in_a_city_with(helps_itself, |city| {
            city.adapters.mood = mood;
            let clerk = city.seat("1001").talks_for(secs(8)).answers_after(secs(1));
            let caller = city.phone(CALLER).waits();
            chooses(city, caller, "3");
            types(city, caller, &format!("{CAR}#"));
            assert!(city.run_until(secs(10), |city| city.talks_to(caller) == Some(clerk)), "{mood:?}");
            city.run_for(secs(15));
            let record = city.record_of(caller);
            assert_eq!(record.served.look_ups[0].answer, Answer::Failed, "{mood:?}");
            assert_eq!(record.served.flow, None, "{mood:?}");
        });
    }
}

/// What the house sent to an address: SIP as it was written.
fn letters(city: &City, to: Who) -> Vec<String> {
    let address = city.look_at(to).sip;
    let mine = city.net.tapped.iter().filter(|letter| letter.to == address);
    mine.map(|letter| String::from_utf8_lossy(&letter.bytes).into_owned()).collect()
}

#[test]
fn the_owner_of_a_car_and_whom_it_is_in_the_way_talk_and_neither_sees_the_others_number() {
    in_a_city_with(helps_itself, |city| {
        city.net.taps = true;
        city.adapters.cars.insert(CAR.into(), OWNER.into());
        let owner = owner(city, Answers::After(secs(3)));
        let caller = city.phone(CALLER).waits();
        chooses(city, caller, "3");
        types(city, caller, &format!("{CAR}#"));
        assert!(
            city.run_until(secs(3), |city| city.state_of(caller) == Some("dialling")),
            "{}",
            city.story()
        );
        assert!(city.run_until(secs(8), |city| city.hears(caller, owner) && city.hears(owner, caller)));
        city.run_for(secs(2));
        city.hangs_up(owner);
        is_over(city, caller, secs(5));

        let (to_owner, to_caller) = (letters(city, owner), letters(city, caller));
        let invite = to_owner.iter().find(|letter| letter.starts_with("INVITE ")).expect("it was called");
        assert!(invite.starts_with(&format!("INVITE sip:{OWNER}@")), "{invite}");
        let from = invite.lines().find(|line| line.starts_with("From: ")).expect("a From");
        // The line of `[calling]`; which one was dialled stands nowhere.
        assert!(from.contains("sip:12336@") && !invite.contains("sip:12345@"), "{from}\n{invite}");
        assert!(!invite.contains("\nDiversion:") && !invite.contains("\nHistory-Info:"), "{invite}");
        for (number, letters) in [("13800000001", &to_owner), (OWNER, &to_caller)] {
            // Without the country's or the area's code, in whatever header or body.
            let number = &number[2..];
            let told: Vec<&String> = letters.iter().filter(|letter| letter.contains(number)).collect();
            let own = |letter: &&&String| !letter.starts_with("INVITE sip:139") || number != &OWNER[2..];
            assert_eq!(told.iter().filter(own).count(), 0, "{number}: {told:#?}");
        }
        assert!(to_caller.len() >= 3 && to_owner.len() >= 2, "both were spoken with");

        let record = city.record_of(caller);
        assert_eq!(record.cause, Some(Cause::OtherHungUp));
        assert_eq!(record.peer.as_deref(), Some("outward/139******07"));
        assert!(record.recording.is_some());
        let facts = format!("{:?}", city.store.facts[&record.call]);
        assert!(!facts.contains(OWNER), "{facts}");
        let told = city.books.taken.iter().find(|event| event.json.contains(OWNER));
        assert!(told.is_none(), "{told:?}");
        let board = hotline::console::snapshot(&city.board, city.now()).to_string();
        assert!(!board.contains(OWNER), "{board}");
    });
}

#[test]
fn an_owner_who_sends_the_call_on_to_110_is_one_who_does_not_answer() {
    let decided = |plan: &mut Plan| {
        helps_itself(plan);
        let emergency = plan.trunks.get_mut("emergency").expect("the shipped plan has it");
        emergency.targets = vec![address(1).into()];
    };
    in_a_city_with(decided, |city| {
        city.adapters.cars.insert(CAR.into(), OWNER.into());
        let owner = owner(city, Answers::Never);
        city.exchanges.insert(owner.0, Exchange::default());
        city.way_is(owner, Temper::SendsTo(address(1)));
        let police = city.phone("110").waits();
        let clerk = city.seat("1001").talks_for(secs(5)).answers_after(secs(1));
        let caller = city.phone(CALLER).waits();
        chooses(city, caller, "3");
        types(city, caller, &format!("{CAR}#"));
        assert!(city.run_until(secs(30), |city| city.talks_to(caller) == Some(clerk)), "{}", city.story());
        assert!(!city.saw(police, |event| matches!(event, PhoneEvent::IncomingCall { .. })), "110 rang");
        city.run_for(secs(10));
        let facts = &city.store.facts[&city.record_of(caller).call];
        assert!(has(facts, |what| matches!(what, What::PeerFailed { status: 302, .. })), "{facts:?}");
    });
}

#[test]
fn an_owner_puts_the_caller_through_to_nobody() {
    for target in ["110", "1001", "12366", "13900000007"] {
        in_a_city_with(helps_itself, |city| {
            city.adapters.cars.insert(CAR.into(), OWNER.into());
            let owner = owner(city, Answers::After(secs(1)));
            city.seat("1001").answers_after(secs(1));
            let caller = city.phone(CALLER).waits();
            chooses(city, caller, "3");
            types(city, caller, &format!("{CAR}#"));
            assert!(city.run_until(secs(8), |city| city.hears(caller, owner)), "{}", city.story());
            city.order(owner, |phone, now| phone.refer(target, now)).expect("they talk");
            city.run_for(secs(5));
            assert!(city.hears(caller, owner) && city.hears(owner, caller), "{target}: {}", city.story());
            city.hangs_up(owner);
            is_over(city, caller, secs(10));
            let facts = &city.store.facts[&city.record_of(caller).call];
            assert!(has(facts, |what| matches!(what, What::Transfer { status: Some(603), .. })), "{facts:?}");
            let dialled = facts.iter().filter(|fact| matches!(fact.what, What::PeerDialled { .. })).count();
            assert_eq!(dialled, 1, "{target}: {facts:?}");
            assert!(!has(facts, |what| matches!(what, What::SeatOffered { .. })), "{facts:?}");
        });
    }
}

#[test]
fn one_owner_is_rung_three_times_in_half_an_hour_and_then_there_is_a_person() {
    in_a_city_with(helps_itself, |city| {
        city.adapters.cars.insert(CAR.into(), OWNER.into());
        let owner = owner(city, Answers::After(secs(1)));
        let clerk = city.seat("1001").talks_for(secs(5)).answers_after(secs(1));
        let asks = |city: &mut City, caller: Who| {
            chooses(city, caller, "3");
            types(city, caller, &format!("{CAR}#"));
        };
        let callers = [CALLER, "13800000002", CALLER].map(|number| city.phone(number).waits());
        for caller in callers {
            asks(city, caller);
            assert!(city.run_until(secs(8), |city| city.hears(caller, owner)), "{}", city.story());
            city.hangs_up(owner);
            is_over(city, caller, secs(10));
        }
        let another = city.phone("13800000003").waits();
        asks(city, another);
        assert!(city.run_until(secs(30), |city| city.talks_to(another) == Some(clerk)), "{}", city.story());
        is_over(city, another, secs(60));
        let facts = &city.store.facts[&city.record_of(another).call];
        let declined =
            |what: &What| matches!(what, What::RelayDeclined { number } if number == "139******07");
        assert!(has(facts, declined), "{facts:?}");
        assert!(!has(facts, |what| matches!(what, What::PeerDialled { .. })), "{facts:?}");
        city.run_for(secs(1_800));
        asks(city, another);
        assert!(city.run_until(secs(8), |city| city.hears(another, owner)), "{}", city.story());
    });
}

#[test]
fn an_answer_that_names_nobody_who_may_be_rung_is_told_with_no_more_of_it_than_a_log_may_show() {
    for (said, known) in [("15900000007", "159******07"), ("\u{1b}[31mcall me", "")] {
        in_a_city_with(helps_itself, |city| {
            city.adapters.cars.insert(CAR.into(), said.into());
            let caller = city.phone(CALLER).waits();
            chooses(city, caller, "3");
            types(city, caller, &format!("{CAR}#"));
            let told = |city: &City| {
                let call = city.call_of(caller).expect("it goes on");
                let facts = city.store.facts.get(&call).into_iter().flatten();
                let number = |what: &What| match what {
                    What::NotRelayed { name, why: NotRelayed::NotAllowed, number } if name == "owner" => {
                        Some(number.clone())
                    }
                    _ => None,
                };
                facts.filter_map(|fact| number(&fact.what)).next()
            };
            assert!(city.run_until(secs(20), |city| told(city).is_some()), "{}", city.story());
            assert_eq!(told(city).as_deref(), Some(known));
            city.hangs_up(caller);
            is_over(city, caller, secs(5));
        });
    }
}

#[test]
fn an_owner_who_does_not_answer_leaves_the_caller_to_a_person_and_so_does_the_key() {
    for (answers, key) in [(Answers::Busy, None), (Answers::Never, None), (Answers::Never, Some("0"))] {
        in_a_city_with(helps_itself, |city| {
            city.adapters.cars.insert(CAR.into(), OWNER.into());
            let owner = owner(city, answers);
            let clerk = city.seat("1001").talks_for(secs(5)).answers_after(secs(1));
            let caller = city.phone(CALLER).waits();
            chooses(city, caller, "3");
            types(city, caller, &format!("{CAR}#"));
            city.run_for(secs(1));
            if let Some(key) = key {
                city.presses(caller, key);
            }
            let most = if key.is_some() { secs(3) } else { secs(60) };
            assert!(city.run_until(most, |city| city.talks_to(caller) == Some(clerk)), "{}", city.story());
            assert!(city.look_at(owner).is_idle());
            city.run_for(secs(10));
            let facts = &city.store.facts[&city.record_of(caller).call];
            assert!(has(
                facts,
                |what| matches!(what, What::PeerFailed { number, .. } if number == "139******07")
            ));
        });
    }
}

#[test]
fn a_vanished_telephone_and_a_drain_end_a_flow_as_any_call() {
    in_a_city_with(helps_itself, |city| {
        let caller = city.phone(CALLER).waits();
        chooses(city, caller, "1");
        city.presses(caller, "5");
        city.run_for(secs(4));
        city.vanishes(caller);
        is_over(city, caller, secs(120));
        assert_eq!(city.record_of(caller).ticket_left.as_deref(), Some("self_service"));
        let other = city.phone("13800000002").waits();
        chooses(city, other, "2");
        city.drains(secs(5));
        city.run_for(secs(10));
        assert_eq!(city.record_of(other).cause, Some(Cause::Drained));
        assert_eq!(city.board.missed().len(), 1, "that was not the caller's wish");
    });
}

/// A caller who presses at random, and may leave at any time.
fn presses_at_random(city: &mut City) -> Vec<(Duration, Deed)> {
    const KEYS: [&str; 12] =
        ["0", "1", "2", "3", "4711#", "5", "#", "*", "13900000008", "21090100001#", "123456", "9"];
    let mut at = 2_000;
    let mut then = Vec::new();
    for _ in 0..3 + city.dice.below(12) {
        at += 300 + city.dice.below(5_000);
        let mut key = KEYS[city.dice.below(KEYS.len() as u64) as usize];
        if key == "0" && city.dice.below(3) > 0 {
            key = "1";
        }
        then.push((millis(at), Deed::Press(key)));
    }
    match city.dice.below(4) {
        0 => then.push((millis(city.dice.below(at)), Deed::HangUp)),
        1 => then.push((millis(city.dice.below(at)), Deed::Vanish)),
        _ => {}
    }
    then
}

/// A person, a ticket, what was come for, or the caller's own leaving.
fn is_no_loss(record: &CallRecord) -> bool {
    let left =
        matches!(record.cause, Some(Cause::CallerHungUp | Cause::CallerVanished | Cause::CallerCancelled));
    let told = record.served.look_ups.iter().any(|asked| asked.answer == Answer::Found);
    left || record.seat.is_some() || record.peer.is_some() || record.ticket_left.is_some() || told
}

#[test]
fn whatever_callers_press_there_is_a_person_a_ticket_or_their_own_leaving() {
    let busy = |plan: &mut Plan| {
        helps_itself(plan);
        hurries(plan);
    };
    for seed in seeds() {
        for more in 0..6 {
            play(seed.wrapping_mul(100) + more, &busy, &|city: &mut City| {
                city.hear_max_s = 5;
                city.adapters.cars.insert(CAR.into(), OWNER.into());
                city.adapters.mood = match city.dice.below(3) {
                    0 => Mood::Mute,
                    1 => Mood::Answers(millis(city.dice.below(6_000))),
                    _ => Mood::Answers(millis(20)),
                };
                let late = millis(500 + city.dice.below(4_000));
                let far = owner(city, Answers::After(late));
                city.telephone(far).manners.talks_for = Some(secs(4));
                for id in ["1001", "1002"] {
                    city.seat(id).talks_for(secs(4)).answers_after(secs(1));
                }
                (city.net.sip, city.net.sound) = (Weather::FOUL, Weather::FOUL);
                let mut callers = Vec::new();
                for n in 1..=12 {
                    let caller = city.phone(&format!("138{n:08}")).waits();
                    let then = presses_at_random(city);
                    let at = millis(city.dice.below(20_000));
                    city.later(at, caller, Deed::Call(Box::new(Dial::to("12345")), then));
                    callers.push(caller);
                }
                city.run_for(secs(90));
                let over = city.run_until(secs(420), |city| city.board.calls().is_empty());
                assert!(over, "somebody is stuck: {}", city.story());
                city.run_for(secs(2));
                for caller in callers.iter().filter(|caller| city.rang(**caller)) {
                    let record = city.record_of(*caller);
                    assert!(is_no_loss(&record), "{record:?}\n{:?}", city.store.facts[&record.call]);
                }
            });
        }
    }
}

#[test]
fn a_key_that_comes_with_the_answer_of_an_adapter_is_taken_in_its_turn() {
    in_a_city_with(helps_itself, |city| {
        city.adapters.mood = Mood::Mute;
        let clerk = city.seat("1001").talks_for(secs(5)).answers_after(secs(1));
        let caller = city.phone(CALLER).waits();
        chooses(city, caller, "3");
        types(city, caller, &format!("{CAR}#"));
        let call = city.call_of(caller).expect("it is under way");
        let said = hotline::call::LookedUp::Found([("owner".to_owned(), OWNER.to_owned())].into());
        city.tell(Input::Sound(hotline::media::Fact::Digit { leg: LegId::caller(call), digit: '0' }));
        city.tell(Input::LookedUp { call, asked: 1, said });
        assert!(city.run_until(secs(5), |city| city.talks_to(caller) == Some(clerk)));
        let refused = city.saw(caller, |event| matches!(event, PhoneEvent::Refused { .. }));
        assert!(!refused);
        city.run_for(secs(10));
    });
}
