//! Faults of single values: unknown, missing, of the wrong kind or out of range.

use super::base::{Edit, Files, codes, is_error};
use super::fixture::Fixture;

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0101",
        what: "a slip in a key",
        edits: &[Edit::Plan("wrap_up = \"31s\"", "⟦wrapup⟧ = \"31s\"")],
    },
    Fixture {
        code: "E0101",
        what: "an unknown table",
        edits: &[Edit::Plan("[survey]\n", "[⟦menu⟧]\n[survey]\n")],
    },
    Fixture {
        code: "E0101",
        what: "an unknown key inside an inline table",
        edits: &[Edit::Plan("{ env = \"SEAT_1002\" }", "{ env = \"SEAT_1002\", ⟦user⟧ = \"x\" }")],
    },
    Fixture {
        code: "E0101",
        what: "an unknown key in the manifest",
        edits: &[Edit::Manifest("text = \"survey。\"", "text = \"survey。\"\n⟦voice⟧ = \"f\"")],
    },
    Fixture {
        code: "E0102",
        what: "a key is missing",
        edits: &[Edit::Plan(
            "[[queue]]\nname = \"main\"\ngreeting = \"greeting\"\n",
            "⟦[[queue]]⟧\nname = \"main\"\n",
        )],
    },
    Fixture {
        code: "E0102",
        what: "a key that the mode needs is missing",
        edits: &[Edit::Plan(
            "[[number]]\nnumber = \"12345\"\nname = \"政务服务便民热线\"\nowner = \"市政务服务和大数据管理局\"\nmode = \"primary\"\nqueue = \"main\"",
            "⟦[[number]]⟧\nnumber = \"12345\"\nname = \"政务服务便民热线\"\nowner = \"市政务服务和大数据管理局\"\nmode = \"primary\"",
        )],
    },
    Fixture {
        code: "E0102",
        what: "a webhook without its secret",
        edits: &[Edit::Plan(
            "[[ticket_sink]]\nname = \"store\"\nkind = \"sqlite\"",
            "⟦[[ticket_sink]]⟧\nname = \"store\"\nkind = \"http\"\nurl = \"https://tickets.example\"",
        )],
    },
    Fixture {
        code: "E0103",
        what: "a number in quotes",
        edits: &[Edit::Plan("tries = 2", "tries = ⟦\"2\"⟧")],
    },
    Fixture {
        code: "E0103",
        what: "a telephone number without quotes",
        edits: &[Edit::Plan("number = \"12348\"", "number = ⟦12348⟧")],
    },
    Fixture {
        code: "E0103",
        what: "a date in quotes",
        edits: &[Edit::Plan("start = 2021-08-01", "start = ⟦\"2021-08-01\"⟧")],
    },
    Fixture {
        code: "E0103",
        what: "yes for true",
        edits: &[Edit::Plan("trust_identity = true", "trust_identity = ⟦\"yes\"⟧")],
    },
    Fixture {
        code: "E0104",
        what: "a header that says nothing of forwarding",
        edits: &[Edit::Plan(
            "trust_identity = true",
            "trust_identity = true\nforwarded_in = [\"diversion\", ⟦\"to\"⟧]",
        )],
    },
    Fixture {
        code: "E0103",
        what: "one name in place of a list",
        edits: &[Edit::Plan("skills = [\"law\"]", "skills = ⟦\"law\"⟧")],
    },
    Fixture {
        code: "E0103",
        what: "a secret kept in two places",
        edits: &[Edit::Plan("{ env = \"SEAT_1002\" }", "⟦{ env = \"SEAT_1002\", file = \"secrets/x\" }⟧")],
    },
    Fixture {
        code: "E0103",
        what: "a hash that is a number",
        edits: &[Edit::Manifest("file = \"survey.wav\"\nsha256", "file = \"survey.wav\"\nsha256 = ⟦1⟧\n#")],
    },
    Fixture {
        code: "E0104",
        what: "a slip in a choice",
        edits: &[Edit::Plan("mode = \"dual\"", "mode = ⟦\"daul\"⟧")],
    },
    Fixture {
        code: "E0104",
        what: "a place that no message has",
        edits: &[Edit::Plan("\"history_info\"]", "⟦\"history\"⟧]")],
    },
    Fixture {
        code: "E0105",
        what: "a password in place of a reference",
        edits: &[Edit::Plan("secret = { env = \"SEAT_1002\" }", "secret = ⟦\"s3cret\"⟧")],
    },
    Fixture {
        code: "E0105",
        what: "a password where no password belongs",
        edits: &[Edit::Plan("name = \"tax\"", "name = \"tax\"\npassword = ⟦\"s3cret\"⟧")],
    },
    Fixture {
        code: "E0106",
        what: "a duration without its unit",
        edits: &[Edit::Plan("ring = \"20s\"", "ring = ⟦20⟧")],
    },
    Fixture {
        code: "E0106",
        what: "a duration with a fraction",
        edits: &[Edit::Plan("call_max = \"4h\"", "call_max = ⟦\"4.5h\"⟧")],
    },
    Fixture {
        code: "E0107",
        what: "an empty name",
        edits: &[Edit::Plan("name = \"一号座席\"", "name = ⟦\"  \"⟧")],
    },
    Fixture {
        code: "E0107",
        what: "a queue that lets nobody in",
        edits: &[Edit::Plan("length_max = 100", "length_max = ⟦0⟧")],
    },
    Fixture {
        code: "E0107",
        what: "a negative number",
        edits: &[Edit::Plan("length_max = 100", "length_max = ⟦-1⟧")],
    },
    Fixture {
        code: "E0107",
        what: "a seat that rings for no time",
        edits: &[Edit::Plan("ring = \"20s\"", "ring = ⟦\"0s\"⟧")],
    },
    Fixture {
        code: "E0107",
        what: "music for ever where no seat is signed in",
        edits: &[Edit::Plan("no_seat_wait = \"21s\"", "no_seat_wait = ⟦\"9000h\"⟧")],
    },
    Fixture {
        code: "E0107",
        what: "music for ever where seats are busy",
        edits: &[Edit::Plan("wait_max = \"5min\"", "wait_max = ⟦\"25h\"⟧")],
    },
    Fixture {
        code: "E0107",
        what: "a question put six times",
        edits: &[Edit::Plan("tries = 2", "tries = ⟦6⟧")],
    },
    Fixture {
        code: "E0107",
        what: "a question that waits for days",
        edits: &[Edit::Plan("wait = \"8s\"", "wait = ⟦\"48h\"⟧")],
    },
    Fixture {
        code: "E0108",
        what: "a target with half a port",
        edits: &[Edit::Plan("\"203.0.113.5:5060\"", "⟦\"203.0.113.5:\"⟧")],
    },
    Fixture {
        code: "E0108",
        what: "an advertised host name",
        edits: &[Edit::Plan(
            "\"192.0.2.10:5060\"",
            "{ bind = \"192.0.2.10:5060\", advertise = ⟦\"sip.example\"⟧ }",
        )],
    },
    Fixture {
        code: "E0109",
        what: "a net with a prefix too long",
        edits: &[Edit::Plan("\"198.51.100.0/28\"", "⟦\"198.51.100.0/33\"⟧")],
    },
    Fixture {
        code: "E0110",
        what: "a slip in the time zone",
        edits: &[Edit::Plan("\"Asia/Shanghai\"", "⟦\"Asia/Shanghia\"⟧")],
    },
    Fixture {
        code: "E0115",
        what: "a file of another age",
        edits: &[Edit::Plan("schema = 1", "schema = ⟦2⟧")],
    },
    Fixture {
        code: "E0116",
        what: "a trunk on a number that is not put through",
        edits: &[Edit::Plan("row = \"2-1\"", "row = \"2-1\"\ntrunk = ⟦\"tax\"⟧")],
    },
    Fixture {
        code: "E0116",
        what: "a transition on a number that is kept",
        edits: &[Edit::Plan("row = \"2-1\"", "row = \"2-1\"\ntransition = ⟦{ months = 2 }⟧")],
    },
    Fixture {
        code: "E0116",
        what: "an address for the embedded store",
        edits: &[Edit::Plan("kind = \"sqlite\"", "kind = \"sqlite\"\nurl = ⟦\"https://tickets.example\"⟧")],
    },
];

#[test]
fn an_unknown_name_is_shown_the_nearest_one() {
    for (from, to, nearest) in [
        ("wrap_up = \"31s\"", "wrap-up = \"31s\"", Some("wrap_up")),
        ("[survey]", "[survy]", Some("survey")),
        ("mode = \"dual\"", "mode = \"daul\"", Some("dual")),
        ("kind = \"sqlite\"", "kind = \"sqllite\"", Some("sqlite")),
        ("\"Asia/Shanghai\"", "\"Asia/Shanghia\"", Some("Asia/Shanghai")),
        ("greeting = \"greeting\"", "greeting = \"greetings\"", Some("greeting")),
        ("trunk = \"tax\"", "trunk = \"tex\"", Some("tax")),
        ("tries = 2", "tries = 2\nsomething_else_entirely = 2", None),
    ] {
        let report = Files::with(&[Edit::Plan(from, to)]).judge().report;
        let found = report.diagnostics.iter().find_map(|found| found.nearest.as_deref());
        assert_eq!(found, nearest, "{to}");
        if let Some(nearest) = nearest {
            assert!(report.render(false).contains(&format!("最相近: {nearest}")), "{to}");
        }
    }
}

#[test]
fn a_secret_in_plain_text_is_never_shown_again() {
    let edits = [Edit::Plan("secret = { env = \"SEAT_1002\" }", "secret = \"h0tline-s3cret\"")];
    let report = Files::with(&edits).judge().report;
    assert_eq!(report.exit_code(), 1);
    for shown in [report.render(false), report.render(true), report.to_json().to_string()] {
        assert!(shown.contains("E0105") && !shown.contains("s3cret"), "{shown}");
    }
}

#[test]
fn what_is_said_wrongly_is_not_called_missing_as_well() {
    for (from, to, code) in [
        ("target = \"203.0.113.5:5060\"", "target = \"203.0.113.5:\"", "E0108"),
        ("trunk = \"tax\"\nring = \"25s\"", "trunk = 5\nring = \"25s\"", "E0103"),
        ("mode = \"dual\"\nqueue = \"main\"", "mode = \"dual\"\nqueue = 5", "E0103"),
        ("kind = \"sqlite\"", "kind = \"jsonl\"\npath = 5", "E0103"),
        (
            "enabled = true\nkey = { file = \"secrets/recordings\" }\nkeep = \"1095d\"\n\n[seat_greeting]",
            "enabled = \"yes\"\n\n[seat_greeting]",
            "E0103",
        ),
    ] {
        let report = Files::with(&[Edit::Plan(from, to)]).judge().report;
        let errors: Vec<_> = codes(&report).into_iter().filter(|code| is_error(code)).collect();
        assert_eq!(errors, [code], "{to}: {}", report.render(false));
    }
}
