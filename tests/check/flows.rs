//! Faults of flows, of whom they ask, and what a whole one becomes.

use std::time::Duration;

use hotline::routing::script::{Act, Condition, LookUpKind, Reading, Relay, Spoken, Target};

use super::base::{Edit, Files, add, codes};
use super::fixture::Fixture;

/// The main number's callers come through the flow `main`.
const ON: Edit = Edit::Plan("mode = \"primary\"", "mode = \"primary\"\nflow = \"main\"");
/// Somebody outside may be called.
const CALLING: Edit = Edit::Plan(
    "[[emergency]]",
    "[calling]\nprefix = \"8\"\nallowed = [\"13\"]\ntrunk = \"tax\"\nline = \"12345\"\n\n[[emergency]]",
);
const UNRECORDED: Edit = Edit::Plan(
    "[recording]\nenabled = true",
    "[recording]\nenabled = false\nexception = \"试点期间不录音，市政府办批准\"",
);

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0101",
        what: "a key of another kind of step",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nplay = \"greeting\"\n⟦keys⟧ = { \"1\" = \"main\" }"
            ),
        ],
    },
    Fixture {
        code: "E0102",
        what: "a number that nobody says what it is",
        edits: &[ON, add!("[[flow]]\nname = \"main\"\n⟦[[flow.step]]⟧\norder = \"投诉\"")],
    },
    Fixture {
        code: "E0102",
        what: "answers of which nobody knows what they say",
        edits: &[
            ON,
            add!(
                "⟦[[look_up]]⟧\nname = \"cars\"\nkind = \"jsonl\"\npath = \"cars.jsonl\"\n[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"plate\"\nmost = 6\n[[flow.step]]\nlook_up = \"cars\"\nwith = { plate = \"plate\" }"
            ),
        ],
    },
    Fixture {
        code: "E0103",
        what: "a number without quotes",
        edits: &[ON, add!("[[flow]]\nname = \"main\"\n[[flow.step]]\ntransfer = ⟦12366⟧")],
    },
    Fixture {
        code: "E0103",
        what: "a piece that is neither a prompt nor a value",
        edits: &[ON, add!("[[flow]]\nname = \"main\"\n[[flow.step]]\nsay = [⟦7⟧]")],
    },
    Fixture {
        code: "E0104",
        what: "a way of reading that there is not",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"code\"\nmost = 4\n[[flow.step]]\nsay = [{ value = \"code\", as = ⟦\"digit\"⟧ }]"
            ),
        ],
    },
    Fixture {
        code: "E0107",
        what: "more digits than anybody keeps",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"code\"\nmost = ⟦256⟧"
            ),
        ],
    },
    Fixture {
        code: "E0107",
        what: "asked again and again",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"code\"\nmost = 4\ntries = ⟦6⟧"
            ),
        ],
    },
    Fixture {
        code: "E0107",
        what: "minutes for one key",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nmenu = \"survey\"\nkeys = { \"1\" = \"end\" }\nwait = ⟦\"5min\"⟧\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E0107",
        what: "a message without an end",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nmessage = \"survey\"\ninto = \"message\"\nmost = ⟦\"1h\"⟧"
            ),
        ],
    },
    Fixture {
        code: "E0107",
        what: "a minute of silence while somebody looks",
        edits: &[
            ON,
            add!(
                "[[look_up]]\nname = \"tickets\"\nkind = \"tickets\"\ntimeout = ⟦\"60s\"⟧\n[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"code\"\nmost = 4\n[[flow.step]]\nlook_up = \"tickets\"\nwith = { ticket = \"code\", code = \"code\" }"
            ),
        ],
    },
    Fixture {
        code: "E0107",
        what: "locked before the first miss",
        edits: &[
            ON,
            add!(
                "[[look_up]]\nname = \"tickets\"\nkind = \"tickets\"\nmisses_max = ⟦0⟧\n[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"code\"\nmost = 4\n[[flow.step]]\nlook_up = \"tickets\"\nwith = { ticket = \"code\", code = \"code\" }"
            ),
        ],
    },
    Fixture {
        code: "E0116",
        what: "what tickets say is known",
        edits: &[
            ON,
            add!(
                "[[look_up]]\nname = \"tickets\"\nkind = \"tickets\"\nsays = ⟦[\"state\"]⟧\n[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"code\"\nmost = 4\n[[flow.step]]\nlook_up = \"tickets\"\nwith = { ticket = \"code\", code = \"code\" }"
            ),
        ],
    },
    Fixture {
        code: "E0121",
        what: "callers by a pattern",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nbranch = [{ caller = [⟦\"13*\"⟧], to = \"end\" }]\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E0301",
        what: "a flow that waits nowhere",
        edits: &[ON, add!("[[flow]]\nname = \"main\"\n[[flow.step]]\nqueue = ⟦\"mian\"⟧")],
    },
    Fixture {
        code: "E0302",
        what: "a menu that nobody recorded",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nmenu = ⟦\"menu\"⟧\nkeys = { \"1\" = \"end\" }\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E0302",
        what: "a state that nobody recorded",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"type\"\nmost = 1\n[[flow.step]]\nsay = [{ value = \"type\", prompts = { 1 = \"goodbye\", 2 = ⟦\"state_two\"⟧ } }]"
            ),
        ],
    },
    Fixture {
        code: "E0304",
        what: "two flows of one name",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nhang_up = true\n[[flow]]\nname = ⟦\"main\"⟧\n[[flow.step]]\nsurvey = true"
            ),
        ],
    },
    Fixture {
        code: "E0306",
        what: "a case for a number that is not ours",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nbranch = [{ line = [⟦\"12344\"⟧], to = \"end\" }]\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E0413",
        what: "a case at no hour",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nbranch = [{ inside = ⟦[]⟧, to = \"end\" }]\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E1001",
        what: "a slip in what a step does",
        edits: &[ON, add!("[[flow]]\nname = \"main\"\n[[flow.step]]\n⟦plya⟧ = \"greeting\"")],
    },
    Fixture {
        code: "E1001",
        what: "a step that says only how",
        edits: &[ON, add!("[[flow]]\nname = \"main\"\n⟦[[flow.step]]⟧\ninto = \"code\"")],
    },
    Fixture {
        code: "E1002",
        what: "two things in one step",
        edits: &[ON, add!("[[flow]]\nname = \"main\"\n[[flow.step]]\nplay = \"greeting\"\n⟦survey⟧ = true")],
    },
    Fixture {
        code: "E1003",
        what: "a step that does nothing",
        edits: &[ON, add!("[[flow]]\nname = \"main\"\n[[flow.step]]\nsurvey = ⟦false⟧")],
    },
    Fixture {
        code: "E1004", what: "a flow of nothing", edits: &[ON, add!("⟦[[flow]]⟧\nname = \"main\"")]
    },
    Fixture {
        code: "E1005",
        what: "a flow that never ends",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\nstep = [{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},{survey=true},⟦{survey=true}⟧]"
            ),
        ],
    },
    Fixture {
        code: "E1006",
        what: "a number that leads to no flow",
        edits: &[Edit::Plan("mode = \"primary\"", "mode = \"primary\"\nflow = ⟦\"mian\"⟧")],
    },
    Fixture {
        code: "E1006",
        what: "a key that leads nowhere",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nmenu = \"survey\"\nkeys = { \"1\" = ⟦\"nowhere\"⟧ }"
            ),
        ],
    },
    Fixture {
        code: "E1007",
        what: "a question to nobody",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"code\"\nmost = 4\n[[flow.step]]\nlook_up = ⟦\"tickets\"⟧\nwith = { ticket = \"code\" }"
            ),
        ],
    },
    Fixture {
        code: "E1008",
        what: "a talk with nobody",
        edits: &[ON, add!("[[flow]]\nname = \"main\"\n[[flow.step]]\nbot = ⟦\"assistant\"⟧")],
    },
    Fixture {
        code: "E1009",
        what: "a menu without a choice",
        edits: &[ON, add!("[[flow]]\nname = \"main\"\n[[flow.step]]\nmenu = \"survey\"\nkeys = ⟦{}⟧")],
    },
    Fixture {
        code: "E1010",
        what: "two keys for one",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nmenu = \"survey\"\nkeys = { \"1\" = \"end\", ⟦\"12\"⟧ = \"end\" }\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E1011",
        what: "another meaning for 0",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nmenu = \"survey\"\nkeys = { \"1\" = \"end\", ⟦\"0\"⟧ = \"end\" }\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E1012",
        what: "the urgent key in a menu",
        edits: &[
            ON,
            add!(
                "[callers]\nurgent_key = \"9\"\n[[flow]]\nname = \"main\"\n[[flow.step]]\nmenu = \"survey\"\nkeys = { ⟦\"9\"⟧ = \"end\" }\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E1013",
        what: "a menu behind a menu, two flows on",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nmenu = \"survey\"\nkeys = { \"1\" = \"on\" }\n[[flow]]\nname = \"on\"\n[[flow.step]]\ngo = \"deep\"\n[[flow]]\nname = \"deep\"\n[[flow.step]]\nmenu = ⟦\"greeting\"⟧\nkeys = { \"1\" = \"end\" }\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E1013",
        what: "a menu that leads back to itself",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nmenu = ⟦\"survey\"⟧\nkeys = { \"*\" = \"main\" }"
            ),
        ],
    },
    Fixture {
        code: "E1014",
        what: "words behind the queue",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nqueue = \"main\"\n⟦[[flow.step]]⟧\nplay = \"goodbye\""
            ),
        ],
    },
    Fixture {
        code: "E1014",
        what: "words behind a menu",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nmenu = \"survey\"\nkeys = { \"1\" = \"end\" }\n⟦[[flow.step]]⟧\nplay = \"goodbye\"\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E1014",
        what: "words behind a branch that leads away whatever is so",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nbranch = [{ caller = [\"13\"], to = \"end\" }]\notherwise = \"end\"\n⟦[[flow.step]]⟧\nplay = \"goodbye\"\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E1015",
        what: "a message that nobody records",
        edits: &[
            ON,
            UNRECORDED,
            add!("[[flow]]\nname = \"main\"\n[[flow.step]]\nmessage = ⟦\"survey\"⟧\ninto = \"message\""),
        ],
    },
    Fixture {
        code: "E1016",
        what: "more digits than may be",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"code\"\nleast = 6\nmost = ⟦4⟧"
            ),
        ],
    },
    Fixture {
        code: "E1016",
        what: "a message that is always too short",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nmessage = \"survey\"\ninto = \"message\"\nmost = ⟦\"2s\"⟧"
            ),
        ],
    },
    Fixture {
        code: "E1017",
        what: "a value that nobody gives",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"code\"\nmost = 4\n[[flow.step]]\nsay = [\"greeting\", { value = ⟦\"cod\"⟧, as = \"digits\" }]"
            ),
        ],
    },
    Fixture {
        code: "E1017",
        what: "a value that is given behind the question by it",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\norder = \"投诉\"\nvalues = [⟦\"message\"⟧]\nprompt = \"ticket_number\"\n[[flow.step]]\nmessage = \"survey\"\ninto = \"message\""
            ),
        ],
    },
    Fixture {
        code: "E1017",
        what: "a case by what nobody says",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nbranch = [{ value = ⟦\"type\"⟧, is = [\"1\"], to = \"end\" }]\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E1018",
        what: "a number to call that was not found",
        edits: &[
            ON,
            CALLING,
            add!(
                "[[look_up]]\nname = \"cars\"\nkind = \"jsonl\"\npath = \"cars.jsonl\"\nsays = [\"owner\"]\n[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"plate\"\nmost = 6\n[[flow.step]]\nlook_up = \"cars\"\nwith = { plate = \"plate\" }\n[[flow.step]]\ntransfer = { value = ⟦\"owner\"⟧ }"
            ),
        ],
    },
    Fixture {
        code: "E1019",
        what: "a question by nothing",
        edits: &[
            ON,
            add!(
                "[[look_up]]\nname = \"tickets\"\nkind = \"tickets\"\n[[flow]]\nname = \"main\"\n[[flow.step]]\nlook_up = \"tickets\"\nwith = ⟦{}⟧"
            ),
        ],
    },
    Fixture {
        code: "E1019",
        what: "a ticket without its code",
        edits: &[
            ON,
            add!(
                "[[look_up]]\nname = \"tickets\"\nkind = \"tickets\"\n[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"ticket\"\nmost = 12\n[[flow.step]]\nlook_up = \"tickets\"\nwith = ⟦{ ticket = \"ticket\" }⟧"
            ),
        ],
    },
    Fixture {
        code: "E1019",
        what: "a ticket by a name that it does not go by",
        edits: &[
            ON,
            add!(
                "[[look_up]]\nname = \"tickets\"\nkind = \"tickets\"\n[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"ticket\"\nmost = 12\n[[flow.step]]\nlook_up = \"tickets\"\nwith = { ticket = \"ticket\", ⟦kode⟧ = \"ticket\" }"
            ),
        ],
    },
    Fixture {
        code: "E1020",
        what: "a transfer to a number of our own clerks",
        edits: &[ON, add!("[[flow]]\nname = \"main\"\n[[flow.step]]\ntransfer = ⟦\"12348\"⟧")],
    },
    Fixture {
        code: "E1021",
        what: "a call outside by nothing",
        edits: &[
            ON,
            add!(
                "[[look_up]]\nname = \"cars\"\nkind = \"jsonl\"\npath = \"cars.jsonl\"\nsays = [\"owner\"]\n[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"plate\"\nmost = 6\n[[flow.step]]\nlook_up = \"cars\"\nwith = { plate = \"plate\" }\nmissing = \"end\"\n[[flow.step]]\ntransfer = { value = ⟦\"owner\"⟧ }\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E1022",
        what: "a number that is not the one that is shown",
        edits: &[
            ON,
            CALLING,
            add!(
                "[[look_up]]\nname = \"cars\"\nkind = \"jsonl\"\npath = \"cars.jsonl\"\nsays = [\"owner\"]\n[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"plate\"\nmost = 6\n[[flow.step]]\nlook_up = \"cars\"\nwith = { plate = \"plate\" }\nmissing = \"end\"\n[[flow.step]]\ntransfer = { value = \"owner\", line = ⟦\"12348\"⟧ }\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E1023",
        what: "a case for a line whose calls do not come here",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nbranch = [{ line = ⟦[\"12348\"]⟧, to = \"end\" }]\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E1023",
        what: "a case for no caller",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nbranch = [{ caller = ⟦[]⟧, to = \"end\" }]\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E1023",
        what: "outside of all hours",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nbranch = [{ outside = ⟦[{ days = \"daily\", from = \"00:00\", to = \"24:00\" }]⟧, to = \"end\" }]\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E0121",
        what: "a case that cannot be read takes no other's callers",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nbranch = [{ caller = [⟦\"+86\"⟧], to = \"end\" }, { outside = [{ days = \"mon-fri\", from = \"09:00\", to = \"18:00\" }], to = \"end\" }]\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E1023",
        what: "a case that an earlier one takes",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nbranch = [{ caller = [\"13\"], to = \"end\" }, ⟦{ caller = [\"138\", \"139\"], inside = [{ days = \"mon-fri\", from = \"08:00\", to = \"18:00\" }], to = \"end\" }⟧]\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E1024",
        what: "a case for everybody",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nbranch = [⟦{ to = \"end\" }⟧]\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E1024",
        what: "a branch of one way",
        edits: &[ON, add!("[[flow]]\nname = \"main\"\n[[flow.step]]\nbranch = ⟦[]⟧")],
    },
    Fixture {
        code: "E1601",
        what: "a token in a look-up's query, in the clear in public",
        edits: &[
            ON,
            add!(
                "[[look_up]]\nname = \"cars\"\nkind = \"http\"\nurl = ⟦\"http://203.0.113.9/owner?access_token=5up3r\"⟧\nsecret = { env = \"CARS\" }\nsays = [\"owner\"]\n[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"plate\"\nmost = 6\n[[flow.step]]\nlook_up = \"cars\"\nwith = { plate = \"plate\" }"
            ),
        ],
    },
    Fixture {
        code: "E1601",
        what: "a signature in a bot's query",
        edits: &[
            ON,
            add!(
                "[[bot]]\nname = \"assistant\"\nurl = ⟦\"wss://bots.example/calls?x-signature=5up3r\"⟧\nmost = \"30s\"\n[[flow]]\nname = \"main\"\n[[flow.step]]\nbot = \"assistant\""
            ),
        ],
    },
    Fixture {
        code: "E1025",
        what: "an address of nothing",
        edits: &[
            ON,
            add!(
                "[[bot]]\nname = \"assistant\"\nurl = ⟦\"https://bot.example/calls\"⟧\n[[flow]]\nname = \"main\"\n[[flow.step]]\nbot = \"assistant\""
            ),
        ],
    },
    Fixture {
        code: "E1030",
        what: "a state that no ticket has",
        edits: &[
            ON,
            add!(
                "[[look_up]]\nname = \"tickets\"\nkind = \"tickets\"\n[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"code\"\nmost = 8\n[[flow.step]]\nlook_up = \"tickets\"\nwith = { ticket = \"code\", code = \"code\" }\n[[flow.step]]\nsay = [{ value = \"state\", prompts = { ⟦in_hands⟧ = \"goodbye\", done = \"goodbye\" }, otherwise = \"no_seat\" }]"
            ),
        ],
    },
    Fixture {
        code: "E1030",
        what: "more digits than were asked for",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"type\"\nmost = 1\n[[flow.step]]\nbranch = [{ value = \"type\", is = [\"1\", ⟦\"12\"⟧], to = \"end\" }]\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E1030",
        what: "a letter where keys are pressed, on each way that comes there",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\nbranch = [{ caller = [\"13\"], to = \"one\" }]\n[[flow.step]]\ncollect = \"survey\"\ninto = \"type\"\nmost = 1\n[[flow.step]]\ngo = \"both\"\n[[flow]]\nname = \"one\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"type\"\nleast = 2\nmost = 3\n[[flow.step]]\ngo = \"both\"\n[[flow]]\nname = \"both\"\n[[flow.step]]\nbranch = [{ value = \"type\", is = [\"1\", \"12\", ⟦\"a\"⟧], to = \"end\" }]\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true"
            ),
        ],
    },
    Fixture {
        code: "E1026",
        what: "a name that no adapter knows",
        edits: &[
            ON,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = ⟦\"车牌\"⟧\nmost = 6"
            ),
        ],
    },
    Fixture {
        code: "E1027",
        what: "more values than a call keeps",
        edits: &[
            ON,
            add!(
                "[[look_up]]\nname = \"all\"\nkind = \"jsonl\"\npath = \"all.jsonl\"\nsays = [\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\",\"k\",\"l\",\"m\",\"n\",\"o\",\"p\",\"q\",\"r\",\"s\",\"t\",\"u\",\"v\",\"w\",\"x\",\"y\",\"z\",\"aa\",\"ab\",\"ac\",\"ad\",\"ae\",\"af\"]\n[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"code\"\nmost = 6\n[[flow.step]]\nlook_up = \"all\"\nwith = { code = \"code\" }\n⟦[[flow.step]]⟧\nplay = \"goodbye\""
            ),
        ],
    },
    Fixture {
        code: "E1028",
        what: "any number that a caller wants",
        edits: &[
            ON,
            CALLING,
            add!(
                "[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"owner\"\nmost = 11\n[[flow.step]]\ntransfer = { value = ⟦\"owner\"⟧ }"
            ),
        ],
    },
    Fixture {
        code: "E1028",
        what: "a number that a bot heard",
        edits: &[
            ON,
            CALLING,
            add!(
                "[[bot]]\nname = \"assistant\"\nurl = \"ws://127.0.0.1/\"\nmost = \"30s\"\nsays = [\"owner\"]\n[[flow]]\nname = \"main\"\n[[flow.step]]\nbot = \"assistant\"\n[[flow.step]]\ntransfer = { value = ⟦\"owner\"⟧ }"
            ),
        ],
    },
    Fixture {
        code: "E1029",
        what: "a bot across the public net",
        edits: &[
            ON,
            add!(
                "[[bot]]\nname = \"assistant\"\nurl = ⟦\"ws://203.0.113.9/calls\"⟧\nmost = \"30s\"\n[[flow]]\nname = \"main\"\n[[flow.step]]\nbot = \"assistant\""
            ),
        ],
    },
    Fixture {
        code: "E0105",
        what: "an account in a look-up's address",
        edits: &[
            ON,
            add!(
                "[[look_up]]\nname = \"cars\"\nkind = \"http\"\nurl = ⟦\"http://a:geheim@127.0.0.1/owner\"⟧\nsecret = { env = \"CARS\" }\nsays = [\"owner\"]\n[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"plate\"\nmost = 6\n[[flow.step]]\nlook_up = \"cars\"\nwith = { plate = \"plate\" }"
            ),
        ],
    },
    Fixture {
        code: "E0105",
        what: "an account in a bot's address",
        edits: &[
            ON,
            add!(
                "[[bot]]\nname = \"assistant\"\nurl = ⟦\"wss://a:geheim@bots.example/calls\"⟧\nmost = \"30s\"\n[[flow]]\nname = \"main\"\n[[flow.step]]\nbot = \"assistant\""
            ),
        ],
    },
    Fixture {
        code: "W1001",
        what: "a flow that nobody comes through",
        edits: &[add!("[[flow]]\nname = ⟦\"main\"⟧\n[[flow.step]]\nhang_up = true")],
    },
    Fixture {
        code: "W1001",
        what: "a look-up that nobody asks",
        edits: &[add!("[[look_up]]\nname = ⟦\"tickets\"⟧\nkind = \"tickets\"")],
    },
    Fixture {
        code: "W1002",
        what: "what citizens ask in the clear",
        edits: &[
            ON,
            add!(
                "[[look_up]]\nname = \"cars\"\nkind = \"http\"\nurl = ⟦\"http://cars.example/owner\"⟧\nsecret = { env = \"CARS\" }\nsays = [\"owner\"]\n[[flow]]\nname = \"main\"\n[[flow.step]]\nplay = \"greeting\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"plate\"\nmost = 6\n[[flow.step]]\nlook_up = \"cars\"\nwith = { plate = \"plate\" }"
            ),
        ],
    },
    Fixture {
        code: "W1003",
        what: "progress by a code that nobody learns",
        edits: &[
            ON,
            add!(
                "[[look_up]]\nname = \"tickets\"\nkind = \"tickets\"\n[[flow]]\nname = \"main\"\n[[flow.step]]\nplay = \"greeting\"\n[[flow.step]]\norder = \"投诉\"\nprompt = ⟦\"ticket_number\"⟧\n[[flow.step]]\ncollect = \"survey\"\ninto = \"code\"\nmost = 4\n[[flow.step]]\nlook_up = \"tickets\"\nwith = { ticket = \"code\", code = \"code\" }"
            ),
        ],
    },
];

/// One of each kind of step.
const WHOLE: Edit = add!(
    "[[bot]]\nname = \"assistant\"\nurl = \"ws://127.0.0.1:9000/calls\"\nmost = \"90s\"\nmusic = \"hold_music\"\nsays = [\"street\"]\nrate = 16000\nshow_caller = true\n[[look_up]]\nname = \"cars\"\nkind = \"http\"\nurl = \"http://127.0.0.1:9000/owner\"\nsecret = { file = \"secrets/cars\" }\nsays = [\"owner\", \"since\"]\nlock = \"1h\"\n[[flow]]\nname = \"main\"\n[[flow.step]]\nplay = \"greeting\"\n[[flow.step]]\nbranch = [{ line = [\"12345\"], caller = [\"13\", \"0393\"], outside = [{ days = \"mon-fri\", from = \"08:00\", to = \"18:00\" }], to = \"night\" }]\n[[flow.step]]\nmenu = \"survey\"\nkeys = { \"1\" = \"order\", \"2\" = \"car\", \"*\" = \"night\", \"#\" = \"talk\" }\nwait = \"4s\"\ntries = 1\n[[flow]]\nname = \"order\"\n[[flow.step]]\nmessage = \"survey\"\ninto = \"message\"\nmost = \"90s\"\n[[flow.step]]\norder = \"投诉\"\nvalues = [\"message\"]\nprompt = \"ticket_number\"\ncode_prompt = \"survey\"\n[[flow.step]]\nsurvey = true\n[[flow.step]]\nhang_up = true\n[[flow]]\nname = \"car\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"plate\"\nleast = 6\nmost = 7\n[[flow.step]]\nlook_up = \"cars\"\nwith = { plate = \"plate\" }\nmusic = \"hold_music\"\nmissing = \"night\"\nfailed = \"talk\"\n[[flow.step]]\nsay = [\"greeting\", { value = \"since\", as = \"date\" }, { value = \"plate\", prompts = { 555555 = \"goodbye\" }, otherwise = \"greeting\" }]\n[[flow.step]]\ntransfer = { value = \"owner\", line = \"12345\", most = 2, within = \"10min\" }\nfailed = \"night\"\n[[flow]]\nname = \"talk\"\n[[flow.step]]\nbot = \"assistant\"\n[[flow.step]]\ntransfer = \"12366\"\n[[flow.step]]\ngo = \"night\"\n[[flow]]\nname = \"night\"\n[[flow.step]]\nqueue = \"main\""
);

#[test]
fn every_kind_of_step_reaches_the_plan_as_it_is_written() {
    let outcome = Files::with(&[ON, CALLING, WHOLE]).judge();
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
    let plan = outcome.plan.expect("a plan");
    assert_eq!(plan.lines["12345"].script.as_ref().map(|script| script.as_str()), Some("main"));
    assert!(plan.lines["12348"].script.is_none());
    let kinds = |name: &str| -> Vec<&str> { plan.scripts[name].acts.iter().map(Act::kind).collect() };
    assert_eq!(kinds("main"), ["play", "branch", "menu"]);
    assert_eq!(kinds("order"), ["message", "order", "survey", "hang_up"]);
    assert_eq!(kinds("car"), ["collect", "look_up", "say", "transfer"]);
    assert_eq!(kinds("talk"), ["bot", "transfer", "go"]);
    assert_eq!(kinds("night"), ["queue"]);

    let Act::Branch(branch) = &plan.scripts["main"].acts[1] else { panic!("a branch") };
    let [Condition::Line(lines), Condition::Caller(callers), Condition::Outside(hours)] =
        branch.cases[0].when.as_slice()
    else {
        panic!("{branch:?}")
    };
    assert_eq!((lines.len(), callers.len(), hours.bands.len()), (1, 2, 1));
    let Act::Menu(menu) = &plan.scripts["main"].acts[2] else { panic!("a menu") };
    assert_eq!(menu.keys.keys().collect::<String>(), "#*12");
    assert_eq!((menu.wait, menu.tries), (Duration::from_secs(4), 1));
    let Act::Message(message) = &plan.scripts["order"].acts[0] else { panic!("a message") };
    assert_eq!((message.least, message.most), (Duration::from_secs(2), Duration::from_secs(90)));
    let Act::Order(order) = &plan.scripts["order"].acts[1] else { panic!("an order") };
    assert_eq!((order.category.as_str(), order.values.as_slice()), ("投诉", &["message".to_owned()][..]));
    assert!(order.code_prompt.is_some());
    let Act::Collect(collect) = &plan.scripts["car"].acts[0] else { panic!("digits") };
    assert_eq!((collect.least, collect.most, collect.tries), (6, 7, 2));
    let Act::LookUp(asked) = &plan.scripts["car"].acts[1] else { panic!("a question") };
    assert_eq!((asked.source.as_str(), asked.with["plate"].as_str()), ("cars", "plate"));
    assert_eq!(
        (asked.missing.as_ref().unwrap().as_str(), asked.failed.as_ref().unwrap().as_str()),
        ("night", "talk")
    );
    let Act::Say(pieces) = &plan.scripts["car"].acts[2] else { panic!("words") };
    assert!(matches!(&pieces[1], Spoken::Value { reading: Reading::Date, .. }));
    assert!(
        matches!(&pieces[2], Spoken::Choice { prompts, otherwise: Some(_), .. } if prompts.contains_key("555555"))
    );
    let Act::Transfer(relay) = &plan.scripts["car"].acts[3] else { panic!("a transfer") };
    let owner = Relay { name: "owner".to_owned(), most: 2, within: std::time::Duration::from_secs(600) };
    assert_eq!(relay.to, Target::Value(owner));
    let Act::Transfer(center) = &plan.scripts["talk"].acts[1] else { panic!("a transfer") };
    let Target::Peer(peer) = &center.to else { panic!("{center:?}") };
    assert_eq!((peer.trunk.as_str(), peer.number.as_str(), peer.ring.as_secs()), ("tax", "12366", 25));

    let cars = &plan.look_ups["cars"];
    assert!(matches!(&cars.kind, LookUpKind::Http { url, .. } if url == "http://127.0.0.1:9000/owner"));
    assert_eq!((cars.timeout.as_secs(), cars.misses_max, cars.lock.as_secs()), (3, 5, 3_600));
    let bot = &plan.bots["assistant"];
    assert_eq!((bot.connect.as_secs(), bot.most.as_secs(), bot.secret.is_none()), (3, 90, true));
    assert_eq!((bot.rate, bot.show_caller), (16_000, true));
}

#[test]
fn what_a_case_makes_sure_of_needs_no_other_proof() {
    let files = Files::with(&[
        ON,
        CALLING,
        add!(
            "[[look_up]]\nname = \"cars\"\nkind = \"jsonl\"\npath = \"cars.jsonl\"\nsays = [\"owner\"]\n[[flow]]\nname = \"main\"\n[[flow.step]]\nplay = \"greeting\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"plate\"\nmost = 6\n[[flow.step]]\nlook_up = \"cars\"\nwith = { plate = \"plate\" }\n[[flow.step]]\nbranch = [{ value = \"owner\", to = \"call\" }]\n[[flow]]\nname = \"call\"\n[[flow.step]]\ntransfer = { value = \"owner\" }"
        ),
    ]);
    let outcome = files.judge();
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
}

#[test]
fn many_faults_of_flows_are_found_at_once_and_one_that_is_not_whole_hides_no_others() {
    let files = Files::with(&[
        ON,
        add!(
            "[[flow]]\nname = \"main\"\n[[flow.step]]\nplya = \"greeting\"\n[[flow.step]]\nmenu = \"survey\"\nkeys = { \"0\" = \"end\", \"a\" = \"end\" }\n[[flow]]\nname = \"end\"\n[[flow.step]]\nhang_up = true\n[[flow.step]]\ntransfer = \"12345\""
        ),
    ]);
    let report = files.judge().report;
    assert_eq!(codes(&report), ["E1001", "E1011", "E1010", "E1014", "E1020"], "{}", report.render(false));
}
