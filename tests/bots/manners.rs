//! Programs that are not there, and programs that misbehave: each by itself, against the gateway.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hotline::call::{BotEnd, BotSaid};
use hotline::id::{CallId, Dice};
use hotline::io::bot::{Bots, TEXT_MAX, check};
use hotline::io::plan_files;
use hotline::io::secrets::Keyring;
use hotline::media::order::PortSlot;
use hotline::routing::Overrides;
use hotline::routing::plan::SecretRef;
use hotline::routing::script::Bot;
use hotline::switchboard::Invited;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::Message;

use crate::program::{Manner, Program, said};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A gateway, and a socket in place of the media engine's.
struct Gateway {
    bots: Bots,
    engine: UdpSocket,
    /// Talks end with it.
    _runtime: Runtime,
    data: std::path::PathBuf,
}

impl Gateway {
    fn new(name: &str) -> Gateway {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let data = std::env::temp_dir().join(format!("hotline-bots-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&data).unwrap();
        let engine = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        engine.set_read_timeout(Some(PATIENCE)).unwrap();
        Gateway { bots: Bots::new(runtime.handle().clone(), data.clone()), engine, _runtime: runtime, data }
    }

    fn begin(&mut self, bot: Bot) -> Receiver<BotSaid> {
        let (tell, told) = channel();
        let invited = Invited {
            bot,
            slot: PortSlot(0),
            line: "12345".into(),
            line_name: "政务服务便民热线".into(),
            language: None,
            caller: "138******42".into(),
            ticket: "21090100001".into(),
        };
        let engine = self.engine.local_addr().unwrap();
        self.bots.begin((call(), 1), invited, engine, move |said| drop(tell.send(said)));
        told
    }

    /// What becomes of a talk with it, beside that it is there.
    fn end_of(&mut self, bot: Bot) -> (bool, BotSaid) {
        let told = self.begin(bot);
        let mut was_there = false;
        loop {
            match told.recv_timeout(PATIENCE).expect("something always comes of it") {
                BotSaid::There { .. } => was_there = true,
                BotSaid::Line(_) => {}
                last => {
                    self.bots.leave(call(), 1, BotEnd::CallEnded);
                    return (was_there, last);
                }
            }
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

fn call() -> CallId {
    CallId::draw(1, &mut Dice::seeded(1))
}

fn bot(url: &str, rate: u32) -> Bot {
    Bot {
        id: "assistant".into(),
        url: url.into(),
        secret: None,
        connect: Duration::from_secs(3),
        most: Duration::from_secs(60),
        music: None,
        says: Default::default(),
        rate,
        show_caller: false,
    }
}

fn text(frame: Value) -> Message {
    Message::text(frame.to_string())
}

#[test]
fn a_program_that_is_not_to_be_had_is_told_why_row_by_row() {
    let mut gateway = Gateway::new("absent");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let not_found = Program::start(Manner::Answers("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
    let ok = Program::start(Manner::Answers("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    let babble = Program::start(Manner::Answers("220 mail ready\r\n\r\n"));
    let hangs_up = Program::start(Manner::Answers(""));
    let wrong_key = Program::start(Manner::Answers(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
    ));
    for (what, url, end) in [
        ("nobody listens", format!("ws://{nobody}/"), BotEnd::Unreachable),
        ("no such name", "ws://nowhere.invalid/".into(), BotEnd::Unreachable),
        ("no address", "ws://".into(), BotEnd::Unreachable),
        ("in the clear across the public net", "ws://203.0.113.9/".into(), BotEnd::Unreachable),
        ("no TLS there", not_found.url().replace("ws://", "wss://"), BotEnd::Unreachable),
        ("another status", not_found.url(), BotEnd::Refused),
        ("a page", ok.url(), BotEnd::Refused),
        ("no HTTP", babble.url(), BotEnd::Refused),
        ("no answer at all", hangs_up.url(), BotEnd::Refused),
        ("an answer to another's handshake", wrong_key.url(), BotEnd::Refused),
    ] {
        assert_eq!(gateway.end_of(bot(&url, 8_000)), (false, BotSaid::Ended(end)), "{what}");
    }
    let secret = Some(SecretRef::File("secrets/nobody-put-it-there".into()));
    let without = Bot { secret, ..bot(&ok.url(), 8_000) };
    assert_eq!(gateway.end_of(without), (false, BotSaid::Ended(BotEnd::Unreachable)), "no secret");
}

#[test]
fn a_program_that_sends_what_is_none_of_the_contract_is_given_up_row_by_row() {
    let mut gateway = Gateway::new("garbage");
    let long = said("bot", &"x".repeat(TEXT_MAX));
    for (what, manner, end) in [
        ("no JSON", Manner::Sends(vec![Message::text("hello")]), BotEnd::Malformed),
        ("no word of ours", Manner::Sends(vec![text(json!([1, 2]))]), BotEnd::Malformed),
        ("half a frame", Manner::Sends(vec![Message::binary(vec![0; 160])]), BotEnd::Malformed),
        ("two frames in one", Manner::Sends(vec![Message::binary(vec![0; 640])]), BotEnd::Oversized),
        ("a long text", Manner::Sends(vec![text(long)]), BotEnd::Oversized),
        ("a megabyte", Manner::Sends(vec![Message::binary(vec![0; 1 << 20])]), BotEnd::Oversized),
        ("a flood of sound", Manner::Floods(Message::binary(vec![0; 320])), BotEnd::Flooded),
        ("a flood of words", Manner::Floods(text(json!({ "type": "hush" }))), BotEnd::Flooded),
        ("a flood of pings", Manner::Floods(Message::Ping(Vec::new().into())), BotEnd::Flooded),
        ("a goodbye", Manner::Closes { politely: true }, BotEnd::Closed),
        ("a line that is cut", Manner::Closes { politely: false }, BotEnd::Closed),
        ("what it was asked for", Manner::Sends(vec![text(json!({ "type": "person" }))]), BotEnd::Done),
    ] {
        let program = Program::start(manner);
        let wanted = match end {
            BotEnd::Done => BotSaid::Person,
            end => BotSaid::Ended(end),
        };
        assert_eq!(gateway.end_of(bot(&program.url(), 8_000)), (true, wanted), "{what}");
    }
}

#[test]
fn a_program_that_never_reads_is_given_up_and_costs_no_memory_meanwhile() {
    let mut gateway = Gateway::new("deaf");
    let program = Program::start(Manner::NeverReads);
    assert_eq!(gateway.end_of(bot(&program.url(), 16_000)), (true, BotSaid::Ended(BotEnd::Slow)));
}

#[test]
fn it_is_told_who_calls_which_keys_are_pressed_and_how_it_ended() {
    let mut gateway = Gateway::new("told");
    std::fs::write(gateway.data.join("token"), "s3cret\n").unwrap();
    let program = Program::start(Manner::Sends(Vec::new()));
    let secret = Some(SecretRef::File("token".into()));
    let told = gateway.begin(Bot { secret, ..bot(&program.url(), 16_000) });
    let BotSaid::There { at } = told.recv_timeout(PATIENCE).unwrap() else { panic!("it is there") };
    assert_eq!(at.ip(), Ipv4Addr::LOCALHOST);
    gateway.bots.press(call(), 1, '5');
    gateway.bots.press(call(), 2, '6'); // Of another talk.
    program.seen_once(PATIENCE, |seen| !seen.of_type("dtmf").is_empty());
    gateway.bots.leave(call(), 1, BotEnd::Key);
    assert_eq!(gateway.bots.count(), 0);
    let seen = program.seen_once(PATIENCE, |seen| seen.closed);
    assert_eq!(seen.authorization.as_deref(), Some("Bearer s3cret"));
    let contract: Value = serde_json::from_str(include_str!("../../contract/bot.schema.json")).unwrap();
    let contract = jsonschema::validator_for(&contract).unwrap();
    for frame in &seen.told {
        assert!(contract.is_valid(frame), "{frame}");
    }
    let kinds: Vec<&str> = seen.told.iter().map(|frame| frame["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["start", "dtmf", "stop"]);
    assert_eq!(
        (&seen.told[0]["caller"], &seen.told[0]["sound"]["rate"]),
        (&json!("138******42"), &json!(16_000))
    );
    assert_eq!((&seen.told[1]["digit"], &seen.told[2]["reason"]), (&json!("5"), &json!("key")));
}

#[test]
fn a_plan_whose_programs_token_nobody_has_put_there_is_not_taken() {
    let gateway = Gateway::new("token");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml");
    let mut plan = plan_files::load(&path, &Overrides::default()).plan.expect("the shipped plan");
    assert!(check(&plan, &mut Keyring::new(&gateway.data)).is_ok(), "it has no program");
    let secret = Some(SecretRef::File("token".into()));
    plan.bots.insert("assistant".into(), Bot { secret, ..bot("ws://127.0.0.1/", 8_000) });
    let missing =
        check(&plan, &mut Keyring::new(&gateway.data)).expect_err("nobody has put it there").to_string();
    assert!(missing.contains("token"), "{missing}");
    std::fs::write(gateway.data.join("token"), "s3cret").unwrap();
    assert!(check(&plan, &mut Keyring::new(&gateway.data)).is_ok());
}

#[test]
fn sound_goes_both_ways_as_it_is_and_without_a_caller_there_is_silence() {
    let mut gateway = Gateway::new("sound");
    let ramp: std::sync::Arc<[i16]> = (1..=160).collect();
    let manner = Manner::Talks { sound: ramp.clone(), after: usize::MAX, then: Vec::new() };
    let program = Program::start(manner);
    let told = gateway.begin(bot(&program.url(), 8_000));
    let BotSaid::There { at } = told.recv_timeout(PATIENCE).unwrap() else { panic!("it is there") };
    // What the caller says, as the engine sends it.
    let said: Vec<i16> = (0..160).map(|n| 1_000 - n).collect();
    let mut packet = vec![0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    packet.extend(said.iter().flat_map(|sample| sample.to_be_bytes()));
    let mut got = [0; 2_048];
    let mut heard = false;
    let mut spoken = false;
    let mut from = None;
    for _ in 0..3_000 {
        let (length, sender) = gateway.engine.recv_from(&mut got).expect("a packet each 20 ms");
        from = Some(sender);
        assert_eq!((length, got[1] & 0x7f), (12 + 320, 96));
        let (pairs, _) = got[12..length].as_chunks::<2>();
        heard |= pairs.iter().map(|pair| i16::from_be_bytes(*pair)).eq(ramp.iter().copied());
        let seen = program.seen().heard;
        spoken |= seen.as_chunks::<160>().0.iter().any(|frame| frame[..] == said[..]);
        if heard && spoken {
            break;
        }
        gateway.engine.send_to(&packet, at).unwrap();
    }
    assert!(heard && spoken, "both hear one another");
    assert_eq!(from, Some(at));
    // A stranger's packets are none of the caller's: the socket is connected.
    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let odd = packet.iter().map(|byte| byte ^ 0x55).collect::<Vec<u8>>();
    let _ = stranger.send_to(&odd, at);
    assert!(matches!(at, SocketAddr::V4(_)));
}
