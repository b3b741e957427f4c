//! Faults of addresses, ports, trunks and of where tickets go.

use super::base::{Edit, Files, add, codes};
use super::fixture::Fixture;

const BENCH: &str = "schema = 1\npurpose = \"live\"";
const LISTEN: &str = "listen = [\"192.0.2.10:5060\"]";
const TAX: &str = "target = \"203.0.113.5:5060\"";

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0601",
        what: "a trunk from nowhere to nowhere",
        edits: &[Edit::Plan("[[queue]]\n", "[[trunk]]\nname = ⟦\"spare\"⟧\n\n[[queue]]\n")],
    },
    Fixture {
        code: "E0602",
        what: "calls are put through to a trunk without a target",
        edits: &[Edit::Plan("name = \"tax\"\ntarget = \"203.0.113.5:5060\"", "name = ⟦\"tax\"⟧")],
    },
    Fixture {
        code: "E0603",
        what: "a range of ports that is none",
        edits: &[Edit::Plan("\"20000-29999\"", "⟦\"20000+\"⟧")],
    },
    Fixture {
        code: "E0603",
        what: "an odd first port",
        edits: &[Edit::Plan("\"20000-29999\"", "⟦\"20001-29999\"⟧")],
    },
    Fixture {
        code: "E0603",
        what: "fewer ports than the calls need",
        edits: &[Edit::Plan("\"20000-29999\"", "⟦\"20000-20999\"⟧")],
    },
    Fixture {
        code: "E0603",
        what: "SIP among the RTP ports",
        edits: &[
            Edit::Plan("192.0.2.10:5060", "192.0.2.10:20010"),
            Edit::Plan("\"20000-29999\"", "⟦\"20000-29999\"⟧"),
        ],
    },
    Fixture {
        code: "E0603",
        what: "fewer ports on the command line than the calls need",
        edits: &[Edit::Ports(20_000, 20_003)],
    },
    Fixture {
        code: "E0604",
        what: "a bench plan off loopback",
        edits: &[
            Edit::Plan(BENCH, "schema = 1\npurpose = \"bench\""),
            Edit::Plan(LISTEN, "listen = [⟦\"192.0.2.10:5060\"⟧]"),
        ],
    },
    Fixture {
        code: "E0605",
        what: "a drill that would call somebody real",
        edits: &[Edit::Plan(TAX, "drill = true\ntarget = ⟦\"203.0.113.5:5060\"⟧")],
    },
    Fixture {
        code: "E0606",
        what: "two trunks from one net",
        edits: &[Edit::Plan(TAX, "target = \"203.0.113.5:5060\"\nsources = [⟦\"198.51.100.0/28\"⟧]")],
    },
    Fixture {
        code: "E0607",
        what: "an address that nobody could answer to",
        edits: &[Edit::Plan(LISTEN, "listen = [⟦\"0.0.0.0:5060\"⟧]")],
    },
    Fixture {
        code: "E0608",
        what: "no place to receive calls",
        edits: &[Edit::Plan(LISTEN, "listen = ⟦[]⟧")],
    },
    Fixture {
        code: "E0608",
        what: "no place to look for the dialled number",
        edits: &[Edit::Plan("[\"request_uri\", \"history_info\"]", "⟦[]⟧")],
    },
    Fixture {
        code: "E0609",
        what: "a trunk on the command line that is not in the file",
        edits: &[Edit::Target("taxx", "127.0.0.1:5090")],
    },
    Fixture {
        code: "E0610",
        what: "a trunk that leads back to our own door",
        edits: &[Edit::Plan(TAX, "target = ⟦\"192.0.2.10:5060\"⟧")],
    },
    Fixture {
        code: "E0610",
        what: "a trunk that leads to our own public address",
        edits: &[
            Edit::Plan("\"192.0.2.10:5060\"", "{ bind = \"0.0.0.0:5060\", advertise = \"203.0.113.5\" }"),
            Edit::Plan(TAX, "target = ⟦\"203.0.113.5:5060\"⟧"),
        ],
    },
    Fixture {
        code: "E0610",
        what: "a trunk that leads to the name by which seats call us",
        edits: &[Edit::Plan(TAX, "target = ⟦\"hotline.test\"⟧")],
    },
    Fixture {
        code: "E0610",
        what: "a trunk led back to our own door on the command line",
        edits: &[Edit::Target("tax", "192.0.2.10:5060")],
    },
    Fixture {
        code: "E0701",
        what: "tickets go nowhere",
        edits: &[Edit::Plan("[[ticket_sink]]\nname = \"store\"\nkind = \"sqlite\"\ntimeout = \"5s\"\n", "")],
    },
    Fixture {
        code: "E0702",
        what: "a webhook that is no web address",
        edits: &[Edit::Plan(
            "kind = \"sqlite\"",
            "kind = \"http\"\nurl = ⟦\"tickets.example/hook\"⟧\nsecret = { env = \"HOOK\" }",
        )],
    },
    Fixture {
        code: "E0105",
        what: "an account in a webhook's address",
        edits: &[Edit::Plan(
            "kind = \"sqlite\"",
            "kind = \"http\"\nurl = ⟦\"https://hotline:geheim@tickets.example/hook\"⟧\nsecret = { env = \"HOOK\" }",
        )],
    },
    Fixture {
        code: "W0701",
        what: "tickets in the clear",
        edits: &[Edit::Plan(
            "kind = \"sqlite\"",
            "kind = \"http\"\nurl = ⟦\"http://tickets.example/hook\"⟧\nsecret = { env = \"HOOK\" }",
        )],
    },
    Fixture {
        code: "W0101",
        what: "loopback trusted as a carrier",
        edits: &[Edit::Plan("\"198.51.100.0/28\"", "⟦\"127.0.0.0/8\"⟧")],
    },
    Fixture {
        code: "W0102",
        what: "a drill",
        edits: &[Edit::Plan(TAX, "target = \"127.0.0.1:9\"\ndrill = ⟦true⟧")],
    },
    Fixture {
        code: "E0640",
        what: "a number that no network takes",
        edits: &[Edit::Plan("ring = \"32s\"", "dial = ⟦\"１１０\"⟧\nring = \"32s\"")],
    },
    Fixture {
        code: "E0641",
        what: "a domain that is no host",
        edits: &[Edit::Plan("domain = \"hotline.test\"", "domain = ⟦\"热线 濮阳\"⟧")],
    },
    Fixture {
        code: "E0642",
        what: "the whole world as a carrier",
        edits: &[Edit::Plan("\"198.51.100.0/28\"", "⟦\"0.0.0.0/0\"⟧")],
    },
    Fixture {
        code: "W0119",
        what: "a carrier of half a million hosts",
        edits: &[Edit::Plan("\"198.51.100.0/28\"", "⟦\"198.51.100.0/8\"⟧")],
    },
    Fixture {
        code: "E0703",
        what: "tickets into the file of the database",
        edits: &[add!(
            "[[ticket_sink]]\nname = \"copy\"\nkind = \"jsonl\"\npath = ⟦\"hotline.db\"⟧\ntimeout = \"5s\""
        )],
    },
];

#[test]
fn the_command_line_is_judged_like_the_file() {
    for (edits, found) in [
        (vec![Edit::Listen("127.0.0.1:0")], None),
        (vec![Edit::Target("tax", "127.0.0.1:5090")], None),
        (vec![Edit::Ports(30_000, 39_999)], None),
        (vec![Edit::Listen("127.0.0.1:5090"), Edit::Target("tax", "127.0.0.1:5090")], Some("E0610")),
        (vec![Edit::Listen("0.0.0.0:5060")], Some("E0607")),
        (vec![Edit::Ports(30_001, 39_999)], Some("E0603")),
    ] {
        let report = Files::with(&edits).judge().report;
        assert_eq!(codes(&report), Vec::from_iter(found), "{}", report.render(false));
        if let Some(problem) = report.diagnostics.first() {
            assert!(problem.spot.key.starts_with("--"), "{}", problem.spot.key);
        }
    }
}
