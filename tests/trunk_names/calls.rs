//! Calls of a whole engine that go where a name leads, and name servers that let it wait.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Instant;

use crate::engine::{Engine, data_dir};
use crate::server::{LONG, Mood, Server, address, srv};

const WHEN: &str = "2021-12-01T09:00:00+08:00";
const OFFER: &str =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n";

/// The shipped plan with the trunk of 12366 at `carrier.example`, and the number rewritten on its way.
fn engine(name: &str, dns: SocketAddr) -> Engine {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut plan = std::fs::read_to_string(home.join("routing.toml")).unwrap();
    let prompts = format!("prompts = {:?}", home.join("prompts/prompts.toml"));
    let dns = format!("silence_max = \"12s\"\ndns = [\"{dns}\"]");
    let rewrite = "rewrite.called = [{ when = \"12366\", add = \"0393\", examples = [{ from = \"12366\", to = \"039312366\" }] }]";
    let trunk = format!("target = \"sip:carrier.example;transport=udp\"\n{rewrite}\n# 多久");
    for (from, to) in [
        ("prompts = \"prompts/prompts.toml\"", prompts.as_str()),
        ("silence_max = \"12s\"", &dns),
        // The first trunk is told from the others by the notes that only it has.
        ("target = \"127.0.0.1:9\"\n# 多久", &trunk),
        ("leads to nobody real.\ndrill = true", "leads to nobody real.\ndrill = false"),
    ] {
        assert_eq!(plan.matches(from).count(), 1, "the shipped plan says {from} once");
        plan = plan.replace(from, to);
    }
    let data = data_dir(name);
    std::fs::create_dir_all(&data).unwrap();
    let path = data.join("routing.toml");
    std::fs::write(&path, plan).unwrap();
    Engine::start_with(name, WHEN, &["--config", path.to_str().unwrap()])
}

/// A telephone on a socket: the carrier's side of a call to the engine.
struct Caller {
    socket: UdpSocket,
    dialog: String,
    number: &'static str,
    engine: SocketAddr,
}

impl Caller {
    fn dials(engine: &Engine, number: &'static str, dialog: &str) -> Caller {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        let caller = Caller { socket, dialog: dialog.to_owned(), number, engine: engine.sip };
        caller.send("INVITE", 1, "", OFFER);
        caller
    }

    fn send(&self, method: &str, cseq: u32, to_tag: &str, body: &str) {
        let (own, dialog, number, engine) =
            (self.socket.local_addr().unwrap(), &self.dialog, self.number, self.engine);
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let message = format!(
            "{method} sip:{number}@{engine} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{dialog}{method}{cseq};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:13800000044@{own}>;tag={dialog}\r\nTo: <sip:{number}@{engine}>{to_tag}\r\n\
             Call-ID: {dialog}@test\r\nCSeq: {cseq} {method}\r\nContact: <sip:{own}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.socket.send_to(message.as_bytes(), engine).unwrap();
    }

    /// The next final answer to `method`, provisional ones passed over.
    fn answer(&self, method: &str) -> String {
        loop {
            let text = receive(&self.socket);
            let answers = text.lines().any(|line| line.starts_with("CSeq:") && line.ends_with(method));
            if answers && !text.starts_with("SIP/2.0 1") {
                return text;
            }
        }
    }

    /// Talks for as long as `meanwhile` takes, and hangs up.
    fn talks(&self, meanwhile: impl FnOnce()) {
        let ok = self.answer("INVITE");
        assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
        let to = ok.lines().find(|line| line.starts_with("To:")).unwrap();
        let tag = format!(";tag={}", to.split(";tag=").nth(1).expect("a tag"));
        self.send("ACK", 1, &tag, "");
        meanwhile();
        self.send("BYE", 2, &tag, "");
        let ok = self.answer("BYE");
        assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
    }
}

fn receive(socket: &UdpSocket) -> String {
    let mut buffer = [0; 4_096];
    let (length, _) = socket.recv_from(&mut buffer).expect("a datagram within the test's patience");
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

/// The carrier's machine.
fn far_side() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    socket
}

fn know(server: &Server, carrier: &UdpSocket) {
    let port = carrier.local_addr().unwrap().port();
    server.know(&[
        ("_sip._udp.carrier.example", srv(1, 1, port, "sbc.carrier.example")),
        ("sbc.carrier.example", address("127.0.0.1")),
    ]);
}

/// Calls 12366 until the name is known and the call goes there: what is not found yet goes to 12345.
fn calls_until_it_arrives(engine: &Engine, carrier: &UdpSocket) -> String {
    let (since, mut calls) = (Instant::now(), 0);
    carrier.set_nonblocking(true).unwrap();
    loop {
        assert!(since.elapsed() < LONG, "the name was never found");
        calls += 1;
        let caller = Caller::dials(engine, "12366", &format!("arrives{calls}"));
        let mut seen = receive(&caller.socket);
        while seen.starts_with("SIP/2.0 100") {
            seen = receive(&caller.socket);
        }
        let mut buffer = [0; 4_096];
        while let Ok((length, _)) = carrier.recv_from(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if text.starts_with("INVITE ") {
                return text;
            }
        }
    }
}

#[test]
fn a_call_goes_where_the_name_leads_with_the_number_as_the_trunk_wants_it() {
    let (server, carrier) = (Server::start(), far_side());
    know(&server, &carrier);
    let engine = engine("named-trunk", server.at);
    let invite = calls_until_it_arrives(&engine, &carrier);
    assert!(invite.starts_with("INVITE sip:039312366@"), "{invite}");
}

/// Tries to make a call while one and the same question is open: more than one are wanted only where
/// the machine is so slow that the question was repeated or given up meanwhile.
const TRIES: usize = 10;

#[test]
fn a_name_server_that_lets_us_wait_holds_up_no_call() {
    let (server, carrier) = (Server::start(), far_side());
    know(&server, &carrier);
    server.be(Mood::Holds);
    let engine = engine("slow-names", server.at);
    let a_call_passed = (0..TRIES).any(|n| {
        assert_eq!(server.asked(), "SRV _sip._udp.carrier.example.");
        Caller::dials(&engine, "12345", &format!("first{n}")).talks(|| {
            Caller::dials(&engine, "12366", &format!("second{n}")).talks(|| {});
        });
        server.forget_asked() == 0
    });
    assert!(a_call_passed, "no call came to its end before the question did");
    carrier.set_nonblocking(true).unwrap();
    assert!(carrier.recv_from(&mut [0; 64]).is_err(), "nobody knew yet where 12366 is");
    server.be(Mood::Well);
    let invite = calls_until_it_arrives(&engine, &carrier);
    assert!(invite.starts_with("INVITE sip:039312366@"), "{invite}");
}
