use std::sync::LazyLock;

use super::*;
use crate::routing::Outcome;
use crate::routing::cases::{Answer, CaseSeats};
use crate::routing::fixture_test::{judged, sample};

const NOON: &str = "2021-09-01T09:00:00+08:00";

/// The shipped file without its tests, with some of its text replaced.
fn edited(edits: &[(&str, &str)]) -> Outcome {
    let text = sample();
    let parts = text.split("\n\n").filter(|part| !part.starts_with("[[test]]"));
    let mut text = parts.collect::<Vec<_>>().join("\n\n");
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let outcome = judged(&text);
    assert!(outcome.plan.is_some(), "{}", outcome.report.render(false));
    outcome
}

/// A city where much is known of callers, whose numbers come in another form.
static CITY: LazyLock<Outcome> = LazyLock::new(|| {
    edited(&[
        (
            "[[trunk]]\n# 市税务局 12366",
            "[[trunk.rewrite.called_inward]]\nwhen = \"777*\"\nstrip = 3\nadd = \"1\"\nexamples = [{ from = \"7772345\", to = \"12345\" }]\n\
             [[trunk.rewrite.caller_inward]]\nwhen = \"91*\"\nstrip = 1\nlength = 12\nexamples = [{ from = \"913900000000\", to = \"13900000000\" }]\n\n\
             [[trunk]]\n# 市税务局 12366",
        ),
        (
            "[[lane]]\n",
            "[[lane]]\nname = \"直达\"\ncallers = [\"13900000000\"]\npriority = 50\nstraight = true\n\n[[lane]]\n",
        ),
        (
            "[missed]",
            "[[caller_policy]]\ncaller = \"13900000000\"\nact = \"confidential\"\nreason = \"证人\"\napprover = \"值班主任\"\nuntil = 2099-12-31\n\n\
             [[caller_policy]]\ncaller = \"13900000001\"\nact = \"behind\"\nby = 500\nreason = \"重复来电\"\napprover = \"值班主任\"\nuntil = 2021-12-31\n\n\
             [missed]",
        ),
        ("afterwards = \"connect\"\n#", "afterwards = \"release\"\n#"),
        ("priority = 0\nageing", "priority = 7\nageing"),
        (
            "row = \"1-1\"\nmode = \"merged\"\nqueue = \"main\"\n",
            "row = \"1-1\"\nmode = \"merged\"\nqueue = \"main\"\ntransition = { start = 2022-01-01, months = 2, prompt = \"transition\", early_media = true, afterwards = \"connect\" }\n",
        ),
        (
            "row = \"1-2\"\nmode = \"merged\"\nqueue = \"main\"\n",
            "row = \"1-2\"\nmode = \"merged\"\nqueue = \"main\"\ntransition = { months = 2 }\n",
        ),
        (
            "row = \"2-4\"\nmode = \"dual\"\nqueue = \"main\"\n",
            "row = \"2-4\"\nmode = \"dual\"\nseats = \"retained\"\ntrunk = \"sub-12366\"\nhours = \"office\"\nqueue = \"main\"\n",
        ),
        (
            "#expected_wait_max = \"20min\"",
            "expected_wait_max = \"20min\"\ncallback = { after = \"2min\", key = \"1\" }",
        ),
        (
            "[callers]\n",
            "[calling]\nprefix = \"8\"\nallowed = [\"13\", \"0393\"]\ntrunk = \"sub-12313\"\nline = \"12345\"\n\n[callers]\n",
        ),
    ])
});

fn plan() -> &'static Plan {
    CITY.plan.as_ref().expect("a plan")
}

fn asked(trunk: &str, from: &str, to: &str, at: &str) -> Explanation {
    let at = at.parse().expect("an instant");
    plan().explain(&CITY.origins, &plan().trunks[trunk], &Dialled::request_uri(to), from, at)
}

fn carrier(from: &str, to: &str, at: &str) -> Explanation {
    asked("carrier", from, to, at)
}

fn of_seat(seat: &str, to: &str, at: &str) -> Explanation {
    let at = at.parse().expect("an instant");
    plan().explain_seat(&CITY.origins, &plan().seats[seat], &Dialled::request_uri(to), at)
}

fn steps(said: &Explanation) -> Vec<&str> {
    said.steps.iter().map(|words| words.en.as_str()).collect()
}

fn standing(said: &Explanation) -> Vec<&str> {
    said.standing.iter().map(|words| words.en.as_str()).collect()
}

/// The lines that decide, as they stand in the file.
fn lines(said: &Explanation) -> Vec<&str> {
    said.decided_by.iter().map(|place| place.text.as_str()).collect()
}

/// Of the queue of everybody, where the file says how callers wait in it.
const WAITING: [&str; 7] = [
    "wait_max = \"5min\"",
    "no_seat_wait = \"20s\"",
    "length_max = 100",
    "surge = { from = 30, until = 10, greeting = \"surge_greeting\", roles = [\"supervisor\"] }",
    "shed = [{ waiting = 90, below = 1 }]",
    "expected_wait_max = \"20min\"",
    "callback = { after = \"2min\", key = \"1\" }",
];

const CARRIER: [&str; 2] = [
    "name = \"carrier\"",
    "dialled_from = [\"request_uri\", \"history_info\", \"diversion\", \"p_called_party_id\", \"to\"]",
];

/// What a seat dials, what becomes of it, and the lines that decide behind the seat's own.
#[test]
fn a_seats_call_is_explained_as_the_house_takes_it() {
    for (seat, dialled, expected, decided) in [
        ("1001", "*30", "the seat is ready, and hears ready: ", &["prefix = \"*3\""][..]),
        (
            "1001",
            "sip:*31@hotline.puyang",
            "the seat is away (用餐), and hears away: ",
            &["prefix = \"*3\"", "{ digit = \"1\", name = \"用餐\", most = \"1h\" },"],
        ),
        (
            "1001",
            "*300",
            "the seat's wrap-up is 5 min longer, 15 min at most, and hears wrap_up_longer: ",
            &["prefix = \"*3\"", "wrap_up_max = \"15min\""],
        ),
        ("1001", "*39", "begins with *3 and is no code: refused with 404", &["prefix = \"*3\""]),
        (
            "1001",
            "*91002",
            "the seat 1001, a clerk, may not listen to the calls of 1002, a clerk: refused with 403",
            &["watch_prefix = \"*9\"", "role = \"clerk\"", "id = \"1002\""],
        ),
        ("1900", "*91900", "nobody listens to their own calls: refused with 403", &["watch_prefix = \"*9\""]),
        (
            "1900",
            "*95555",
            "there is no seat 5555 to listen to: refused with 404",
            &["watch_prefix = \"*9\""],
        ),
        (
            "1001",
            "1002",
            "rings the seat 1002 if it is free, else refused with 486",
            &["id = \"1002\"", "enabled = true"],
        ),
        ("1001", "1001", "it dials itself: refused with 486", &[]),
        (
            "1001",
            "12366",
            "calls 12366 by the trunk sub-12366 (drill, leads to nobody); that is all if nobody answers",
            &[
                "number = \"12366\"",
                "mode = \"sub_center\"",
                "trunk = \"sub-12366\"",
                "drill = true",
                "line = \"12345\"",
                "enabled = true",
            ],
        ),
        (
            "1902", // Observers call nobody outside, and help all the same.
            "120",
            "calls 120 by the trunk emergency (drill, leads to nobody); that is all if nobody answers",
            &[
                "number = \"120\"",
                "trunk = \"emergency\"",
                "drill = true",
                "line = \"12345\"",
                "enabled = true",
            ],
        ),
        (
            "1001",
            "12345",
            "12345 is a line of our own, which callers queue for, and no seat: refused with 403",
            &["number = \"12345\"", "mode = \"primary\""],
        ),
        (
            "1001",
            "813800000000",
            "calls 13800000000 by the trunk sub-12313; that is all if nobody answers",
            &[
                "prefix = \"8\"",
                "allowed = [\"13\", \"0393\"]",
                "trunk = \"sub-12313\"",
                "line = \"12345\"",
                "enabled = true",
            ],
        ),
        (
            "1903",
            "813800000000",
            "a trainee calls nobody outside: refused with 403",
            &[
                "prefix = \"8\"",
                "allowed = [\"13\", \"0393\"]",
                "trunk = \"sub-12313\"",
                "role = \"trainee\"",
            ],
        ),
        (
            "1001",
            "13800000000",
            "not among the numbers that may be called (one outside stands behind 8, and begins as one of [calling] allowed \
             does): refused with 403",
            &["prefix = \"8\"", "allowed = [\"13\", \"0393\"]"],
        ),
    ] {
        let said = of_seat(seat, dialled, NOON);
        assert!(said.steps[0].en.starts_with(expected), "{dialled}: {:?}", steps(&said));
        assert_eq!(lines(&said)[0], format!("id = \"{seat}\""), "{dialled}");
        assert_eq!(lines(&said)[1..], *decided, "{dialled}");
        assert!(said.line.is_none() && said.trunk == "seats" && said.standing.is_empty(), "{dialled}");
    }
    let said = of_seat("1900", "*91002", NOON);
    assert_eq!(
        steps(&said)[1],
        "listens to the calls of the seat 1002, one after another, until it hangs up"
    );
    assert_eq!(said.line.as_ref().map(|line| line.number.as_str()), Some("*9"));
    assert_eq!(lines(&said)[1..], ["watch_prefix = \"*9\"", "role = \"supervisor\"", "id = \"1002\""]);
    let said = of_seat("1001", "94000001", NOON);
    assert!(steps(&said)[1].starts_with("joins the room 000001"), "{:?}", steps(&said));
    assert!(lines(&said).contains(&"prefix = \"94\""), "{:?}", lines(&said));
}

#[test]
fn experts_are_rung_for_a_seat_while_they_are_there() {
    let there = of_seat("1001", "12348", NOON);
    let words = "rings whoever of the experts of 公共法律服务专家组 (1006) is free longest; refused with 486 if none is";
    assert_eq!(steps(&there)[0], words);
    let away = of_seat("1001", "12348", "2021-09-01T22:00:00+08:00");
    let words = "the experts of 公共法律服务专家组 are not there at this hour: refused with 486";
    assert_eq!(steps(&away), [words]);
    for said in [&there, &away] {
        let decided = lines(said);
        assert_eq!(decided[1..4], ["number = \"12348\"", "seats = [\"1006\"]", "hours = \"office\""]);
        assert!(decided[4].starts_with("weekly = "), "{decided:?}");
    }
    // The only one there is does not ring for himself.
    let own = of_seat("1006", "12348", NOON);
    assert!(steps(&own)[0].ends_with("refused with 486") && own.steps.len() == 1, "{:?}", steps(&own));
}

#[test]
fn without_calling_nobody_outside_is_called_and_a_seat_is_told_so() {
    let outcome = edited(&[]);
    let plan = outcome.plan.as_ref().expect("a plan");
    let at = NOON.parse().expect("an instant");
    let dialled = Dialled::request_uri("913800000000");
    let said = plan.explain_seat(&outcome.origins, &plan.seats["1001"], &dialled, at);
    assert!(steps(&said)[0].ends_with("there is no [calling]: refused with 403"), "{:?}", steps(&said));
    assert_eq!(lines(&said), ["id = \"1001\""]);
}

#[test]
fn lane_policy_and_inward_rules_are_among_the_lines_that_decide() {
    let said = carrier("913900000000", "7772345", NOON);
    let mut expected = CARRIER.to_vec();
    expected.extend(["when = \"777*\"", "when = \"91*\"", "number = \"12345\"", "mode = \"primary\""]);
    // Who goes straight hears no greeting: it decides nothing.
    expected.extend(["queue = \"main\"", "name = \"main\"", "overflow_prompt = \"no_seat\""]);
    expected.extend(["strategy = \"longest_idle\"", "enabled = true", "enabled = true"]);
    expected.extend(["priority = 7", "ageing = \"2s\""]);
    expected.extend([
        "name = \"直达\"",
        "callers = [\"13900000000\"]",
        "priority = 50",
        "straight = true",
        "caller = \"13900000000\"",
        "act = \"confidential\"",
        "reason = \"证人\"",
        "approver = \"值班主任\"",
        "until = 2099-12-31",
        "urgent_key = \"9\"",
        "urgent_priority = 1000",
    ]);
    expected.extend(WAITING);
    let decided = lines(&said);
    assert_eq!(decided[..decided.len() - 1], expected);
    assert!(decided[decided.len() - 1].starts_with("keys = { \"1\" = \"12366\""), "{decided:?}");
    // By its line another lane is his, and the policy about him has ended.
    let said = carrier("13900000001", "12385", "2022-01-01T00:00:00+08:00");
    let refused = ["number = \"12385\"", "mode = \"merged\"", "start = 2021-08-01", "months = 3"];
    assert_eq!(lines(&said)[2..6], refused);
    let said = carrier("13900000001", "12345", "2022-01-01T00:00:00+08:00");
    let about = "caller = \"13900000001\"";
    let place = lines(&said).iter().position(|line| *line == about).expect("the policy");
    assert_eq!(lines(&said)[place..place + 3], [about, "until = 2021-12-31", "urgent_key = \"9\""]);
    let said = carrier("13800000000", "12385", NOON);
    let place = lines(&said).iter().position(|line| *line == "name = \"无障碍\"").expect("the lane");
    assert_eq!(lines(&said)[place + 1..place + 3], ["lines = [\"12385\"]", "priority = 100"]);
}

#[test]
fn of_a_transition_only_what_holds_in_its_phase_decides() {
    let own = "transition = { start = 2022-01-01, months = 2, prompt = \"transition\", early_media = true, afterwards = \"connect\" }";
    let after = "2022-05-01T09:00:00+08:00";
    for (number, at, expected) in [
        ("12396", NOON, &[own][..]),
        ("12396", "2022-02-01T09:00:00+08:00", &[own]),
        ("12396", after, &[own]),
        (
            "12349",
            NOON,
            &[
                "start = 2021-08-01",
                "transition = { months = 2 }",
                "prompt = \"transition\"",
                "early_media = false",
            ],
        ),
        ("12336", "2021-07-01T09:00:00+08:00", &["start = 2021-08-01"]),
        (
            "12336",
            NOON,
            &["start = 2021-08-01", "months = 3", "prompt = \"transition\"", "early_media = false"],
        ),
        ("12336", after, &["start = 2021-08-01", "months = 3", "afterwards = \"release\""]),
    ] {
        let said = carrier("13800000000", number, at);
        let keys = ["start", "months", "prompt", "early_media", "afterwards", "transition"];
        let is_one = |line: &&&str| keys.iter().any(|key| line.starts_with(&format!("{key} = ")));
        let decided: Vec<&str> = lines(&said).iter().filter(is_one).copied().collect();
        assert_eq!(decided, expected, "{number} {at}");
    }
}

#[test]
fn a_number_that_is_refused_after_its_months_has_nobody_who_waits() {
    let said = carrier("13900000001", "12336", "2022-02-01T09:00:00+08:00");
    assert_eq!(steps(&said), ["the transition ended on 2021-11-01 00:00", "refuses (410)"]);
    assert!(said.standing.is_empty(), "{:?}", standing(&said));
    let expected = [
        "number = \"12336\"",
        "mode = \"merged\"",
        "start = 2021-08-01",
        "months = 3",
        "afterwards = \"release\"",
    ];
    assert_eq!(lines(&said)[2..], expected);
}

#[test]
fn why_a_number_is_over_decides_where_the_file_says_it() {
    let release = "afterwards = \"release\"\ncause = \"unallocated\"\n";
    let outcome = edited(&[("afterwards = \"connect\"\n", release)]);
    let plan = outcome.plan.as_ref().expect("a plan");
    let at = "2022-02-01T09:00:00+08:00".parse().expect("an instant");
    let carrier = &plan.trunks["carrier"];
    let said = plan.explain(&outcome.origins, carrier, &Dialled::request_uri("12336"), "13800000000", at);
    assert_eq!(steps(&said).last(), Some(&"refuses (404)"));
    assert_eq!(lines(&said).last(), Some(&"cause = \"unallocated\""));
}

#[test]
fn seats_that_a_department_kept_are_decided_by_their_own_lines() {
    let open = carrier("13800000000", "12319", NOON);
    let own = ["number = \"12319\"", "mode = \"dual\"", "seats = \"retained\""];
    assert_eq!(
        lines(&open)[2..8],
        [&own[..], &["trunk = \"sub-12366\"", "queue = \"main\"", "drill = true"]].concat()
    );
    let closed = carrier("13800000000", "12319", "2021-09-01T22:00:00+08:00");
    assert_eq!(lines(&closed)[2..7], [&own[..], &["queue = \"main\"", "name = \"main\""]].concat());
    assert_eq!(closed.decided_by.last().map(|place| place.text.starts_with("weekly = ")), Some(true));
    let hours = lines(&closed).iter().filter(|line| **line == "hours = \"office\"").count();
    assert_eq!(hours, 4, "of the line, and of the three groups that a clerk cannot ask now");
}

#[test]
fn a_confidential_callers_number_goes_to_emergency_numbers_and_to_no_sub_center() {
    let dial = |said: &Explanation| -> String {
        let mut steps = said.steps.iter().map(|words| words.en.clone());
        steps.find(|words| words.starts_with("calls ")).expect("a call")
    };
    let hidden = dial(&carrier("913900000000", "12366", NOON));
    assert!(hidden.starts_with("calls 12366 by the trunk sub-12366 without the caller's number"), "{hidden}");
    let known = dial(&carrier("13800000000", "12366", NOON));
    assert!(known.starts_with("calls 12366 by the trunk sub-12366 (drill"), "{known}");
    let caller = Caller { number: "13900000000", shown: "" };
    assert_eq!(plan().told_to(&plan().emergency["120"], caller), "13900000000");
    let at: Timestamp = NOON.parse().expect("an instant");
    let (line, carrier) = (&plan().lines["12366"], &plan().trunks["carrier"]);
    let confidential = Line { is_confidential: true, ..line.clone() };
    assert_eq!(plan().shown_of(&confidential, carrier, "13900000001", at), "");
    assert_eq!(plan().shown_of(line, carrier, "+8613900000000", at), "");
    assert_eq!(plan().shown_of(line, carrier, "13900000001", at), "13900000001");
    let over: Timestamp = "2100-01-01T00:00:00+08:00".parse().expect("an instant");
    assert_eq!(plan().shown_of(line, carrier, "13900000000", over), "13900000000");
    let center = Trunk { emergency_center: true, ..carrier.clone() };
    assert_eq!(plan().shown_of(line, &center, "13900000000", at), "13900000000");
    assert_eq!(plan().shown_of(&confidential, &center, "13900000001", at), "13900000001");
}

#[test]
fn the_queues_rules_are_said_and_a_center_is_never_turned_away() {
    let said = carrier("13800000000", "12345", NOON);
    let words = standing(&said);
    assert_eq!(
        words[..6],
        [
            "priority 7, and one more in each 2000 ms of waiting; 1007 by the key 9, which says that it is urgent",
            "the queue main: waits 5 min at most, 20 s while no seat is signed in, then a ticket; 100 callers at most",
            "with 90 waiting, who stands below priority 1 gets a ticket at once",
            "whoever would wait longer than 20 min by the guess gets a ticket at once",
            "a surge from 30 waiting until 10; its greeting is surge_greeting: 您好，濮阳市12345，来电较多，请稍候，通话将录音。; \
             seats of these roles help: supervisor",
            "after 2 min a call back is offered: the key 1 keeps the place for 120 min at most, and 2 tries are made, \
             2 min apart",
        ]
    );
    let zh: Vec<&str> = said.standing.iter().map(|words| words.zh.as_str()).collect();
    assert_eq!(zh[1], "队列 main: 最长等 5 分钟，没有座席登录时 20 秒，之后登记工单；已有 100 人时不再接纳");
    let outcome =
        edited(&[("# emergency_center = true", "sources = [\"192.0.2.64/28\"]\nemergency_center = true")]);
    let plan = outcome.plan.as_ref().expect("a plan");
    let (dialled, at) = (Dialled::request_uri("12345"), NOON.parse().expect("an instant"));
    let said = plan.explain(&outcome.origins, &plan.trunks["emergency"], &dialled, "110", at);
    let words = standing(&said);
    assert_eq!(words[1].split(',').next(), Some("priority 2000"));
    assert!(words[1].contains("; 2000 by the key 9"), "{words:?}");
    assert!(words[2].ends_with("first of that priority, and never turned away"), "{words:?}");
    assert!(!words.iter().any(|words| words.starts_with("with 90")), "{words:?}");
    assert!(lines(&said).contains(&"emergency_center = true"));
    assert!(lines(&said).contains(&"center_priority = 2000"));
}

#[test]
fn who_says_that_it_is_urgent_has_the_most_of_two_and_the_queues_points() {
    // 500 behind others, and yet not by that key.
    let behind = carrier("13900000001", "12345", NOON);
    let points = standing(&behind)[1];
    assert!(points.starts_with("priority -493,") && points.contains("; 1007 by the key 9"), "{points}");
    let outcome = edited(&[("urgent_priority = 1000", "urgent_priority = 60")]);
    let plan = outcome.plan.as_ref().expect("a plan");
    let (dialled, at) = (Dialled::request_uri("12385"), NOON.parse().expect("an instant"));
    let said = plan.explain(&outcome.origins, &plan.trunks["carrier"], &dialled, "13800000000", at);
    assert!(standing(&said)[1].contains("; 100 by the key 9"), "{:?}", standing(&said));
}

#[test]
fn a_caller_is_known_in_each_form_that_a_number_is_written_in() {
    let known = carrier("13900000001", "12345", NOON);
    for from in [
        "+8613900000001",
        "+86-139-0000-0001",
        "tel:+8613900000001",
        "tel:+86-139-0000-0001;isub=1",
        "sip:+8613900000001@192.0.2.1;user=phone",
        "<tel:13900000001;phone-context=+86>",
        "913900000001",
    ] {
        let said = carrier(from, "12345", NOON);
        let of_rule = |line: &&str| *line != "when = \"91*\"";
        let decided: Vec<&str> = lines(&said).into_iter().filter(of_rule).collect();
        assert_eq!((standing(&said), decided), (standing(&known), lines(&known)), "{from}");
        assert_eq!(said.from, from, "as it was asked");
    }
    let other = carrier("anonymous", "12345", NOON);
    assert!(standing(&other)[0].starts_with("priority 7,"), "{:?}", standing(&other));
}

#[test]
fn a_flow_leads_to_another_queue_and_to_a_sub_center_by_their_own_lines() {
    let outcome = edited(&[
        (
            "[[seat]]\n",
            "[[queue]]\nname = \"law\"\ngreeting = \"greeting\"\nmusic = \"hold_music\"\noverflow_prompt = \"no_seat\"\nwait_max = \"7min\"\n\n[[seat]]\n",
        ),
        (
            "skills = [\"general\", \"law\"]\nqueues = [\"main\"]",
            "skills = [\"general\", \"law\"]\nqueues = [\"law\"]",
        ),
        ("row = \"2-1\"\nmode = \"dual\"\n", "row = \"2-1\"\nmode = \"dual\"\nflow = \"services\"\n"),
        (
            "[missed]",
            "[[flow]]\nname = \"services\"\n[[flow.step]]\nmenu = \"services_menu\"\nkeys = { \"1\" = \"tax\", \"2\" = \"law\" }\nwait = \"3s\"\ntries = 1\n\n\
             [[flow]]\nname = \"tax\"\n[[flow.step]]\ntransfer = \"12366\"\n\n\
             [[flow]]\nname = \"law\"\n[[flow.step]]\nqueue = \"law\"\n\n\
             [[caller_policy]]\ncaller = \"13900000000\"\nact = \"confidential\"\nreason = \"证人\"\napprover = \"值班主任\"\nuntil = 2099-12-31\n\n[missed]",
        ),
    ]);
    let plan = outcome.plan.as_ref().expect("a plan");
    let at = NOON.parse().expect("an instant");
    let dialled = Dialled::request_uri("12348");
    let said = plan.explain(&outcome.origins, &plan.trunks["carrier"], &dialled, "13900000000", at);
    let acts: Vec<&str> =
        said.flows.iter().flat_map(|flow| &flow.acts).map(|act| act.words.en.as_str()).collect();
    let transfer = "calls 12366 by the trunk sub-12366 without the caller's number (drill, leads to nobody)";
    assert!(acts.contains(&transfer), "{acts:?}");
    let waits = |queue: &str| {
        let begins = format!("the queue {queue}: waits ");
        standing(&said)
            .iter()
            .find_map(|words| words.strip_prefix(begins.as_str()))
            .map(|words| words[..5].to_owned())
    };
    assert_eq!((waits("main").as_deref(), waits("law").as_deref()), (Some("5 min"), Some("7 min")));
    let decided = lines(&said);
    for line in [
        "flow = \"services\"",
        "name = \"law\"",
        "wait_max = \"7min\"",
        "transfer = \"12366\"",
        "number = \"12366\"",
        "trunk = \"sub-12366\"",
        "drill = true",
    ] {
        assert!(decided.contains(&line), "{line}: {decided:?}");
    }
    assert!(!decided.contains(&"greeting = \"greeting\""), "the flow is heard in its place: {decided:?}");
}

#[test]
fn another_platform_is_explained_both_ways_with_the_lines_that_decide() {
    let outcome = edited(&[(
        "[three_way]\n",
        "[[trunk]]\nname = \"county\"\nsources = [\"192.0.2.64/30\"]\ntarget = \"192.0.2.65:5060\"\n\
         trust_identity = true\n\n[[peer]]\nnumber = \"7101\"\nname = \"濮阳县 12345\"\norg = \"410928\"\n\
         parent = \"410900\"\ntrunk = \"county\"\ndial = \"039312345\"\npriority = 200\n\n[three_way]\n",
    )]);
    let plan = outcome.plan.as_ref().expect("a plan");
    let at = NOON.parse().expect("an instant");
    let said = plan.explain_seat(&outcome.origins, &plan.seats["1001"], &Dialled::request_uri("7101"), at);
    let words = steps(&said);
    assert!(words[0].starts_with("calls 039312345 by the trunk county"), "{words:?}");
    let signed = "濮阳县 12345 (410928) is another platform of the hotline, for which calls are signed 410900 濮阳市; none is \
                  handed to it that was handed on 3 times, or was there before";
    assert!(words.contains(&signed), "{words:?}");
    for line in ["number = \"7101\"", "org = \"410928\"", "trunk = \"county\"", "dial = \"039312345\""] {
        assert!(lines(&said).contains(&line), "{line}: {:?}", lines(&said));
    }
    let dialled = Dialled::request_uri("12345");
    let said = plan.explain(&outcome.origins, &plan.trunks["county"], &dialled, "13800000000", at);
    let words = standing(&said);
    assert!(
        words[0].starts_with("handed over by the platform 7101 (濮阳县 12345, 410928): no lane applies"),
        "{words:?}"
    );
    assert!(words[1].starts_with("priority 200"), "{words:?}");
    assert!(lines(&said).contains(&"priority = 200"));
}

/// The shipped file with its flows switched on, and 挪车 by keys at 12345.
static SERVED: LazyLock<Outcome> = LazyLock::new(|| {
    let outcome = judged(&crate::routing::cases::switched_on("services").replace("@@TESTS@@", ""));
    assert!(outcome.plan.is_some(), "{}", outcome.report.render(false));
    outcome
});

fn walked(to: &str, given: Given<'_>) -> Explanation {
    let plan = SERVED.plan.as_ref().expect("a plan");
    let at = NOON.parse().expect("an instant");
    let dialled = Dialled::request_uri(to);
    let trunk = &plan.trunks["carrier"];
    plan.explain_given(&SERVED.origins, trunk, &dialled, "13800000000", at, Some(&given))
}

fn path(said: &Explanation) -> &ExplainedPath {
    said.path.as_ref().expect("a path")
}

/// What is passed, in English, with what is pressed and the way that is taken.
fn passed(said: &Explanation) -> Vec<String> {
    let one = |passed: &path::ExplainedPassing| {
        let words = &passed.words.en;
        let way =
            passed.way.as_ref().map_or_else(String::new, |way| format!(" | {} {:?}", way.when.en, way.to));
        format!("{words} [{}]{way}", passed.keys)
    };
    path(said).passed.iter().map(one).collect()
}

fn hangs_on(said: &Explanation) -> &str {
    path(said).hangs_on.as_ref().map_or("", |open| open.option.as_str())
}

#[test]
fn the_way_of_a_call_goes_by_what_its_caller_presses_and_others_say() {
    let answer = |said| [("owners", Answer::Values([("owner", said)].into()))].into();
    let all = Given {
        keys: Some("3123456#"),
        answers: answer(Some("13900000001")),
        answered: Some(true),
        ..Given::default()
    };
    let said = walked("12345", all.clone());
    let passed = passed(&said);
    assert_eq!(passed[0], "rings (180) []");
    let menu = passed.iter().find(|one| one.starts_with("menu services_menu")).expect("the menu");
    assert!(menu.ends_with("[3] | by the key 3 Flow(\"move_car\")"), "{menu}");
    let plate = passed.iter().find(|one| one.starts_with("collects plate")).expect("the plate");
    assert!(plate.ends_with("[123456#] | when it is done Next"), "{plate}");
    let asks = passed.iter().find(|one| one.starts_with("asks owners")).expect("the look-up");
    assert!(asks.ends_with("[] | found Next"), "{asks}");
    assert_eq!(passed.last().map(String::as_str), Some("somebody picks up, and the two talk []"));
    let fate = path(&said).fate.as_ref().expect("a whole way");
    assert_eq!((fate.target.as_deref(), fate.queue.as_deref()), (Some("13900000001"), None));
    assert_eq!(hangs_on(&said), "");
    // What decides is on this way; what was not come to decides nothing.
    let decided = lines(&said).join("\n");
    for line in ["name = \"services\"", "name = \"move_car\"", "look_up = \"owners\"", "allowed = "] {
        assert!(decided.contains(line), "{line} in {decided}");
    }
    for line in
        ["name = \"progress\"", "name = \"order\"", "wait_max = ", "strategy = ", "play = \"car_unanswered\""]
    {
        assert!(!decided.contains(line), "{line} in {decided}");
    }
    // Nobody answers: on in another flow, which hangs on the seats then.
    let said = walked("12345", Given { answered: Some(false), ..all.clone() });
    assert_eq!(hangs_on(&said), "--seats some|none|busy|full, --waiting …");
    let decided = lines(&said).join("\n");
    assert!(decided.contains("play = \"car_unanswered\"") && decided.contains("wait_max = "), "{decided}");
    assert!(path(&said).fate.is_none());
    // As much of the way as was said, and what the rest hangs on.
    for (given, option) in [
        (Given { answered: None, ..all.clone() }, "--answered true|false"),
        (Given { answers: answer(None), ..all.clone() }, "--answer owners.owner=…"),
        (Given { answers: [].into(), ..all.clone() }, "--answer owners=missing|failed|found"),
        (Given { keys: None, seats: Some(CaseSeats::Some), ..all.clone() }, "--keys …"),
        (Given { keys: Some("12"), ..Given::default() }, "--message true|false"),
    ] {
        assert_eq!(hangs_on(&walked("12345", given)), option);
    }
}

#[test]
fn a_way_through_a_queue_hangs_on_clerks_a_surge_and_the_guess_only_where_it_does() {
    let seats = |seats| Given { seats: Some(seats), ..Given::default() };
    let surge = Given { surge: Some(false), ..Given::default() };
    let busy = Given { waiting: Some(3), ..Given::default() };
    for (given, option, ends) in [
        // The greeting of a surge is another one.
        (
            Given { keys: Some(""), ..Given::default() },
            "--seats some|none|busy|full, --waiting …",
            "answers once",
        ),
        (seats(CaseSeats::Busy), "--surge true|false", "answers once"),
        (surge.clone(), "--seats some|none|busy|full, --waiting …", "waits in the queue main"),
        (Given { seats: Some(CaseSeats::None), ..surge }, "", "opens a ticket and reads its number out"),
        (seats(CaseSeats::Some), "", "asks for a grade"),
        (seats(CaseSeats::Full), "", "opens a ticket and reads its number out"),
        (busy.clone(), "", "asks for a grade"),
        (Given { waiting: Some(20), ..busy.clone() }, "--surge true|false", "answers once"),
        (Given { waiting: Some(95), ..busy.clone() }, "", "opens a ticket"),
    ] {
        let said = walked("12319", given.clone());
        assert_eq!(hangs_on(&said), option, "{given:?}");
        let passed = passed(&said);
        let last = passed.last().expect("something is passed");
        assert!(last.starts_with(ends), "{given:?}: {last}, not {ends}");
    }
    let remarks = |said: &Explanation| -> Vec<String> {
        path(said).remarks.iter().map(|words| words.en.clone()).collect()
    };
    let said = walked("12319", busy.clone());
    let words = remarks(&said);
    assert!(words[0].contains("--notice") && words[1].contains("--expected-wait"), "{words:?}");
    let notices = Some(vec!["storm"]);
    let said = walked("12319", Given { expected_wait: Some(None), notices, keys: Some("5#"), ..busy });
    assert_eq!(remarks(&said), ["nothing comes that # could be pressed for"]);
    assert!(passed(&said).contains(&"plays the hot notice storm:  []".to_owned()), "{:?}", passed(&said));
    let decided = lines(&said).join("\n");
    assert!(decided.contains("wait_max = "), "{decided}");
    // Who is refused comes to nothing that anything hangs on.
    let said = walked("119", Given { keys: Some(""), ..Given::default() });
    assert!(said.path.is_none(), "no line takes it, and the steps say why");
}
