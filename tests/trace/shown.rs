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

#[test]
fn a_capture_of_ipv6_and_streams_is_read_by_tshark_too() {
    use hotline::io::trace::{Message, Party, Trace};
    use hotline::sip::Transport;

    let parties: Vec<Party> = ["[2001:db8::7]:5060", "192.0.2.7:5060", "198.51.100.7:5070"]
        .map(|at| Party { name: None, at: at.parse().unwrap() })
        .into();
    let message = |at_us: i64, party: usize, transport: Transport, body: usize| {
        let text = format!(
            "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/{};branch=z9hG4bK{at_us}\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:c@d>\r\nCall-ID: {at_us}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\
             Content-Type: text/plain\r\nContent-Length: {body}\r\n\r\n{}",
            transport.via_name().to_owned() + " h",
            "x".repeat(body)
        );
        let local = if party == 0 { "[2001:db8::1]:5060" } else { "192.0.2.1:5060" };
        let local = local.parse().unwrap();
        Message { at_us, sent: at_us % 2 == 0, transport, local, party, again: false, bytes: text.into() }
    };
    let trace = Trace {
        call: hotline::id::CallId::parse("017bb000-0000-7000-8000-000000000000").unwrap(),
        parties,
        // Odd and even lengths, both ways, and one that no single segment holds.
        messages: vec![
            message(1_000_001, 0, Transport::Udp, 1),
            message(1_000_002, 0, Transport::Udp, 2),
            message(1_000_003, 0, Transport::Tcp, 3),
            message(1_000_004, 1, Transport::Tcp, 65_000),
            message(1_000_006, 1, Transport::Tcp, 5),
            message(1_000_007, 1, Transport::Tcp, 0),
            message(1_000_009, 2, Transport::Tls, 7),
        ],
        left_out: 0,
    };
    let path = std::env::temp_dir().join(format!("hotline-capture-{}.pcap", std::process::id()));
    trace.write_pcap(&mut std::fs::File::create(&path).unwrap()).unwrap();
    let read = |filter: &str, field: &str| {
        let read = Command::new("tshark")
            .args(["-n", "-o", "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"])
            .args(["-o", "ip.check_checksum:TRUE", "-d", "tcp.port==5070,sip", "-Y", filter])
            .args(["-T", "fields", "-e", field, "-r"])
            .arg(&path)
            .output()
            .unwrap_or_else(|error| panic!("tshark does not start ({error}): tools/test installs it"));
        assert!(read.status.success(), "{read:?}");
        stdout(&read).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let times: Vec<String> = trace.messages.iter().map(|message| message.at_us.to_string()).collect();
    assert_eq!(read("sip.Method == OPTIONS", "sip.Call-ID"), times);
    assert_eq!(read("_ws.malformed || _ws.expert.severity == 8388608", "frame.number"), [""; 0]);
    let good = "udp.checksum.status == 1 || tcp.checksum.status == 1";
    assert_eq!(read(good, "frame.number").len(), 8, "one message took two segments");
    assert_eq!(read("ip && ip.checksum.status != 1", "frame.number"), [""; 0]);
    assert_eq!(read("ipv6", "frame.number").len(), 3);
    std::fs::remove_file(path).unwrap();
}
