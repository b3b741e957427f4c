//! Tests of the file, held against the shipped plan with every flow that it shows switched on.

use super::super::Outcome;
use super::super::fixture_test::{judged, sample};

/// The shipped file without its own tests, and with its flows, look-ups and bot in force; 12345 has this flow.
pub fn switched_on(flow: &str) -> String {
    let shipped = sample();
    let (before, rest) = shipped.split_once("#[calling]").expect("[calling] is shown");
    let (mut shown, behind) = rest.split_once("\n[[test]]").expect("there are tests");
    let (_, behind) = behind.split_once("# ── 工单 Tickets").expect("the sinks");
    let live = |line: &str| {
        let bare = line.strip_prefix('#').filter(|rest| !rest.starts_with([' ', '#']));
        bare.unwrap_or(line).to_owned()
    };
    let mut text = format!("{before}[calling]");
    if let Some((calling, others)) = shown.split_once("\n\n") {
        calling.lines().for_each(|line| text.push_str(&format!("{}\n", live(line))));
        // Tokens, which are shown between, stay as they are.
        let (tokens, flows) = others.split_once("#[[flow]]").expect("flows are shown");
        text.push_str(&format!("{tokens}[[flow]]"));
        shown = flows;
    }
    shown.lines().for_each(|line| text.push_str(&format!("{}\n", live(line))));
    let name = "name = \"12345政务服务便民热线\"";
    text.replace("trunk = \"carriers\"\nline", "trunk = \"sub-12366\"\nline")
        .replace(name, &format!("{name}\nflow = \"{flow}\""))
        + "@@TESTS@@\n# ── 工单 Tickets"
        + behind
}

/// A call to 12345 unless it says another, what is expected of it, and why that fails; nothing where it does not.
type Row<'a> = (&'a str, &'a str, &'a str);

fn test(place: usize, (call, expect, _): &Row<'_>) -> String {
    let usual = |key: &str, line: &str| match call.lines().any(|line| line.starts_with(key)) {
        true => String::new(),
        false => format!("{line}\n"),
    };
    let from = usual("from = ", "from = \"13800000000\"");
    let to = usual("to = ", "to = \"12345\"");
    let at = usual("at = ", "at = 2026-07-01T09:00:00+08:00");
    format!("[[test]]\nname = \"t{place}\"\n{from}{to}{at}{call}\nexpect = {{ {expect} }}\n\n")
}

/// What is wrong, in English: the errors' codes and words.
fn errors(outcome: &Outcome) -> Vec<String> {
    let errors = outcome.report.diagnostics.iter().filter(|found| found.code.starts_with('E'));
    errors.map(|found| format!("{} {}", found.code, found.problem.en)).collect()
}

/// Runs the tests by this text, in which they have their place. Each fails for exactly what its row says.
fn run(text: &str, rows: &[Row<'_>]) -> Outcome {
    let tests: String = rows.iter().enumerate().map(|(place, row)| test(place, row)).collect();
    let outcome = judged(&text.replace("@@TESTS@@", &tests));
    let said = errors(&outcome);
    for (place, (call, expect, why)) in rows.iter().enumerate() {
        let name = format!("test \"t{place}\"");
        let own: Vec<&String> = said.iter().filter(|error| error.contains(&name)).collect();
        match *why {
            "" => assert_eq!(own, [""; 0], "{call} {expect}"),
            why => assert!(own.len() == 1 && own[0].contains(why), "{call} {expect}: {own:?}, not {why}"),
        }
    }
    let failing = rows.iter().filter(|(.., why)| !why.is_empty()).count();
    assert_eq!(said.len(), failing, "{said:?}");
    assert_eq!((outcome.plan.is_some(), outcome.untried.is_some()), (failing == 0, failing > 0));
    outcome
}

fn services(rows: &[Row<'_>]) -> Outcome {
    run(&switched_on("services"), rows)
}

fn faq(more: &str, rows: &[Row<'_>]) -> Outcome {
    run(&switched_on("faq").replace("@@TESTS@@", &format!("{more}\n@@TESTS@@")), rows)
}

#[test]
fn a_caller_who_presses_nothing_hears_the_question_and_waits_for_a_clerk() {
    services(&[
        (
            "",
            "flow = \"services\", hears = [\"greeting\", \"services_menu\"], queue = \"main\", ticket = \"none\"",
            "",
        ),
        (
            "seats = \"none\"",
            "hears = [\"greeting\", \"services_menu\", \"no_seat\"], ticket = \"overflow\", queue = \"main\"",
            "",
        ),
        // A wrong key is as none where the question is put once.
        ("keys = \"7\"", "hears = [\"greeting\", \"services_menu\"], queue = \"main\"", ""),
        // The key for a person leads to one as soon as something is heard.
        ("keys = \"0\"", "hears = [\"greeting\"], queue = \"main\", ticket = \"none\"", ""),
        // From the number that is asked for, too, but only as its first key.
        (
            "keys = \"20\"",
            "hears = [\"greeting\", \"services_menu\", \"progress_ticket\"], queue = \"main\"",
            "",
        ),
    ]);
}

#[test]
fn who_leaves_a_message_has_a_ticket_and_waits_nowhere() {
    let heard = |more: &str| {
        format!(
            "hears = [\"greeting\", \"services_menu\", \"order_type\", \"order_message\", \"ticket_number\", \
             \"order_code\"{more}]"
        )
    };
    let kept = heard(", \"order_kept\"");
    services(&[
        (
            "keys = \"12\"",
            &format!("{kept}, queue = \"none\", ticket = \"self_service\", survey = false"),
            "",
        ),
        // The first # still belongs to the number, the second ends the message.
        ("keys = \"12##\"", &format!("{kept}, queue = \"none\", survey = \"none\""), ""),
        ("keys = \"12\"", "queue = \"main\"", "queue should be main and would be none"),
        ("keys = \"12\"", "ticket = \"none\"", "ticket should be none and would be self_service"),
        ("keys = \"12\"", "survey = true", "survey should be true and would be false"),
        // Ordered, and then rather a person: the ticket is there.
        ("keys = \"12##0\"", &format!("{}, queue = \"main\", ticket = \"self_service\"", heard("")), ""),
    ]);
}

#[test]
fn what_a_look_up_says_decides_and_where_it_is_not_said_nothing_passes() {
    let typed = "keys = \"220260701001#1234#\"";
    let begun = "\"greeting\", \"services_menu\", \"progress_ticket\", \"progress_code\"";
    let answers = |said: &str| format!("{typed}\nanswers = {{ tickets = {said} }}");
    let hears = |more: &str, queue: &str| format!("hears = [{begun}, {more}], queue = \"{queue}\"");
    let done = "{ state = \"done\", opened = \"2026-07-01\" }";
    services(&[
        (typed, "queue = \"main\"", "depends on what tickets says"),
        (typed, "ticket = \"none\", prompt = \"greeting\"", "depends on what tickets says"),
        (&answers("\"missing\""), &hears("\"progress_missing\"", "main"), ""),
        (&answers("\"failed\""), &hears("\"progress_failed\"", "main"), ""),
        (&answers(done), &hears("\"progress_opened\", \"state_done\", \"goodbye\"", "none"), ""),
        (
            &answers("{ opened = \"2026-07-01\" }"),
            "queue = \"none\"",
            "depends on the state that tickets says",
        ),
        // Which date is read out makes no difference.
        (&answers("{ state = \"done\" }"), "queue = \"none\"", ""),
        ("answers = { tickets = \"missing\" }", "queue = \"main\"", "tickets is not asked"),
        // A number that is too short is asked for again, and then there is a person.
        (
            "keys = \"22026#07#\"",
            "hears = [\"greeting\", \"services_menu\", \"progress_ticket\", \"progress_ticket\"], queue = \"main\"",
            "",
        ),
        (
            "keys = \"22026\"",
            "hears = [\"greeting\", \"services_menu\", \"progress_ticket\", \"progress_ticket\"], queue = \"main\"",
            "",
        ),
    ]);
}

#[test]
fn what_nobody_can_press_or_answer_is_said_of_the_file() {
    let rows = [
        ("keys = \"1b\"", "queue = \"main\"", ""),
        ("answers = { tickets = { stat = \"done\" } }", "queue = \"main\"", ""),
        ("answers = { ticket = \"missing\" }", "queue = \"main\"", ""),
        ("answers = { tickets = \"mising\" }", "queue = \"main\"", ""),
        ("", "priority = \"high\"", ""),
        ("", "", ""),
    ];
    let tests: String = rows.iter().enumerate().map(|(place, row)| test(place, row)).collect();
    let said = errors(&judged(&switched_on("services").replace("@@TESTS@@", &tests)));
    let codes: Vec<&str> = said.iter().map(|error| &error[..5]).collect();
    // An expectation that is faulty is no empty one.
    assert_eq!(codes, ["E0117", "E1206", "E1007", "E0104", "E0103", "E1203"], "{said:?}");
}

#[test]
fn the_owner_of_a_car_is_rung_by_the_number_that_was_looked_up() {
    let typed = "keys = \"3123456#\"";
    let found = format!("{typed}\nanswers = {{ owners = {{ owner = \"13900000001\" }} }}");
    let heard =
        "hears = [\"greeting\", \"services_menu\", \"car_plate\", \"car_calling\", \"car_unanswered\"]";
    services(&[
        (
            &format!("{found}\nanswered = true"),
            "target = \"13900000001\", by = [\"sub-12366\"], queue = \"none\", ticket = \"none\"",
            "",
        ),
        (
            &format!("{found}\nanswered = false"),
            &format!("{heard}, target = \"13900000001\", queue = \"main\""),
            "",
        ),
        // The trunk that this file calls by is a drill: nobody picks up there unless a test says so.
        (&found, &format!("{heard}, target = \"13900000001\", queue = \"main\""), ""),
        (
            &format!("{typed}\nanswers = {{ owners = {{ owner = \"110\" }} }}\nanswered = true"),
            &format!("{heard}, target = \"none\", by = \"none\", queue = \"main\""),
            "",
        ),
        (
            &format!("{typed}\nanswers = {{ owners = {{}} }}"),
            "queue = \"main\"",
            "depends on the owner that owners says",
        ),
    ]);
}

#[test]
fn ways_by_the_hour_by_the_caller_and_by_a_bot_are_gone() {
    let at_night = "at = 2026-07-01T22:00:00+08:00";
    let here = format!("from = \"03934420000\"\n{at_night}");
    run(
        &switched_on("by_hours"),
        &[
            // It comes to the same, whatever the bot says.
            (&here, "queue = \"main\", ticket = \"none\"", ""),
            (
                &format!("{here}\nanswers = {{ assistant = {{}} }}"),
                "hears = [\"greeting\"], queue = \"main\"",
                "",
            ),
            (
                &format!("{here}\nanswers = {{ assistant = \"failed\" }}"),
                "hears = [\"greeting\"], queue = \"main\"",
                "",
            ),
            (at_night, "hears = [\"greeting\", \"faq_menu\"], queue = \"main\"", ""),
            (
                &format!("keys = \"15\"\n{at_night}"),
                "hears = [\"greeting\", \"faq_menu\", \"faq_card\", \"faq_more\"], survey = true, queue = \"main\"",
                "",
            ),
        ],
    );
}

const COOLS_DOWN: &str = "[[caller_policy]]\ncaller = \"13900000000\"\nact = \"cool_down\"\npause = \"30min\"\n\
                          reason = \"x\"\napprover = \"y\"\nuntil = 2099-12-31\n";
const CENTER: &str =
    "[[trunk]]\nname = \"a-center\"\nsources = [\"192.0.2.64/28\"]\nemergency_center = true\n";

#[test]
fn who_waits_may_keep_the_turn_and_hang_up() {
    let text = switched_on("faq").replacen("\n#callback = {", "\ncallback = {", 1);
    assert!(text.contains("\ncallback = { after"), "the sample shows it");
    let kept = "callback = true, queue = \"main\", ticket = \"none\", survey = false";
    let never = "nothing comes that 1 could be pressed for";
    run(
        &text,
        &[
            ("to = \"12319\"\nwaiting = 3\nkeys = \"1\"", kept, ""),
            ("to = \"12319\"\nwaiting = 3", "callback = false, survey = true", ""),
            // Where a seat is free nobody is asked, nor who cannot be called back: the key is a grade then.
            ("to = \"12319\"\nkeys = \"1\"", "callback = false, survey = true", ""),
            (
                "from = \"0037112345\"\nto = \"12319\"\nwaiting = 3\nkeys = \"1\"",
                "callback = false, survey = true",
                "",
            ),
            ("to = \"12319\"\nwaiting = 3\nseats = \"none\"\nkeys = \"1\"", "ticket = \"overflow\"", never),
            ("to = \"12319\"\nwaiting = 90\nkeys = \"1\"", "ticket = \"overflow\"", never),
        ],
    );
}

#[test]
fn the_wait_that_is_guessed_turns_callers_away_and_is_told_and_is_never_guessed_by_a_test() {
    let text = switched_on("faq").replacen("\n#expected_wait_max = ", "\nexpected_wait_max = ", 1);
    assert!(text.contains("\nexpected_wait_max = \"20min\""), "the sample shows it");
    let waits = "to = \"12319\"\nwaiting = 3";
    let guessed = |guess: &str| format!("{waits}\nexpected_wait = \"{guess}\"");
    let hangs = "depends on how long the wait is guessed to be";
    run(
        &text,
        &[
            (waits, "ticket = \"none\"", hangs),
            (waits, "ticket = \"overflow\"", hangs),
            (waits, "queue = \"main\"", ""), // Whatever is guessed.
            (waits, "told_wait = 4", hangs),
            (&guessed("20min"), "ticket = \"none\", survey = true, told_wait = 20", ""),
            (&guessed("20min"), "told_wait = 21", "told_wait should be 21 and would be 20"),
            (&guessed("1201s"), "ticket = \"overflow\", survey = false, told_wait = \"none\"", ""),
            (&guessed("1201s"), "ticket = \"none\"", "ticket should be none and would be overflow"),
            (&guessed("none"), "ticket = \"none\", told_wait = \"none\"", ""),
            // Begun minutes count, and it is never none.
            (&guessed("61s"), "told_wait = 2", ""),
            (&guessed("0s"), "told_wait = 1", ""),
            // Where a seat is free, or nobody is signed in, nothing is guessed.
            ("to = \"12319\"", "ticket = \"none\", told_wait = \"none\"", ""),
            (
                "to = \"12319\"\nexpected_wait = \"1h\"",
                "ticket = \"none\"",
                "nobody waits whose wait could be guessed",
            ),
            (
                &format!("{}\nseats = \"none\"", guessed("1h")),
                "ticket = \"overflow\"",
                "nobody waits whose wait could be guessed",
            ),
            // Who says that it is urgent is let in before that is asked.
            (&format!("{waits}\nkeys = \"9\""), "ticket = \"none\", priority = 1000", ""),
        ],
    );
    // Without a bound on it, it is only told.
    faq("", &[(waits, "ticket = \"none\"", ""), (waits, "told_wait = 4", hangs)]);
}

#[test]
fn notices_that_stand_are_heard_where_the_house_tells_them() {
    let storm = "notices = [\"storm\", \"water\"]";
    let to = |number: &str| format!("to = \"{number}\"\n{storm}");
    let never = "does not come to where notices are told";
    let center = format!("trunk = \"a-center\"\n{}", to("12319"));
    faq(
        CENTER,
        &[
            (&to("12319"), "hears = [\"greeting\", \"storm\", \"water\"], queue = \"main\"", ""),
            ("to = \"12319\"", "hears = [\"greeting\"]", ""),
            (&to("12319"), "hears = [\"greeting\", \"storm\"]", "would be [greeting, storm, water]"),
            // Before the center rings.
            (
                &format!("{}\nanswered = true", to("12367")),
                "hears = [\"storm\", \"water\"], target = \"12367\"",
                "",
            ),
            // Behind the greeting of a flow; a key for a person leads on from the first.
            (storm, "hears = [\"greeting\", \"storm\", \"water\", \"faq_menu\"], queue = \"main\"", ""),
            (&format!("{storm}\nkeys = \"0\""), "hears = [\"greeting\"]", never),
            // An emergency center hears none, nor who is refused.
            (&center, "hears = []", never),
            (&to("119"), "refused = 404", never),
            (
                "to = \"12319\"\nnotices = [\"a\", \"b\", \"c\"]",
                "hears = [\"greeting\", \"a\", \"b\", \"c\"]",
                "",
            ),
        ],
    );
    let four = test(0, &("notices = [\"a\", \"b\", \"c\", \"d\"]", "queue = \"main\"", ""));
    let said = errors(&judged(&switched_on("faq").replace("@@TESTS@@", &four)));
    assert!(said[0].contains("3 hot notices stand for a line"), "{said:?}");
}

#[test]
fn clerks_who_stay_busy_leave_a_caller_to_the_ticket_or_to_a_call_back() {
    let text = switched_on("faq").replacen("\n#callback = {", "\ncallback = {", 1);
    let busy = "to = \"12319\"\nseats = \"busy\"";
    run(
        &text,
        &[
            (
                busy,
                "queue = \"main\", ticket = \"overflow\", survey = false, callback = false, hears = [\"greeting\", \"no_seat\"]",
                "",
            ),
            (&format!("{busy}\nkeys = \"1\""), "callback = true, ticket = \"none\"", ""),
            (&format!("{busy}\nexpected_wait = \"3min\""), "told_wait = 3, ticket = \"overflow\"", ""),
        ],
    );
}

#[test]
fn who_says_nothing_leaves_no_message_and_comes_to_a_person() {
    services(&[
        ("keys = \"12\"\nmessage = false", "queue = \"main\", ticket = \"none\"", ""),
        ("keys = \"12\"\nmessage = true", "queue = \"none\", ticket = \"self_service\"", ""),
    ]);
}

#[test]
fn a_value_that_cannot_be_read_so_leaves_the_caller_to_a_person() {
    let typed = "keys = \"220260701001#1234#\"";
    services(&[(
        &format!("{typed}\nanswers = {{ tickets = {{ state = \"done\", opened = \"yesterday\" }} }}"),
        "queue = \"main\", hears = [\"greeting\", \"services_menu\", \"progress_ticket\", \"progress_code\"]",
        "",
    )]);
}

#[test]
fn the_house_stands_as_the_test_says() {
    let known = "from = \"13900000000\"\nto = \"12319\"";
    let center = "trunk = \"a-center\"\nto = \"12319\"";
    faq(
        &format!("{COOLS_DOWN}\n{CENTER}"),
        &[
            // Keys that nothing asks for are no part of any call; behind the talk there is a grade to give.
            (
                "to = \"12319\"\nkeys = \"1#\"",
                "queue = \"main\"",
                "nothing comes that # could be pressed for",
            ),
            ("to = \"119\"\nkeys = \"1\"", "refused = 404", "nothing comes that 1 could be pressed for"),
            ("to = \"12319\"\nkeys = \"5\"", "queue = \"main\", survey = true", ""),
            // Who called only just now gets a word and a ticket, by a policy.
            (
                known,
                "policy = \"cool_down\", queue = \"main\", ticket = \"none\", hears = [\"greeting\"]",
                "",
            ),
            (
                &format!("{known}\njust_called = true"),
                "queue = \"none\", ticket = \"cool_down\", hears = [\"greeting\", \"cool_down\"], survey = false",
                "",
            ),
            ("to = \"12319\"\njust_called = true", "queue = \"main\", ticket = \"none\"", ""),
            // A full queue turns callers away, and no emergency center.
            (
                "to = \"12319\"\nseats = \"full\"",
                "queue = \"main\", ticket = \"overflow\", survey = false",
                "",
            ),
            ("to = \"12319\"\nwaiting = 100", "ticket = \"overflow\"", ""),
            ("to = \"12319\"\nwaiting = 89", "ticket = \"none\"", ""),
            // A surge has a greeting of its own: by how many wait, or by somebody's word, which says more.
            ("to = \"12319\"\nwaiting = 29", "hears = [\"greeting\"]", ""),
            ("to = \"12319\"\nwaiting = 30", "hears = [\"surge_greeting\"], callback = false", ""),
            ("to = \"12319\"\nwaiting = 30\nsurge = false", "hears = [\"greeting\"]", ""),
            ("to = \"12319\"\nsurge = true", "prompt = \"surge_greeting\", queue = \"main\"", ""),
            ("to = \"12319\"\nsurge = true", "prompt = \"greeting\"", "should be greeting"),
            (
                "to = \"12396\"\nat = 2021-08-01T09:00:00+08:00\nsurge = true",
                "hears = [\"transition\", \"surge_greeting\"]",
                "",
            ),
            ("to = \"12319\"\nwaiting = 90", "ticket = \"overflow\", priority = 0", ""),
            ("to = \"12385\"\nwaiting = 90", "ticket = \"none\", priority = 100", ""),
            (
                &format!("{center}\nseats = \"full\""),
                "queue = \"main\", ticket = \"none\", hears = [], priority = 2000",
                "",
            ),
            (&format!("{center}\nseats = \"none\""), "ticket = \"overflow\"", ""),
            // Citizens' calls are not taken to come by it, wherever its name stands in the alphabet.
            ("to = \"12319\"", "hears = [\"greeting\"], priority = 0", ""),
            // Nobody picks up at a drill unless the test says so.
            (
                "to = \"12367\"",
                "target = \"12367\", queue = \"main\", ticket = \"sub_center_unanswered\"",
                "",
            ),
            (
                "to = \"12367\"\nanswered = true",
                "target = \"12367\", queue = \"none\", ticket = \"none\"",
                "",
            ),
            // Nothing can be expected of everything.
            (
                "to = \"12319\"\nseats = \"none\"",
                "experts = \"none\", refused = \"none\", by = \"none\", survey = \"none\", meeting = \"none\"",
                "",
            ),
            (
                "to = \"119\"",
                "priority = \"none\", hears = \"none\", survey = false, recorded = \"none\"",
                "",
            ),
            ("to = \"12319\"", "survey = \"none\"", "survey should be false and would be true"),
            ("to = \"12319\"", "priority = \"none\"", "priority should be none and would be 0"),
            ("to = \"12348\"", "experts = \"none\"", "experts should be none and would be true"),
        ],
    );
}

#[test]
fn who_says_by_key_that_it_is_urgent_hears_no_more_and_is_never_turned_away() {
    let text = switched_on("faq").replace("@@TESTS@@", &format!("{COOLS_DOWN}\n@@TESTS@@"));
    let others = text.lines().filter(|line| !line.starts_with("urgent_"));
    let text = others.collect::<Vec<_>>().join("\n");
    let text = text.replace("[callers]\n", "[callers]\nurgent_key = \"9\"\nurgent_priority = 1500\n");
    let merged = "from = \"13900000000\"\nto = \"12396\"\nat = 2021-09-01T09:00:00+08:00\nkeys = \"9\"";
    run(
        &text,
        &[
            (merged, "hears = [\"transition\"], queue = \"main\", priority = 1500", ""),
            (&format!("{merged}\nseats = \"full\""), "queue = \"main\", ticket = \"none\"", ""),
            (&format!("{merged}\njust_called = true"), "queue = \"main\", ticket = \"none\"", ""),
            ("keys = \"9\"", "hears = [\"greeting\"], queue = \"main\", priority = 1500", ""),
        ],
    );
}

#[test]
fn a_forwarded_number_stands_where_the_trunk_looks() {
    let usual =
        "dialled_from = [\"request_uri\", \"history_info\", \"diversion\", \"p_called_party_id\", \"to\"]";
    let inside = "to = \"12345\"\nat = 2021-09-01T09:00:00+08:00";
    let once = format!("{inside}\nforwarded_from = [\"12396\"]");
    let twice = format!("{inside}\nforwarded_from = [\"12396\", \"12349\"]"); // The oldest counts.
    let expect = "line = \"12396\", prompt = \"transition\"";
    for places in [
        "\"request_uri\", \"history_info\"",
        "\"request_uri\", \"diversion\", \"to\"",
        "\"p_called_party_id\", \"request_uri\"",
    ] {
        let text = switched_on("faq").replacen(usual, &format!("dialled_from = [{places}]"), 1);
        run(&text, &[(&once, expect, ""), (&twice, expect, "")]);
    }
    let text = switched_on("faq").replacen(usual, "dialled_from = [\"request_uri\", \"to\"]", 1);
    let tests = test(0, &(&once, "line = \"12345\"", ""));
    let said = errors(&judged(&text.replace("@@TESTS@@", &tests)));
    assert!(said.len() == 1 && said[0].starts_with("E1206"), "{said:?}");
}

#[test]
fn who_is_refused_is_not_recorded() {
    let text = switched_on("faq").replace("afterwards = \"connect\"", "afterwards = \"release\"");
    let later = "to = \"12396\"\nat = 2022-03-01T00:00:00+08:00";
    let outcome = run(&text, &[(later, "refused = 410, recorded = false", "")]);
    let plan = outcome.plan.expect("a plan");
    let at = "2022-03-01T00:00:00+08:00".parse().expect("an instant");
    assert!(!plan.flow(&plan.lines["12396"], at).record, "as explain tells it");
    let text =
        text.replace("afterwards = \"release\"\n", "afterwards = \"release\"\ncause = \"unallocated\"\n");
    run(&text, &[(later, "refused = 404, recorded = false", ""), (later, "refused = 410", "refused")]);
}

#[test]
fn the_command_that_shows_the_whole_way_can_be_run() {
    let call = "to = \"sip:12345@192.0.2.10;user=phone\"\nforwarded_from = [\"12396\"]\ntrunk = \"carrier\"";
    let outcome = faq("", &[(call, "queue = \"night\"", "queue should be night")]);
    let remedy = outcome.report.diagnostics.iter().find(|found| found.code == "E1201");
    let remedy = remedy.and_then(|found| found.remedy.as_ref()).expect("a remedy");
    let command = "hotline explain --from 13800000000 --to 'sip:12345@192.0.2.10;user=phone' \
                   --history-info 12396 --trunk carrier --at 2026-07-01T01:00:00Z --seats some,";
    assert!(remedy.en.contains(command), "{}", remedy.en);
    // With what the test says, and what it means by not saying it.
    for (call, options) in [
        ("to = \"12367\"", "--seats some --answered false,"),
        ("to = \"12319\"\nwaiting = 3", "--waiting 3,"),
        (
            "keys = \"1\"\nnotices = [\"大风\"]\nmessage = false",
            "--keys 1 --seats some --message false --notice '大风',",
        ),
        ("to = \"12319\"\nwaiting = 3\nexpected_wait = \"12min\"", "--waiting 3 --expected-wait 12min,"),
    ] {
        let outcome = faq("", &[(call, "queue = \"night\"", "queue should be night")]);
        let found = outcome.report.diagnostics.iter().find(|found| found.code == "E1201");
        let remedy = found.and_then(|found| found.remedy.as_ref()).expect("a remedy");
        assert!(remedy.en.contains(options), "{}", remedy.en);
    }
}
