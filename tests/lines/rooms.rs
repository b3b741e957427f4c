//! Meeting rooms: which numbers are rooms, for whom, and how `hotline explain` tells it.

use std::process::Command;
use std::sync::OnceLock;

use hotline::routing::meeting::Comer;
use hotline::routing::plan::DialledFrom::{self, Diversion, HistoryInfo, RequestUri, To};
use hotline::routing::plan::{LineMode, Plan, Step};
use hotline::routing::{Dialled, Found};

use super::city::{at, edited, now, plan};
use super::list::{EMERGENCY, LIST};

/// The shipped plan, its rooms open to the carrier as well, and said a word before.
fn open() -> &'static Plan {
    static OPEN: OnceLock<Plan> = OnceLock::new();
    OPEN.get_or_init(|| {
        edited(&[("from = [\"seats\"]", "from = [\"seats\", \"carrier\"]\nprompt = \"transfer_wait\"")])
    })
}

fn message(places: &[(DialledFrom, &str)]) -> Dialled {
    Dialled(places.iter().map(|(place, value)| (*place, (*value).to_owned())).collect())
}

fn number(found: Option<Found<'_>>) -> Option<String> {
    found.map(|found| found.line.number.to_string())
}

#[test]
fn a_room_is_known_by_prefix_and_exact_length_in_all_forms_of_a_number() {
    let carrier = &open().trunks["carrier"];
    for (dialled, expected) in [
        ("94000001", Some("94000001")),
        ("sip:94000001@192.0.2.1", Some("94000001")),
        ("tel:94000001;phone-context=+86393", Some("94000001")),
        ("039394000001", Some("94000001")),
        ("+8639394000001", Some("94000001")),
        ("0393-9400-0001", Some("94000001")),
        ("94999999", Some("94999999")),
        ("94000000", Some("94000000")),
        ("9400000", None),
        ("940000011", None),
        ("94", None),
        ("95000001", None),
        ("094000001", None),
        ("037194000001", None),
        ("+8637194000001", None),
        ("94000xxx", None),
        ("9400000１", None),
        ("*94000001", None),
    ] {
        let message = Dialled::request_uri(dialled);
        assert_eq!(
            number(open().find_line(carrier, &message, now())).as_deref(),
            expected,
            "{dialled} by the carrier"
        );
        assert_eq!(
            number(open().find_room(Comer::Seat, &message)).as_deref(),
            expected,
            "{dialled} by a seat"
        );
    }
}

#[test]
fn rooms_are_for_seats_and_nobody_else_in_the_shipped_plan() {
    let message = Dialled::request_uri("94000001");
    assert_eq!(number(plan().find_room(Comer::Seat, &message)).as_deref(), Some("94000001"));
    for trunk in plan().trunks.values() {
        assert_eq!(number(plan().find_line(trunk, &message, now())), None, "{}", trunk.id);
        let is_carrier = trunk.id.as_str() == "carrier";
        assert_eq!(open().find_line(trunk, &message, now()).is_some(), is_carrier, "{}", trunk.id);
    }
}

#[test]
fn a_seat_reaches_rooms_and_no_line_of_citizens() {
    let numbers = LIST.iter().map(|(_, _, number, ..)| *number).chain(EMERGENCY).chain(["12345", "1002", ""]);
    for dialled in numbers {
        let message = Dialled::request_uri(dialled);
        assert_eq!(number(open().find_room(Comer::Seat, &message)), None, "{dialled}");
    }
}

/// Whoever is forwarded to 12345 wanted a person, whatever else the message names.
#[test]
fn only_the_request_uri_leads_into_a_room() {
    let carrier = &open().trunks["carrier"];
    let (room, main, old) = ("94000001", "12345", "12336");
    for (what, places, expected) in [
        ("the room itself", vec![(RequestUri, room), (To, room)], Some(room)),
        ("with a history", vec![(RequestUri, room), (HistoryInfo, old)], Some(room)),
        (
            "12345 with a room's history",
            vec![(RequestUri, main), (HistoryInfo, room), (To, main)],
            Some(main),
        ),
        ("12345 that a room diverted", vec![(RequestUri, main), (Diversion, room)], Some(main)),
        ("12345, and a room in To", vec![(RequestUri, main), (To, room)], Some(main)),
        ("nobody's number, and a room in To", vec![(RequestUri, "5550101"), (To, room)], None),
        ("an emergency, and a room in To", vec![(RequestUri, "110"), (To, room)], None),
    ] {
        assert_eq!(
            number(open().find_line(carrier, &message(&places), now())).as_deref(),
            expected,
            "{what}"
        );
    }
    // A caller who may not join is a citizen all the same.
    let closed = message(&[(RequestUri, room), (HistoryInfo, old)]);
    let found = number(plan().find_line(&plan().trunks["carrier"], &closed, now()));
    assert_eq!(found.as_deref(), Some(old));
}

#[test]
fn a_room_is_answered_and_joined_and_never_waits_for_anybody() {
    let message = Dialled::request_uri("94000001");
    let found = open().find_room(Comer::Seat, &message).expect("a room");
    assert!(matches!(found.line.mode, LineMode::Meeting(_)));
    assert_eq!((found.line.name.as_str(), found.from), ("内部会议", RequestUri));
    let flow = open().flow(&found.line, at("2021-09-01T03:00:00+08:00"));
    let word = Step::Play("transfer_wait".into());
    assert_eq!(flow.steps, [Step::Answer, word, Step::Meet { room: 94_000_001 }]);
    assert!(!flow.record && !flow.may_queue());
    assert_eq!(flow.line.as_str(), "94000001");
    assert!(
        plan().lines.values().all(|line| !matches!(line.mode, LineMode::Meeting(_))),
        "no citizen's line"
    );
    assert_eq!(plan().line_name(&"94000001".into()), "内部会议");
    assert_eq!(plan().line_name(&"9400001".into()), "");
}

fn said(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_hotline"))
        .arg("explain")
        .args(words)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the command runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn a_room_is_explained_to_a_seat_and_to_who_may_not_join() {
    let file = include_str!("../../routing.toml");
    let line = |text: &str| {
        let number = file.lines().position(|line| line == text).expect("the shipped file says it") + 1;
        format!("routing.toml:{number}  {text}")
    };
    let seat = said(&["--to", "94000001", "--seat", "1001"]);
    for words in [
        "1001 → seats",
        "94000001 内部会议",
        "会议室 / meeting room",
        "joins the room 000001 of the meeting \"内部会议\": 32 members at most",
        "加入会议 \"内部会议\" 的房间 000001，最多 32 人",
        "not recorded",
        &line("prefix = \"94\""),
        &line("from = [\"seats\"]"),
    ] {
        assert!(seat.contains(words), "no {words:?} in\n{seat}");
    }
    let citizen = said(&["--to", "94000001", "--from", "13800000000"]);
    for words in [
        "94000001 is a room of the meeting \"内部会议\", open to seats, not to the trunk carrier: refused with 404",
        "只向 seats 开放，不向中继 carrier开放: 404 拒绝",
        &line("from = [\"seats\"]"),
    ] {
        assert!(citizen.contains(words), "no {words:?} in\n{citizen}");
    }
    let nowhere = said(&["--to", "12345", "--seat", "1001"]);
    assert!(nowhere.contains("refused with 403"), "{nowhere}");
    let stranger = said(&["--to", "9400001", "--from", "13800000000"]);
    assert!(stranger.contains("not a number of this hotline"), "{stranger}");
}
