//! A carrier's switch moves its caller to another dialog, tells keys by INFO and why it hangs up:
//! the house between its sockets and its disk, told by hand what comes over the wire.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use hotline::id::Dice;
use hotline::media::Order;
use hotline::media::order::PortSlot;
use hotline::routing::Plan;
use hotline::routing::trunk_terms::{Dtmf, TrunkTerms};
use hotline::sip::{Message, Name, Packet, Transport, WireRef};
use hotline::switchboard::{Input, Output, StoreJob, Switchboard, What};
use hotline::time::{Instant, Now, Timestamp};

use crate::house;

pub(crate) struct House {
    pub(crate) board: Switchboard,
    now: Now,
    sent: VecDeque<Message>,
    pub(crate) orders: Vec<Order>,
    facts: Vec<What>,
    /// What the trace is told to be on the wire for a call.
    on_wire: Vec<WireRef>,
    ports: u32,
}

impl House {
    fn new() -> House {
        let trusting = |plan: &mut Plan| {
            let trunk = plan.trunks.get_mut("carrier").expect("the shipped plan has it");
            trunk.trust_identity = true;
        };
        House::over(Transport::Udp, &trusting)
    }

    /// A house that listens to this, on a plan of its own.
    pub(crate) fn over(transport: Transport, decided: &impl Fn(&mut Plan)) -> House {
        let plan = house::plan(decided);
        let now =
            Now { mono: Instant::from_millis(1_000), wall: Timestamp::from_second(1_630_458_000).unwrap() };
        let address: SocketAddr = plan.network.listen[0].bind;
        let board = house::open_over(transport, plan, address, Dice::seeded(7), now);
        let (sent, orders, facts) = (VecDeque::new(), Vec::new(), Vec::new());
        let mut house = House { board, now, sent, orders, facts, on_wire: Vec::new(), ports: 0 };
        house.drain();
        house
    }

    fn drain(&mut self) {
        while let Some(output) = self.board.poll_output() {
            match output {
                Output::Packet(packet) => self.sent.push_back(Message::parse(packet.bytes).expect("sound")),
                Output::Sound(order) => self.orders.push(order),
                Output::OnWire { wire_ref, .. } => self.on_wire.push(wire_ref),
                Output::OpenPorts(count) => {
                    let slots = (self.ports..self.ports + count).map(PortSlot).collect();
                    self.ports += count;
                    self.board.handle_input(Input::PortsOpened(slots), self.now);
                }
                Output::Store { token, jobs } => {
                    self.facts.extend(jobs.into_iter().filter_map(|job| match job {
                        StoreJob::Fact { fact, .. } => Some(fact.what),
                        _ => None,
                    }));
                    self.board.handle_input(Input::Stored { token }, self.now);
                }
                _ => {}
            }
        }
    }

    pub(crate) fn hear(&mut self, text: String) {
        let peer = "127.1.0.9:5060".parse().unwrap();
        self.board.handle_input(Input::Packet(Packet { listener: 0, peer, bytes: text.into() }), self.now);
        self.drain();
    }

    /// The next message with this status or method; those in front of it are passed over.
    pub(crate) fn next(&mut self, wanted: &str) -> Message {
        let is = |message: &Message| match (message.method(), message.status()) {
            (Some(method), _) => method.to_string() == wanted,
            (None, status) => status.unwrap().to_string() == wanted,
        };
        while let Some(message) = self.sent.pop_front() {
            if is(&message) {
                return message;
            }
        }
        panic!("no {wanted}");
    }

    /// A call of the carrier's up to the ACK.
    fn answered(&mut self) -> Dialog {
        self.answered_by().0
    }

    /// The same, with our 200.
    fn answered_by(&mut self) -> (Dialog, Message) {
        let mut dialog = Dialog { id: "first", to: "<sip:12345@127.0.0.1>".into(), port: 4_000, seq: 0 };
        let invite = dialog.says("INVITE", "", "application/sdp", &dialog.sdp());
        self.hear(invite);
        let ok = self.next("200");
        dialog.to = head(&ok, Name::To);
        let ack = dialog.ack();
        self.hear(ack);
        (dialog, ok)
    }
}

pub(crate) fn head(message: &Message, name: Name) -> String {
    String::from_utf8(message.header(name).unwrap_or_default().to_vec()).unwrap()
}

/// What we call ourselves in a message.
fn uuid_of(message: &Message) -> Option<Vec<u8>> {
    message.header_named("Session-ID").map(|value| value[..32].to_vec())
}

pub(crate) struct Dialog {
    pub(crate) id: &'static str,
    pub(crate) to: String,
    pub(crate) port: u16,
    pub(crate) seq: u32,
}

impl Dialog {
    pub(crate) fn sdp(&self) -> String {
        let port = self.port;
        format!(
            "v=0\r\no=- 1 1 IN IP4 127.1.0.9\r\ns=-\r\nc=IN IP4 127.1.0.9\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n"
        )
    }

    pub(crate) fn says(&mut self, method: &str, lines: &str, kind: &str, body: &str) -> String {
        if method != "ACK" {
            self.seq += 1;
        }
        let (id, to, seq, length) = (self.id, &self.to, self.seq, body.len());
        let kind = if body.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
        format!(
            "{method} sip:12345@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.1.0.9:5060;branch=z9hG4bK{id}{method}{seq}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:13800000001@127.1.0.9>;tag=t{id}\r\nTo: {to}\r\nCall-ID: {id}\r\n\
             CSeq: {seq} {method}\r\nContact: <sip:c@127.1.0.9:5060>\r\n{lines}{kind}Content-Length: {length}\r\n\r\n{body}"
        )
    }

    pub(crate) fn ack(&mut self) -> String {
        self.says("ACK", "", "", "")
    }

    fn replaces(&self) -> String {
        let tag = self.to.split_once(";tag=").expect("answered").1;
        format!("Replaces: {};to-tag={tag};from-tag=t{}\r\n", self.id, self.id)
    }
}

#[test]
fn a_caller_whose_switch_moves_them_to_another_dialog_goes_on_where_they_were() {
    let mut house = House::new();
    let (first, first_ok) = house.answered_by();
    let sessions = house.board.sip().counts().sessions;
    let ports = house.board.ports_in_use();
    house.orders.clear();
    let mut second = Dialog { id: "second", to: "<sip:12345@127.0.0.1>".into(), port: 4_100, seq: 0 };
    house.board.handle_input(Input::Drain { grace: std::time::Duration::from_secs(60) }, house.now);
    let invite = second.says("INVITE", &first.replaces(), "application/sdp", &second.sdp());
    house.hear(invite);
    let ok = house.next("200");
    let dialogs = [&first_ok, &ok].map(|said| WireRef::of_message(said.raw()));
    assert!(dialogs.iter().all(|dialog| dialog.is_some_and(|dialog| house.on_wire.contains(&dialog))));
    assert!(
        uuid_of(&first_ok).is_some() && uuid_of(&ok) == uuid_of(&first_ok),
        "the same far end (RFC 7989 §9)"
    );
    second.to = head(&ok, Name::To);
    let bye = house.next("BYE");
    assert_eq!(
        (head(&bye, Name::CallId), head(&bye, Name::Reason)),
        ("first".into(), "SIP;cause=200;text=\"Replaced\"".into())
    );
    let ack = second.ack();
    house.hear(ack);
    let moved = |order: &Order| matches!(order, Order::Change { leg, config } if leg.index == 0 && config.remote.port() == 4_100);
    assert!(house.orders.iter().any(moved), "{:?}", house.orders);
    let kept =
        |order: &Order| !matches!(order, Order::Open { .. } | Order::Close { .. } | Order::StopRecord { .. });
    assert!(house.orders.iter().all(kept), "the recording and the port stay: {:?}", house.orders);
    assert!(house.facts.contains(&What::LegReplaced { leg: 0 }));
    let answer = format!(
        "SIP/2.0 200 OK\r\nVia: {}\r\nFrom: {}\r\nTo: {}\r\nCall-ID: first\r\nCSeq: {}\r\nContent-Length: 0\r\n\r\n",
        head(&bye, Name::Via),
        head(&bye, Name::From),
        head(&bye, Name::To),
        head(&bye, Name::CSeq),
    );
    house.hear(answer);
    assert_eq!(house.board.calls().len(), 1, "the old dialog's end is not the call's");
    assert_eq!((house.board.sip().counts().sessions, house.board.ports_in_use()), (sessions, ports));
    // A second one that the old dialog names comes too late.
    let mut late = Dialog { id: "late", to: "<sip:12345@127.0.0.1>".into(), port: 4_200, seq: 0 };
    let invite = late.says("INVITE", &first.replaces(), "application/sdp", &late.sdp());
    house.hear(invite);
    house.next("481");
    let goodbye = second.says("BYE", "Reason: Q.850;cause=16;text=\"Terminated\"\r\n", "", "");
    house.hear(goodbye);
    house.next("200");
    assert!(house.orders.iter().any(|order| matches!(order, Order::StopRecord { .. })), "{:?}", house.orders);
}

#[test]
fn what_the_new_dialog_cannot_agree_on_leaves_the_old_one_alone() {
    let mut house = House::new();
    let first = house.answered();
    let mut second = Dialog { id: "second", to: "<sip:12345@127.0.0.1>".into(), port: 4_100, seq: 0 };
    let g729 = second.sdp().replace("RTP/AVP 8", "RTP/AVP 18");
    let invite = second.says("INVITE", &first.replaces(), "application/sdp", &g729);
    house.hear(invite);
    house.next("488");
    assert_eq!(house.board.calls().len(), 1);
    let counts = house.board.sip().counts();
    assert_eq!((counts.sessions, counts.dialogs), (1, 1));
}

#[test]
fn keys_by_info_and_the_carriers_reason_are_in_the_record() {
    let mut house = House::new();
    let mut call = house.answered();
    let info = call.says("INFO", "", "application/dtmf-relay", "Signal=7\r\nDuration=100\r\n");
    house.hear(info.clone());
    house.hear(info);
    house.next("200");
    let pressed = house.facts.iter().filter(|what| matches!(what, What::DigitPressed { digit: '7' })).count();
    assert_eq!(pressed, 1);
    let bye = call.says("BYE", "Reason: Q.850;cause=31;text=\"Normal, unspecified\"\r\n", "", "");
    house.hear(bye);
    let Some(Order::Close { leg }) =
        house.orders.iter().find(|order| matches!(order, Order::Close { .. })).cloned()
    else {
        panic!("{:?}", house.orders)
    };
    let figures = Box::default();
    let closed = hotline::media::Fact::Closed { leg, slot: PortSlot(0), figures };
    house.board.handle_input(Input::Sound(closed), house.now);
    house.drain();
    let given = house.facts.iter().find_map(|what| match what {
        What::Closed { reason, .. } => reason.clone(),
        _ => None,
    });
    let given = given.expect("a reason");
    assert_eq!((given.q850, given.sip, &*given.text), (Some(31), None, "Normal, unspecified"));
}

/// RFC 8866 §6.14, RFC 4733 §2.5.1.1: what a trunk says of packets and keys holds for whoever comes by it.
#[test]
fn packets_and_keys_are_as_the_trunk_of_the_caller_has_them() {
    let usual = TrunkTerms::default();
    for (terms, ptime, events, presses) in [
        (usual, "a=ptime:20\r\n", true, 1),
        (TrunkTerms { packet_time: Some(Duration::from_millis(30)), ..usual }, "a=ptime:30\r\n", true, 1),
        (
            TrunkTerms { packet_time: Some(Duration::from_millis(30)), dtmf: Dtmf::Inband, ..usual },
            "a=ptime:30\r\n",
            false,
            0,
        ),
        (TrunkTerms { dtmf: Dtmf::Info, ..usual }, "a=ptime:20\r\n", false, 1),
    ] {
        let on_these = |plan: &mut Plan| {
            plan.trunks.get_mut("carrier").expect("the shipped plan has it").terms = terms;
        };
        let mut house = House::over(Transport::Udp, &on_these);
        let mut call = Dialog { id: "keys", to: "<sip:12345@127.0.0.1>".into(), port: 4_000, seq: 0 };
        let sdp = call.sdp().replace("RTP/AVP 8", "RTP/AVP 8 101") + "a=rtpmap:101 telephone-event/8000\r\n";
        let invite = call.says("INVITE", "", "application/sdp", &sdp);
        house.hear(invite);
        let ok = house.next("200");
        let answer = String::from_utf8_lossy(ok.raw()).into_owned();
        assert!(answer.contains(ptime), "{terms:?}: {answer}");
        assert_eq!(answer.contains("telephone-event"), events, "{terms:?}: {answer}");
        call.to = head(&ok, Name::To);
        let ack = call.ack();
        house.hear(ack);
        let info = call.says("INFO", "", "application/dtmf-relay", "Signal=7\r\nDuration=100\r\n");
        house.hear(info);
        house.next("200");
        let pressed = house.facts.iter().filter(|what| matches!(what, What::DigitPressed { .. })).count();
        assert_eq!(pressed, presses, "{terms:?}: by INFO");
    }
}

/// RFC 3261 §20.43.
#[test]
fn a_description_that_nobody_here_can_take_is_refused_with_the_reason() {
    let mut house = House::new();
    for (wrong, code) in [("RTP/AVP 18", "305"), ("RTP/SAVP 8", "302")] {
        let mut call = Dialog { id: code, to: "<sip:12345@127.0.0.1>".into(), port: 4_100, seq: 0 };
        let sdp = call.sdp().replace("RTP/AVP 8", wrong);
        let invite = call.says("INVITE", "", "application/sdp", &sdp);
        house.hear(invite);
        let refusal = house.next("488");
        assert!(head(&refusal, Name::Warning).starts_with(&format!("{code} ")), "{refusal:?}");
        assert_eq!(house.board.ports_in_use(), 0);
    }
    let mut call = house.answered();
    let sdp = call.sdp().replace("RTP/AVP 8", "RTP/AVP 18");
    let again = call.says("INVITE", "", "application/sdp", &sdp);
    house.hear(again);
    assert!(head(&house.next("488"), Name::Warning).starts_with("305 "));
    assert_eq!(house.board.calls().len(), 1, "the call goes on as it was");
}
