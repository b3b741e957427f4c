use super::*;

fn request(method: Method) -> Request {
    let text = format!(
        "{method} sip:1001@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx\r\nMax-Forwards: 70\r\n\
         Route: <sip:192.0.2.5;lr>\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 5 {method}\r\nContent-Length: 0\r\n\r\n"
    );
    Request::try_from(text).unwrap()
}

fn response(method: Method, status: u16) -> Response {
    let text = format!(
        "SIP/2.0 {status} Words\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx\r\nFrom: <sip:a@x>;tag=1\r\n\
         To: <sip:b@x>;tag=2\r\nCall-ID: c\r\nCSeq: 5 {method}\r\nContent-Length: 0\r\n\r\n"
    );
    Response::try_from(text).unwrap()
}

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn start(method: Method) -> Client {
    let mut client = Client::start(request(method), "192.0.2.5:5060".parse().unwrap(), at(0));
    assert_eq!(drain(&mut client), [method.to_string()], "sent at once");
    client
}

/// What came out, shortly: the method of what was sent, the status of what was heard, or `-`.
fn drain(client: &mut Client) -> Vec<String> {
    std::iter::from_fn(|| client.poll_output())
        .map(|output| match output {
            ClientOutput::Send(bytes) => {
                String::from_utf8_lossy(&bytes).split(' ').next().unwrap_or_default().to_owned()
            }
            ClientOutput::Heard(response) => response.status_code.code().to_string(),
            ClientOutput::TimedOut => "-".into(),
        })
        .collect()
}

/// Runs to `end` and says when something came out.
fn run(client: &mut Client, end: u64) -> Vec<(u64, String)> {
    let mut seen = Vec::new();
    while let Some(due) = client.poll_timeout().filter(|due| *due <= at(end)) {
        client.handle_timeout(due);
        seen.extend(drain(client).into_iter().map(|what| (due.as_nanos() / 1_000_000, what)));
    }
    seen
}

fn times(seen: &[(u64, String)], what: &str) -> Vec<u64> {
    seen.iter().filter(|(_, seen)| seen == what).map(|(at, _)| *at).collect()
}

#[test]
fn an_invite_is_repeated_at_doubling_intervals_and_given_up_after_32_s() {
    let mut client = start(Method::Invite);
    let seen = run(&mut client, 60_000);
    assert_eq!(times(&seen, "INVITE"), [500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    assert_eq!(times(&seen, "-"), [32_000]);
    assert!(client.is_over());
}

#[test]
fn another_request_is_repeated_at_intervals_of_up_to_4_s() {
    let mut client = start(Method::Bye);
    let seen = run(&mut client, 60_000);
    assert_eq!(
        times(&seen, "BYE"),
        [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]
    );
    assert_eq!(times(&seen, "-"), [32_000]);
}

#[test]
fn the_invite_table_row_by_row() {
    // Answers in order; what comes out for the last of them; when the transaction is over, in ms.
    let rows: &[(&[u16], &[&str], Option<u64>)] = &[
        (&[100], &["100"], None),
        (&[180], &["180"], None),
        (&[180, 183], &["183"], None),
        (&[200], &["200"], Some(32_000)),
        (&[180, 200], &["200"], Some(32_000)),
        (&[200, 200], &["200"], Some(32_000)),
        (&[200, 180], &[], Some(32_000)),
        (&[200, 486], &[], Some(32_000)),
        (&[486], &["ACK", "486"], Some(32_000)),
        (&[180, 603], &["ACK", "603"], Some(32_000)),
        (&[486, 486], &["ACK"], Some(32_000)),
        (&[486, 200], &[], Some(32_000)),
        (&[486, 180], &[], Some(32_000)),
    ];
    for (answers, outputs, over) in rows {
        let mut client = start(Method::Invite);
        let mut last = Vec::new();
        for status in *answers {
            client.handle_response(response(Method::Invite, *status), at(0));
            last = drain(&mut client);
        }
        assert_eq!(last, *outputs, "{answers:?}");
        assert_eq!(client.poll_timeout(), over.map(at), "{answers:?}");
        assert_eq!(run(&mut client, 100_000), [], "{answers:?}: nothing is repeated any more");
        assert_eq!(client.is_over(), over.is_some(), "{answers:?}");
    }
}

#[test]
fn the_other_table_row_by_row() {
    let rows: &[(&[u16], &[&str], Option<u64>)] = &[
        (&[100], &["100"], Some(4_000)), // Repeated on, at intervals of T2.
        (&[100, 100], &["100"], Some(4_000)),
        (&[200], &["200"], Some(5_000)),
        (&[100, 404], &["404"], Some(5_000)),
        (&[200, 200], &[], Some(5_000)),
        (&[200, 100], &[], Some(5_000)),
    ];
    for (answers, outputs, next) in rows {
        let mut client = start(Method::Register);
        let mut last = Vec::new();
        for status in *answers {
            client.handle_response(response(Method::Register, *status), at(0));
            last = drain(&mut client);
        }
        assert_eq!(last, *outputs, "{answers:?}");
        assert_eq!(client.poll_timeout(), next.map(at), "{answers:?}");
    }
    let mut client = start(Method::Register);
    client.handle_response(response(Method::Register, 100), at(0));
    let seen = run(&mut client, 60_000);
    assert_eq!(times(&seen, "REGISTER"), [4_000, 8_000, 12_000, 16_000, 20_000, 24_000, 28_000]);
    assert_eq!(times(&seen, "-"), [32_000]);
}

#[test]
fn the_ack_to_a_refusal_and_the_cancel_take_the_way_of_the_invite() {
    let mut client = start(Method::Invite);
    let cancel = client.cancel().to_string();
    client.handle_response(response(Method::Invite, 486), at(0));
    let Some(ClientOutput::Send(ack)) = client.poll_output() else { panic!("no ACK") };
    let ack = String::from_utf8(ack).unwrap();
    for (text, method, to) in [(&ack, "ACK", "<sip:b@x>;tag=2"), (&cancel, "CANCEL", "<sip:b@x>")] {
        assert!(text.starts_with(&format!("{method} sip:1001@192.0.2.1 SIP/2.0\r\n")), "{text}");
        for line in ["Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx", "Route: <sip:192.0.2.5;lr>", "Call-ID: c"]
        {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(
            text.contains(&format!("To: {to}\r\n")) && text.contains(&format!("CSeq: 5 {method}\r\n")),
            "{text}"
        );
    }
}

#[test]
fn a_response_is_matched_by_branch_and_method() {
    let client = start(Method::Invite);
    assert!(client.owns("z9hG4bKx", "INVITE"));
    assert!(!client.owns("z9hG4bKx", "CANCEL") && !client.owns("z9hG4bKy", "INVITE"));
}
