use super::*;

/// A phone whose server is the scripted desk.
fn lone(seed: u64, set: impl FnOnce(&mut PhoneConfig)) -> Net {
    let mut net = Net::new(seed);
    net.plug("1001", desk(), set);
    net
}

/// Dials, and returns the INVITE.
fn invited(net: &mut Net) -> String {
    net.dial(0, "12345");
    net.run_for(Duration::from_millis(100));
    let heard = net.desk_heard();
    assert_eq!(kinds(&heard), ["INVITE"]);
    heard.into_iter().next().unwrap()
}

const CONTACT: &str = "Contact: <sip:desk@192.0.2.1:5060>\r\n";

fn request(method: &str, branch: &str, to_tag: &str, cseq: u32, extra: &str, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "{method} sip:1001@192.0.2.10:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n\
         From: <sip:13800000000@city.example>;tag=theirs\r\nTo: <sip:1001@city.example>{to_tag}\r\nCall-ID: call@desk\r\n\
         CSeq: {cseq} {method}\r\n{extra}{kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn invite(branch: &str) -> String {
    request("INVITE", branch, "", 1, CONTACT, SDP)
}

fn tag_of(response: &str) -> String {
    let (_, tag) = header(response, "To").split_once(";tag=").expect("a tag");
    format!(";tag={tag}")
}

fn ask(net: &mut Net, text: &str) -> Vec<String> {
    net.say(0, text);
    net.run_for(Duration::from_millis(50));
    net.desk_heard()
}

#[test]
fn cancel_waits_for_a_provisional_answer() {
    let mut net = lone(1, |_| {});
    let invite = invited(&mut net);
    net.order(0, |phone, now| phone.hang_up(now));
    net.run_for(Duration::from_millis(1_000));
    assert_eq!(kinds(&net.desk_heard()), ["INVITE"], "repeated, not cancelled");
    let heard = ask(&mut net, &answer_to(&invite, 100, "", "", ""));
    assert_eq!(kinds(&heard), ["CANCEL"]);
    assert_eq!(header(&heard[0], "Via"), header(&invite, "Via"));
    net.say(0, &answer_to(&heard[0], 200, "d", "", ""));
    assert_eq!(kinds(&ask(&mut net, &answer_to(&invite, 487, "d", "", ""))), ["ACK"]);
    assert_eq!(net.told(0).last(), Some(&PhoneEvent::Ended { by: Side::Us, status: Some(487) }));
}

#[test]
fn a_200_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let mut net = lone(2, |_| {});
    let invite = invited(&mut net);
    ask(&mut net, &answer_to(&invite, 180, "d", "", ""));
    net.order(0, |phone, now| phone.hang_up(now));
    let heard = ask(&mut net, &answer_to(&invite, 200, "d", CONTACT, SDP));
    assert_eq!(kinds(&heard), ["CANCEL", "ACK", "BYE"]);
    assert_eq!((net.state(0), header(&heard[2], "CSeq")), (PhoneState::Idle, "2 BYE"));
    assert_eq!(net.phones[0].count().sent, 0);
}

#[test]
fn a_cancel_that_brings_no_answer_is_given_up() {
    let mut net = lone(3, |_| {});
    let invite = invited(&mut net);
    ask(&mut net, &answer_to(&invite, 180, "d", "", ""));
    net.order(0, |phone, now| phone.hang_up(now));
    net.run_for(secs(33));
    assert_eq!(net.told(0).last(), Some(&PhoneEvent::Ended { by: Side::Timeout, status: None }));
    net.run_for(secs(60));
    assert_eq!((net.state(0), net.phones[0].poll_timeout()), (PhoneState::Idle, None));
}

#[test]
fn each_2xx_is_acknowledged_and_a_fork_is_let_go() {
    let mut net = lone(4, |_| {});
    let invite = invited(&mut net);
    let first = ask(&mut net, &answer_to(&invite, 200, "one", CONTACT, SDP));
    let again = ask(&mut net, &answer_to(&invite, 200, "one", CONTACT, SDP));
    assert_eq!(kinds(&first), ["ACK"]);
    assert_eq!(first, again, "the same ACK, byte by byte");
    assert_eq!(header(&first[0], "CSeq"), "1 ACK");
    assert_ne!(header(&first[0], "Via"), header(&invite, "Via"), "a transaction of its own");
    let fork = ask(&mut net, &answer_to(&invite, 200, "two", CONTACT, SDP));
    assert_eq!(kinds(&fork), ["ACK", "BYE"]);
    assert!(fork.iter().all(|text| header(text, "To").ends_with(";tag=two")), "{fork:?}");
    assert_eq!(net.state(0), PhoneState::Talking);
    net.order(0, |phone, now| phone.hang_up(now));
    net.run_for(Duration::from_millis(20));
    let late = ask(&mut net, &answer_to(&invite, 200, "one", CONTACT, SDP));
    assert!(kinds(&late).contains(&"ACK"), "even after BYE: {:?}", kinds(&late));
}

#[test]
fn requests_follow_the_route_set() {
    let mut net = lone(5, |_| {});
    let invite = invited(&mut net);
    let extra = format!(
        "Record-Route: <sip:192.0.2.77:5070;lr>\r\nRecord-Route: <sip:192.0.2.78:5071;lr>\r\n{CONTACT}"
    );
    net.say(0, &answer_to(&invite, 200, "d", &extra, SDP));
    net.run_for(Duration::from_millis(50));
    net.order(0, |phone, now| phone.hang_up(now));
    net.run_for(Duration::from_millis(50));
    assert_eq!(net.heard.len(), 2);
    for (to, text) in &net.heard {
        assert_eq!(*to, "192.0.2.78:5071".parse().unwrap(), "the last proxy recorded comes first");
        assert!(
            text.contains("Route: <sip:192.0.2.78:5071;lr>\r\nRoute: <sip:192.0.2.77:5070;lr>\r\n"),
            "{text}"
        );
        assert!(text.contains(" sip:desk@192.0.2.1:5060 SIP/2.0\r\n"), "{text}");
    }
}

#[test]
fn a_challenged_invite_is_sent_again_with_credentials() {
    let mut net = lone(6, |config| config.password = Some("secret".into()));
    let invite = invited(&mut net);
    let challenge = "Proxy-Authenticate: Digest realm=\"city\", nonce=\"n1\", qop=\"auth\", algorithm=MD5\r\n\
        Proxy-Authenticate: Digest realm=\"city\", nonce=\"n2\", qop=\"auth\", algorithm=SHA-256\r\n";
    let heard = ask(&mut net, &answer_to(&invite, 407, "d", challenge, ""));
    assert_eq!(kinds(&heard), ["ACK", "INVITE"]);
    assert_eq!(
        (header(&heard[1], "CSeq"), header(&heard[1], "Call-ID")),
        ("2 INVITE", header(&invite, "Call-ID"))
    );
    let credentials = header(&heard[1], "Proxy-Authorization");
    assert!(
        credentials.contains("nonce=\"n2\"") && credentials.contains("algorithm=SHA-256"),
        "{credentials}"
    );
    let ack = ask(&mut net, &answer_to(&heard[1], 200, "d", CONTACT, SDP));
    assert_eq!((kinds(&ack), header(&ack[0], "CSeq")), (vec!["ACK"], "2 ACK"));
    assert_eq!(header(&ack[0], "Proxy-Authorization"), credentials);
    net.order(0, |phone, now| phone.hang_up(now));
    net.run_for(Duration::from_millis(50));
    let bye = net.desk_heard();
    assert_eq!(header(&bye[0], "CSeq"), "3 BYE");
    assert!(header(&bye[0], "Proxy-Authorization").contains("nc=00000002"), "{}", bye[0]);
}

#[test]
fn wrong_credentials_are_a_refusal() {
    let mut net = lone(7, |config| config.password = Some("wrong".into()));
    let challenge = "WWW-Authenticate: Digest realm=\"city\", nonce=\"n\", qop=\"auth\"\r\n";
    net.answer = Some(Box::new(move |text| {
        (kind(text) == "INVITE").then(|| answer_to(text, 401, "d", challenge, ""))
    }));
    net.dial(0, "12345");
    net.run_for(secs(1));
    assert_eq!(kinds(&net.desk_heard()), ["INVITE", "ACK", "INVITE", "ACK"]);
    assert_eq!(net.told(0), [PhoneEvent::Refused { status: 401, retry_after_s: None }]);
}

#[test]
fn early_media_is_heard_and_the_refusal_after_it_told_with_its_retry_time() {
    let mut net = lone(8, |_| {});
    let invite = invited(&mut net);
    ask(&mut net, &answer_to(&invite, 183, "d", CONTACT, SDP));
    let packet =
        rtp_rs::RtpPacketBuilder::new().payload_type(8).ssrc(5).payload(&[0x2a; 160]).build().unwrap();
    net.post("192.0.2.1:4000".parse().unwrap(), "192.0.2.10:4000".parse().unwrap(), packet);
    ask(&mut net, &answer_to(&invite, 503, "d", "Retry-After: 7 (soon)\r\n", ""));
    assert_eq!(net.phones[0].heard().len(), 160);
    let told = [
        PhoneEvent::Ringing { status: 183, early_media: true },
        PhoneEvent::Refused { status: 503, retry_after_s: Some(7) },
    ];
    assert_eq!(net.told(0), told);
}

#[test]
fn a_repeated_invite_is_answered_again_and_a_missing_ack_ends_the_call() {
    let mut net = lone(9, |config| config.send_silence = false);
    let ring = ask(&mut net, &invite("a"));
    assert_eq!(ring, ask(&mut net, &invite("a")), "the same 180");
    assert_eq!(kinds(&ring), ["180"]);
    net.run_for(secs(2));
    let answer = net.desk_heard();
    assert_eq!(kinds(&answer)[0], "200");
    assert!(answer[0].contains("m=audio 4000 RTP/AVP 8 101\r\n"), "{}", answer[0]);
    net.run_for(secs(33));
    let heard = net.desk_heard();
    assert!(kinds(&heard).iter().filter(|kind| **kind == "200").count() >= 8, "{:?}", kinds(&heard));
    assert_eq!(kinds(&heard).iter().find(|kind| **kind != "200"), Some(&"BYE"));
    assert!(net.told(0).contains(&PhoneEvent::Ended { by: Side::Timeout, status: None }));
}

#[test]
fn hanging_up_before_the_ack_sends_bye_after_it() {
    let mut net = lone(10, |config| config.answers = Answers::After(Duration::ZERO));
    let answer = ask(&mut net, &invite("a"));
    assert_eq!(kinds(&answer), ["200"]);
    net.order(0, |phone, now| phone.hang_up(now));
    net.run_for(Duration::from_millis(100));
    assert_eq!(net.desk_heard(), [""; 0]);
    let heard = ask(&mut net, &request("ACK", "b", &tag_of(&answer[0]), 1, "", ""));
    assert_eq!(kinds(&heard), ["BYE"]);
}

#[test]
fn inside_a_call_requests_are_answered_as_they_fit() {
    let mut net = lone(11, |config| config.answers = Answers::After(Duration::ZERO));
    let answer = ask(&mut net, &invite("a"));
    let tag = tag_of(&answer[0]);
    ask(&mut net, &request("ACK", "b", &tag, 1, "", ""));
    let held = SDP.replace("sendrecv", "sendonly");
    let rows: &[(&str, u32, &str, &str)] = &[
        ("OPTIONS", 2, "", "200"),
        ("INFO", 3, "", "200"),
        ("INFO", 3, "", "500"), // Out of order.
        ("UPDATE", 4, "", "405"),
        ("INVITE", 5, &held, "200"),
        ("BYE", 7, "", "200"),
        ("BYE", 8, "", "481"),
    ];
    for (index, (method, cseq, body, status)) in rows.iter().enumerate() {
        let heard = ask(&mut net, &request(method, &format!("row{index}"), &tag, *cseq, CONTACT, body));
        assert_eq!(kinds(&heard), [*status], "{method} {cseq}");
        if *method == "INVITE" {
            assert!(heard[0].contains("a=recvonly"), "{}", heard[0]);
            ask(&mut net, &request("ACK", "c", &tag, *cseq, "", ""));
            assert_eq!(net.told(0).last(), Some(&PhoneEvent::HeldByThem { on: true }));
        }
    }
    assert_eq!(net.told(0), [PhoneEvent::Ended { by: Side::Them, status: None }]);
}

#[test]
fn outside_of_a_call_requests_are_answered_as_they_fit() {
    let mut net = lone(12, |_| {});
    for (method, tag, extra, status) in [
        ("OPTIONS", "", "", "200"),
        ("BYE", ";tag=x", "", "481"),
        ("INFO", "", "", "481"),
        ("INVITE", ";tag=x", CONTACT, "481"),
        ("CANCEL", "", "", "481"),
        ("MESSAGE", "", "", "405"),
        ("FETCH", "", "", "501"),
        ("INVITE", "", "Require: 100rel\r\n", "420"),
        ("INVITE", "", "", "400"),
    ] {
        let heard = ask(&mut net, &request(method, &format!("{method}{status}"), tag, 1, extra, ""));
        assert_eq!(kinds(&heard), [status], "{method}");
        assert!(header(&heard[0], "To").contains(";tag="), "{}", heard[0]);
    }
    assert_eq!((net.told(0), net.state(0)), (vec![], PhoneState::Idle));
}

#[test]
fn a_cancelled_call_says_why() {
    let mut net = lone(13, |config| config.answers = Answers::Manual);
    ask(&mut net, &invite("a"));
    let cancel =
        request("CANCEL", "a", "", 1, "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n", "");
    let mut heard = ask(&mut net, &cancel);
    heard.sort(); // Which of the two goes first does not matter.
    assert_eq!(kinds(&heard), ["200", "487"]);
    assert_eq!(net.told(0).last(), Some(&PhoneEvent::Ended { by: Side::Them, status: Some(200) }));
}

#[test]
fn refer_is_sent_and_its_progress_told() {
    let mut net = lone(14, |config| config.answers = Answers::After(Duration::ZERO));
    let answer = ask(&mut net, &invite("a"));
    let tag = tag_of(&answer[0]);
    ask(&mut net, &request("ACK", "b", &tag, 1, "", ""));
    net.order(0, |phone, now| phone.refer("1002", now)).unwrap();
    net.run_for(Duration::from_millis(50));
    let refer = net.desk_heard().remove(0);
    assert_eq!((kind(&refer), header(&refer, "Refer-To")), ("REFER", "<sip:1002@city.example>"));
    ask(&mut net, &answer_to(&refer, 202, "", CONTACT, ""));
    let notify = request("NOTIFY", "n", &tag, 2, "Event: refer\r\n", "SIP/2.0 200 OK\r\n")
        .replace("application/sdp", "message/sipfrag");
    assert_eq!(kinds(&ask(&mut net, &notify)), ["200"]);
    let told = net.told(0);
    assert_eq!(told[2..], [202, 200].map(|status| PhoneEvent::Transfer { status: Some(status) }));
}

#[test]
fn noise_from_the_network_does_no_harm() {
    let mut net = lone(15, |config| config.answers = Answers::After(Duration::ZERO));
    ask(&mut net, &invite("a"));
    let mut dice = Dice::seeded(15);
    let seeds = [
        invite("b").into_bytes(),
        SDP.as_bytes().to_vec(),
        vec![0x80, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5],
        vec![0x81, 200, 0, 6],
    ];
    for round in 0..4_000 {
        let mut bytes = seeds[round % seeds.len()].clone();
        for _ in 0..=dice.below(6) {
            let at = dice.below(bytes.len() as u64) as usize;
            bytes[at] = dice.next_u32() as u8;
        }
        bytes.truncate(dice.below(bytes.len() as u64 + 1) as usize + 1);
        net.order(0, |phone, now| {
            phone.handle_sip(desk(), &bytes, now);
            phone.handle_rtp(desk(), &bytes, now);
        });
    }
    net.run_for(secs(1));
}
