//! Traces over HTTP, whose every look is in the ledger, and the switch that ends them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use hotline::io::store::{FILE, Reader};

use crate::talk::{engine, talk};

/// A port on loopback that is free now.
fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Status line and body.
fn get(at: SocketAddr, path: &str, token: Option<&str>) -> (String, String) {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n{bearer}Connection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[test]
fn a_trace_over_http_wants_the_token_a_name_and_a_reason_and_is_written_down() {
    let at = free_port();
    let engine = engine("trace-http", "", &["--http", &at.to_string()]);
    let record = talk(&engine);
    let token = std::fs::read_to_string(engine.data.join("secrets/api-token")).unwrap();
    let token = Some(token.trim());
    let path = format!("/v1/traces/{}", record.call);
    let looks = || {
        let rows = Reader::open(&engine.data.join(FILE)).unwrap().ledger(None, 1_000).unwrap();
        rows.into_iter().filter(|row| row.json.contains("trace_read")).map(|row| row.json).collect::<Vec<_>>()
    };
    let before = looks().len();
    for (path, token, status) in [
        (format!("{path}?by=wang&reason=x"), None, "401"),
        (format!("{path}?by=wang&reason=x"), Some("guess"), "401"),
        (path.clone(), token, "400"),
        (format!("{path}?by=&reason=x"), token, "400"),
        ("/v1/traces/017bb000-0000-7000-8000-000000000000?by=wang&reason=x".into(), token, "404"),
    ] {
        let (line, _) = get(at, &path, token);
        assert!(line.contains(status), "{path}: {line}");
    }
    assert_eq!(looks().len(), before, "nothing was shown");
    let (line, body) = get(at, &format!("{path}?by=wang&reason=complaint&format=ladder"), token);
    assert!(line.contains("200"), "{line}");
    assert!(body.contains("INVITE 12345") && body.contains("座席 seat 1001"), "{body}");
    let (_, json) = get(at, &format!("{path}?by=wang&reason=complaint"), token);
    assert!(json.contains("\"INVITE 12345\"") && json.contains("138******42"), "{json}");
    let (_, capture) = get(at, &format!("{path}?by=wang&reason=complaint&format=pcap&full=true"), token);
    assert!(capture.contains("13800000042"));
    let written = looks();
    assert_eq!(written.len(), before + 3);
    assert!(written[0].contains("\"wang\"") && written[0].contains("complaint"), "{}", written[0]);
    let (_, metrics) = get(at, "/metrics", None);
    let line =
        |name: &str| metrics.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert_eq!(line("hotline_trace_messages_refused_total"), "hotline_trace_messages_refused_total 0");
    assert!(
        line("hotline_trace_messages_total").ends_with(|digit: char| digit.is_ascii_digit()),
        "{metrics}"
    );
}
