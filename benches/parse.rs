//! What a message costs: reading an INVITE of 900 bytes and a 180 with the headers that a call looks at,
//! reading the description inside, and writing a 200.

use std::hint::black_box;
use std::net::SocketAddr;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hotline::sip::{Draft, Message, sdp::Sdp};

const SDP: &str = "v=0\r\no=- 20518 20518 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n\
    m=audio 40376 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";

fn invite() -> Bytes {
    let length = SDP.len();
    Bytes::from(format!(
        "INVITE sip:12345@198.51.100.20:5060 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-524287-1---3f0c1a9b2d5e7a44;rport\r\n\
         Max-Forwards: 70\r\n\
         Contact: <sip:03935550101@192.0.2.10:5060;transport=udp>\r\n\
         To: <sip:12345@198.51.100.20>\r\n\
         From: \"0393-5550101\" <sip:03935550101@192.0.2.10>;tag=a6c85cf8\r\n\
         Call-ID: 84b2f0c1-90cf-4d3b-a2f8-1b8e0d7c5a31@192.0.2.10\r\n\
         CSeq: 102 INVITE\r\n\
         Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, INFO, UPDATE\r\n\
         Supported: replaces, timer, 100rel\r\n\
         User-Agent: carrier-gateway/7.2\r\n\
         P-Asserted-Identity: <sip:03935550101@192.0.2.10;user=phone>\r\n\
         Session-Expires: 1800\r\n\
         Content-Type: application/sdp\r\n\
         Content-Length: {length}\r\n\r\n{SDP}"
    ))
}

fn ringing(invite: &Message) -> Bytes {
    let source: SocketAddr = "192.0.2.10:5060".parse().expect("an address");
    Draft::response(invite, source, 180, Some("7c5a31"))
        .header("Contact", "<sip:198.51.100.20:5060>")
        .finish()
}

/// Reads a message and the six headers that every transaction and dialog looks at.
fn read(bytes: &Bytes) -> Message {
    let message = Message::parse(bytes.clone()).expect("a good message");
    black_box(message.via().expect("Via"));
    black_box(message.from().expect("From"));
    black_box(message.to().expect("To"));
    black_box(message.call_id().expect("Call-ID"));
    black_box(message.cseq().expect("CSeq"));
    black_box(message.contact().expect("Contact"));
    message
}

fn parse(c: &mut Criterion) {
    // As `io` hands them over: a piece of a shared receive buffer.
    let invite = invite();
    let message = read(&invite);
    let ringing = ringing(&message);
    let source: SocketAddr = "192.0.2.10:5060".parse().expect("an address");

    let mut group = c.benchmark_group("parse");
    for (name, bytes) in [("invite", &invite), ("180", &ringing)] {
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(format!("{name} index only"), |b| {
            b.iter(|| Message::parse(black_box(bytes.clone())));
        });
        group.bench_function(format!("{name} with six headers"), |b| {
            b.iter(|| read(black_box(bytes)));
        });
    }
    group.bench_function("invite with six headers and check", |b| {
        b.iter(|| read(black_box(&invite)).check());
    });
    group.bench_function("sdp", |b| b.iter(|| Sdp::parse(black_box(SDP.as_bytes()))));
    group.finish();

    let mut group = c.benchmark_group("build");
    group.bench_function("200 with sdp", |b| {
        b.iter(|| {
            Draft::response(black_box(&message), source, 200, Some("7c5a31"))
                .header("Contact", "<sip:198.51.100.20:5060>")
                .body("application/sdp", SDP.as_bytes())
                .finish()
        });
    });
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
