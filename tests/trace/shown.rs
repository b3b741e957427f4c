//! What `hotline trace` shows of a call.

use std::process::Command;

use hotline::io::store::{FILE, Reader};

use crate::talk::{CALLER, engine, hotline, on_disk, stdout, talk};

/// The messages of each leg in order: the caller's, then the seat's. Ours point away from us.
const LEGS: [&[&str]; 2] = [
    &["▶INVITE 12345", "◀100 Trying", "◀180 Ringing", "◀200 OK", "▶ACK", "▶BYE", "◀200 OK"],
    &["▶INVITE 1001", "◀180 Ringing", "◀200 OK", "▶ACK 1001", "▶BYE 1001", "◀200 OK"],
];

/// Which leg a rung of the ladder belongs to, and what it says.
fn rung(line: &str) -> (usize, String) {
    let spans: Vec<&str> = line.split('│').skip(1).collect();
    let leg = spans.iter().position(|span| span.contains('─')).unwrap();
    let way = if spans[leg].contains('▶') { '▶' } else { '◀' };
    let label = spans[leg].trim_matches(|letter| "─◀▶ ".contains(letter));
    (leg, format!("{way}{}", label.split(" (").next().unwrap()))
}

#[test]
fn a_call_is_seen_message_by_message_without_secrets_and_the_look_is_in_the_ledger() {
    let engine = engine("trace-shown", "", &[]);
    let record = talk(&engine);
    let id = record.call.to_string();

    let ladder = stdout(&hotline(&engine.data, &["trace", &id]));
    let rungs: Vec<&str> = ladder.lines().filter(|line| line.contains(" ms ")).collect();
    let said: Vec<(usize, String)> =
        rungs.iter().filter(|line| !line.contains("重发/again")).map(|line| rung(line)).collect();
    for (leg, expected) in LEGS.iter().enumerate() {
        let said: Vec<&str> =
            said.iter().filter(|(of, _)| *of == leg).map(|(_, what)| what.as_str()).collect();
        assert_eq!(said, *expected, "\n{ladder}");
    }
    assert!(said.iter().take(5).all(|(leg, _)| *leg == 0), "the caller is answered first:\n{ladder}");
    assert!(rungs[0].contains("+0.0 ms") && rungs[0].contains(" SDP "), "{ladder}");
    for name in ["中继 trunk carrier", "hotline", "座席 seat 1001", &engine.sip.to_string()] {
        assert!(ladder.contains(name), "no {name} in\n{ladder}");
    }

    let raw = stdout(&hotline(&engine.data, &["trace", &id, "--raw"]));
    let full = stdout(&hotline(&engine.data, &["trace", &id, "--raw", "--full"]));
    assert!(full.contains(CALLER) && !raw.contains(CALLER) && raw.contains("138******42"), "{raw}");
    assert_eq!(raw.matches("--- ").count(), rungs.len());
    let kept = on_disk(&engine.data);
    let holds = |text: &str| memchr::memmem::find(&kept, text.as_bytes()).is_some();
    assert!(holds("REGISTER ") && holds("Authorization: Digest ****"), "a registration is kept as well");
    assert!(!holds("response=\"") && !holds("cnonce="), "but nothing that proves who it was");

    let json: serde_json::Value =
        serde_json::from_str(&stdout(&hotline(&engine.data, &["trace", &id, "--json"]))).unwrap();
    assert_eq!(json["messages"].as_array().unwrap().len(), rungs.len());
    assert_eq!(json["messages"][0]["what"], "INVITE 12345");
    assert_eq!(json["messages"][0]["sdp"], true);

    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    let looked = reader.ledger(None, 100).unwrap();
    let looks = looked.iter().filter(|row| row.json.contains("\"trace_read\"") && row.json.contains(&id));
    assert!(looks.count() >= 4, "each look is an entry: {looked:?}");
    let chain = looked.iter().rev().map(|row| serde_json::from_str(&row.json).unwrap());
    let chain: Vec<hotline::ledger::Entry> = chain.collect();
    assert!(hotline::ledger::verify(&chain).is_ok(), "two processes wrote one chain");

    // After the engine's end, as beside it.
    let data = engine.data.clone();
    let copy = data.with_extension("copy");
    let copied = Command::new("cp").arg("-r").args([&data, &copy]).status().unwrap();
    assert!(copied.success());
    drop(engine);
    let after = hotline(&copy, &["trace", &id, "--raw", "--by", "operator:wang", "--reason", "投诉 17"]);
    assert_eq!(stdout(&after), raw);
    let last = Reader::open(&copy.join(FILE)).unwrap().ledger(None, 1).unwrap().remove(0).json;
    assert!(last.contains("operator:wang") && last.contains("投诉 17"), "{last}");
    let other = hotline(&copy, &["trace", "017bb000-0000-7000-8000-000000000000"]);
    assert_eq!((other.status.code(), other.stdout.len()), (Some(2), 0));
    std::fs::remove_dir_all(copy).unwrap();
}

#[test]
fn a_capture_is_read_by_tshark_with_the_same_messages_and_none_of_them_malformed() {
    let engine = engine("trace-pcap", "", &[]);
    let record = talk(&engine);
    let id = record.call.to_string();
    let path = engine.data.join("call.pcap");
    let written = hotline(&engine.data, &["trace", &id, "--pcap", path.to_str().unwrap()]);
    assert!(written.status.success(), "{written:?}");
    let port = engine.sip.port();
    let read = |filter: &str, fields: &[&str]| {
        let fields = fields.iter().flat_map(|field| ["-e", field]);
        let read = Command::new("tshark")
            .args(["-n", "-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"])
            .args(["-d", &format!("udp.port=={port},sip"), "-Y", filter, "-T", "fields"])
            .args(fields)
            .arg("-r")
            .arg(&path)
            .output()
            .unwrap_or_else(|error| panic!("tshark does not start ({error}): tools/test installs it"));
        assert!(read.status.success(), "{read:?}");
        stdout(&read).lines().map(|line| line.replace('\t', " ").trim().to_owned()).collect::<Vec<_>>()
    };
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&hotline(&engine.data, &["trace", &id, "--json"]))).unwrap();
    let expected: Vec<String> = json["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["text"].as_str().unwrap().lines().next().unwrap().to_owned())
        .collect();
    assert!(expected.len() >= 13);
    let lines = read("sip", &["sip.Request-Line", "sip.Status-Line"]);
    assert_eq!(lines, expected);
    assert_eq!(read("_ws.malformed || _ws.expert.severity == 8388608", &["frame.number"]), [""; 0]);
    assert_eq!(
        read("ip.checksum.status == 1 && udp.checksum.status == 1", &["sip.Method"]).len(),
        lines.len()
    );
    assert_eq!(read("sdp", &["sdp.media"]).len(), 4, "two offers, two answers");
}
