//! The longest way to a person, added up by hand.

use std::time::Duration;

use hotline::routing::callers::Lane;
use hotline::routing::plan::{Afterwards, LineMode, Plan};
use hotline::routing::queueing::Surge;
use hotline::routing::script::{Act, Bot, Condition, LookUp, LookUpKind, LookUpSource, Message};

use super::{branch, collect, go, line, menu, plan, prompt, script, with, workdays};

/// Until the record is on disk.
const DURABLE: u64 = 250;

fn millis(length: Option<Duration>) -> Option<u64> {
    length.map(|length| u64::try_from(length.as_millis()).expect("no such length"))
}

/// Silent and longest in milliseconds, and presses, of 12345 with prompts of whole seconds.
fn measured(plan: &mut Plan) -> (Option<u64>, u64, u32) {
    let words = [("greeting", 4), ("question", 3), ("wrong_key", 2), ("words", 10)];
    let survey = [("survey", 1), ("survey_wrong", 2), ("survey_reason", 5), ("survey_thanks", 3)];
    for (id, seconds) in words.into_iter().chain(survey) {
        prompt(plan, id, seconds);
    }
    let worst = plan.worst(line(plan, "12345")).expect("a way to a person");
    (millis(worst.silent), millis(Some(worst.longest)).expect("a length"), worst.presses)
}

#[test]
fn words_and_ringing_before_the_queue_are_added_up() {
    let mut plan = plan();
    for (id, seconds) in [("greeting", 4), ("transition", 9), ("sub_center_unanswered", 6)] {
        prompt(&mut plan, id, seconds);
    }
    for (number, expected) in [
        ("12345", DURABLE + 4_000),
        // Inside the months of the transition, which is the longest.
        ("12336", DURABLE + 9_000 + 4_000),
        ("12348", DURABLE + 4_000),
        ("12366", 25_000 + DURABLE + 6_000 + 4_000),
    ] {
        let worst = plan.worst(line(&plan, number)).expect("a way to a person");
        let expected = Duration::from_millis(expected);
        assert_eq!((worst.silent, worst.longest, worst.presses), (Some(expected), expected, 0), "{number}");
    }
}

#[test]
fn a_surges_greeting_counts_where_it_is_the_longer_one() {
    for (usual, in_surge) in [(4, 11), (4, 2)] {
        let mut plan = plan();
        for (id, seconds) in [("greeting", usual), ("surge_greeting", in_surge), ("transition", 9)] {
            prompt(&mut plan, id, seconds);
        }
        plan.queues.get_mut("main").expect("the queue").rules.surge = Some(Surge {
            from: 30,
            until: 10,
            greeting: Some("surge_greeting".into()),
            roles: Vec::new(),
            callback: false,
        });
        for (number, before) in [("12345", DURABLE), ("12336", DURABLE + 9_000)] {
            let worst = plan.worst(line(&plan, number)).expect("a way to a person");
            let expected = Some(before + 1_000 * usual.max(in_surge) as u64);
            assert_eq!(millis(worst.silent), expected, "{number} {usual} {in_surge}");
        }
    }
}

#[test]
fn who_goes_straight_hears_the_notice_in_place_of_a_greeting_that_tells_and_it_counts() {
    // The greeting tells of the recording itself: only who does not hear it hears the notice.
    let told = |notice: usize, change: &dyn Fn(&mut Plan)| {
        let mut plan = plan();
        prompt(&mut plan, "greeting", 4);
        prompt(&mut plan, "recorded", notice);
        plan.prompts.get_mut("greeting").expect("it is there").text = "您好，通话将被录音。".into();
        plan.recording.enabled = true;
        plan.recording.notice = Some("recorded".into());
        plan.callers.lanes.clear();
        plan.trunks.values_mut().for_each(|trunk| trunk.emergency_center = false);
        change(&mut plan);
        millis(plan.worst(line(&plan, "12345")).expect("a way to a person").silent)
    };
    let lane = |lines: &[&str]| Lane {
        name: "a".into(),
        lines: lines.iter().map(|line| (*line).into()).collect(),
        trunks: Vec::new(),
        callers: Default::default(),
        priority: 0,
        skills: Vec::new(),
        straight: true,
    };
    assert_eq!(told(30, &|_| {}), Some(DURABLE + 4_000), "nobody goes straight");
    assert_eq!(told(30, &|plan| plan.callers.lanes.push(lane(&["12348"]))), Some(DURABLE + 4_000));
    assert_eq!(told(30, &|plan| plan.callers.lanes.push(lane(&["12345"]))), Some(DURABLE + 30_000));
    assert_eq!(told(2, &|plan| plan.callers.lanes.push(lane(&["12345"]))), Some(DURABLE + 4_000));
    let center = |plan: &mut Plan| {
        plan.trunks.values_mut().for_each(|trunk| trunk.emergency_center = true);
    };
    assert_eq!(told(30, &center), Some(DURABLE + 30_000), "an emergency center calls whichever line");
}

#[test]
fn the_hour_at_which_it_is_longest_counts() {
    let mut plan = plan();
    let LineMode::SubCenter { peer, .. } = &mut plan.lines.get_mut("12366").expect("a line").mode else {
        panic!("a sub-center");
    };
    peer.hours = workdays(&[("09:00", "09:01")]); // It rings there for a minute of each workday.
    let worst = plan.worst(line(&plan, "12366")).expect("a way");
    assert!(worst.silent.expect("a way") > Duration::from_secs(25));
}

#[test]
fn a_bot_is_waited_for_and_talks_as_long_as_it_may() {
    let mut plan = with([script("first", [Act::Bot("assistant".into()), Act::Play("words".into())])]);
    let bot = Bot {
        id: "assistant".into(),
        url: "ws://127.0.0.1/".into(),
        secret: None,
        connect: Duration::from_secs(3),
        most: Duration::from_secs(40),
        music: None,
        says: Default::default(),
        rate: 8_000,
        show_caller: false,
    };
    plan.bots.insert(bot.id.clone(), bot);
    let expected = DURABLE + 43_000 + 10_000;
    assert_eq!(measured(&mut plan), (Some(expected), expected, 0));
}

#[test]
fn a_menu_is_heard_out_as_often_as_it_is_put() {
    let mut plan = with([
        script("first", [menu("question", &[('1', "faq"), ('2', "end")], 5, 2)]),
        script("faq", [Act::Play("words".into())]),
        script("end", [Act::HangUp]),
    ]);
    // Twice 3 s of the question and 5 s of waiting: a wrong key has no word of its own.
    assert_eq!(measured(&mut plan), (Some(DURABLE + 16_000), DURABLE + 16_000 + 10_000, 1));
}

#[test]
fn digits_speech_and_look_ups_cost_what_they_may() {
    let look_up = LookUp {
        source: "tickets".into(),
        with: [("ticket".to_owned(), "number".to_owned())].into(),
        music: None,
        missing: Some("sorry".into()),
        failed: None,
    };
    let message = Message {
        into: "matter".into(),
        prompt: "question".into(),
        most: Duration::from_secs(60),
        least: Duration::from_secs(2),
        tries: 2,
    };
    let mut plan = with([
        script("first", [collect("question", 4, 5, 3), Act::LookUp(look_up), Act::Message(message)]),
        script("sorry", [Act::Play("words".into())]),
    ]);
    plan.look_ups.insert(
        "tickets".into(),
        LookUpSource {
            id: "tickets".into(),
            kind: LookUpKind::Tickets,
            says: Default::default(),
            timeout: Duration::from_secs(7),
            misses_max: 3,
            lock: Duration::from_secs(600),
        },
    );
    // Silence: three times 3 + 5 s, then a person. All done: too few digits twice in 3 + 5 s, four of them in
    // 3 + 4·5 s, 7 s of the look-up, one message that is too short after 3 + 2 s, and 3 + 60 s of speech.
    assert_eq!(measured(&mut plan), (Some(DURABLE + 24_000), DURABLE + 39_000 + 7_000 + 68_000, 1));
}

fn message(tries: u8) -> Act {
    let (most, least) = (Duration::from_secs(60), Duration::from_secs(2));
    Act::Message(Message { into: "matter".into(), prompt: "question".into(), most, least, tries })
}

#[test]
fn who_says_nothing_in_a_message_has_left_one_and_goes_on_after_it() {
    // 3 + 60 s once, however often it may be asked for; then what comes behind it.
    let mut plan = with([script("first", [message(3), Act::Play("words".into())])]);
    assert_eq!(measured(&mut plan), (Some(DURABLE + 73_000), DURABLE + 2 * 5_000 + 73_000, 0));
    let mut plan = with([script("first", [message(1), Act::HangUp])]);
    // Only who ends it too soon comes to a person.
    assert_eq!(measured(&mut plan), (None, DURABLE + 5_000, 0));
    plan.recording.enabled = false;
    assert_eq!(measured(&mut plan).0, Some(DURABLE), "nothing is recorded: a person");
}

#[test]
fn a_survey_in_a_flow_is_asked_again_and_asks_why() {
    let mut plan = with([script("first", [Act::Survey, Act::Survey])]);
    (plan.survey.wait, plan.survey.tries, plan.survey.reason) = (Duration::from_secs(8), 2, true);
    // Twice each: 1 + 8 s, and a wrong key's 2 s with 1 + 8 s again. Who grades hears 5 + 8 s of why and 3 s of thanks.
    assert_eq!(measured(&mut plan), (Some(DURABLE + 40_000), DURABLE + 40_000 + 32_000, 4));
    plan.survey.reason = false;
    assert_eq!(measured(&mut plan), (Some(DURABLE + 40_000), DURABLE + 40_000 + 6_000, 2));
}

#[test]
fn a_line_is_measured_in_its_own_language() {
    let mut plan = with([script("first", [Act::Play("words".into())])]);
    plan.lines.get_mut("12348").expect("a line").language = Some("en".into());
    for (id, seconds) in
        [("greeting", 4), ("greeting@en", 70), ("greeting@豫北", 90), ("words", 10), ("words@en", 3)]
    {
        prompt(&mut plan, id, seconds);
    }
    let silent = |plan: &Plan, number: &str| millis(plan.worst(line(plan, number)).expect("a way").silent);
    assert_eq!(silent(&plan, "12348"), Some(DURABLE + 70_000));
    assert_eq!(silent(&plan, "12366"), Some(25_000 + DURABLE + 100 + 4_000));
    plan.lines.get_mut("12348").expect("a line").script = Some("first".into());
    assert_eq!(
        (silent(&plan, "12348"), silent(&plan, "12345")),
        (Some(DURABLE + 3_000), Some(DURABLE + 10_000))
    );
}

#[test]
fn each_hour_counts_in_each_phase_of_a_transition() {
    let day = workdays(&[("08:00", "18:00")]);
    let mut plan = with([
        script("first", [branch(vec![(Condition::Inside(day), "long")], None)]),
        script("long", [Act::Play("words".into())]),
    ]);
    plan.lines.get_mut("12336").expect("a line").script = Some("first".into());
    for (id, seconds) in [("transition", 9), ("words", 50)] {
        prompt(&mut plan, id, seconds);
    }
    // The months begin and end at midnight, at which the flow says nothing.
    for afterwards in [Afterwards::Connect, Afterwards::Release(Default::default())] {
        plan.transition.afterwards = afterwards;
        let silent = millis(plan.worst(line(&plan, "12336")).expect("a way").silent);
        assert_eq!(silent, Some(DURABLE + 9_000 + 50_000), "{afterwards:?}");
    }
}

#[test]
fn the_longest_wait_and_a_seats_ringing_come_behind_the_way() {
    let mut plan = with([
        script("first", [menu("question", &[('1', "experts")], 5, 1)]),
        script("experts", [Act::Play("words".into()), Act::Queue("law".into())]),
    ]);
    let mut law = plan.queues["main"].clone();
    (law.id, law.wait_max, law.ring) = ("law".into(), Duration::from_secs(600), Duration::from_secs(30));
    plan.queues.insert("law".into(), law);
    measured(&mut plan);
    let served = |plan: &Plan, number: &str| millis(plan.worst(line(plan, number)).expect("a way").served);
    // Five minutes and 20 s of ringing; or ten and half a one, behind the menu's words.
    assert_eq!(served(&plan, "12348"), Some(DURABLE + 4_000 + 320_000));
    assert_eq!(served(&plan, "12345"), Some(DURABLE + 8_000 + 10_000 + 630_000));
}

#[test]
fn the_longest_branch_counts_and_a_way_that_ends_without_a_person_does_not() {
    let caller = |with: &str| Condition::Caller(vec![with.to_owned()]);
    let mut plan = with([
        script("first", [branch(vec![(caller("13"), "long"), (caller("15"), "end")], Some("short"))]),
        script("long", [Act::Play("words".into()), Act::Play("words".into()), go("short")]),
        script("short", [Act::Play("question".into())]),
        script("end", [Act::Play("words".into()), Act::HangUp]),
    ]);
    assert_eq!(measured(&mut plan), (Some(DURABLE + 23_000), DURABLE + 23_000, 0));
    let mut plan = with([script("first", [go("round")]), script("round", [go("round")])]);
    assert_eq!(measured(&mut plan).0, Some(DURABLE), "a circle has no length: it is an error of its own");
}

#[test]
fn nobody_comes_to_a_person_behind_a_flow_whose_ways_all_end_otherwise() {
    let mut plan = with([
        script("first", [Act::Play("words".into()), go("end")]),
        script("end", [Act::HangUp, go("first")]),
    ]);
    prompt(&mut plan, "words", 10);
    assert_eq!(plan.worst(line(&plan, "12345")), None);
    assert!(plan.year(line(&plan, "12345")).is_empty());
}

#[test]
fn choices_and_entries_are_counted_on_the_way_with_the_most() {
    let mut plan = with([
        script("first", [menu("question", &[('1', "one"), ('2', "two")], 5, 1)]),
        script("one", [collect("question", 4, 5, 1), collect("question", 4, 5, 1)]),
        script("two", [collect("question", 12, 5, 1)]),
    ]);
    assert_eq!(measured(&mut plan).2, 3);
}
