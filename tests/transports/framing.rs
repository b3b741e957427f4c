//! Messages out of a stream, wherever the network cut it (RFC 3261 §18.3, RFC 5626 §4.4.1).

use hotline::io::sip_socket::{Limits, Why};
use hotline::routing::plan::Tls;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::sockets::{Seen, Sockets};

const OPTIONS: &str = "OPTIONS sip:h SIP/2.0\r\nVia : SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom\t: <sip:a@h>;tag=1\r\n\
                       To: <sip:b@h>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nContent-Length  : 4\r\n\r\n\r\n\r\n";

async fn open() -> (Sockets, TcpStream) {
    let sockets = Sockets::bind(&["tcp:127.0.0.1:0"], Limits::default(), &Tls::default());
    let stream = TcpStream::connect(sockets.at[0]).await.unwrap();
    stream.set_nodelay(true).unwrap();
    (sockets, stream)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_whole_wherever_it_was_cut() {
    let (mut sockets, mut stream) = open().await;
    for cut in 1..OPTIONS.len() {
        let (front, rest) = OPTIONS.as_bytes().split_at(cut);
        stream.write_all(front).await.unwrap();
        // The other side has read the front before the rest is sent.
        tokio::task::yield_now().await;
        stream.write_all(rest).await.unwrap();
        assert_eq!(sockets.message().await, OPTIONS, "cut at {cut}");
    }
    for byte in OPTIONS.as_bytes() {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(sockets.message().await, OPTIONS, "byte by byte");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_messages_in_one_segment_come_apart_and_line_ends_before_one_are_passed_over() {
    let (mut sockets, mut stream) = open().await;
    let other = OPTIONS.replace("Call-ID: x", "Call-ID: other");
    stream.write_all(format!("\r\n{OPTIONS}{other}\r\n{OPTIONS}").as_bytes()).await.unwrap();
    assert_eq!(sockets.next().await, Seen::Opened(stream.local_addr().unwrap(), Vec::new()));
    for wanted in [OPTIONS, &other, OPTIONS] {
        assert_eq!(
            sockets.next().await,
            Seen::Message(stream.local_addr().unwrap(), wanted.to_owned().into())
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ping_is_answered_with_a_pong_also_between_messages() {
    let (mut sockets, mut stream) = open().await;
    let mut pong = [0; 2];
    stream.write_all(b"\r\n\r\n").await.unwrap();
    stream.read_exact(&mut pong).await.unwrap();
    assert_eq!(&pong, b"\r\n");
    stream.write_all(format!("{OPTIONS}\r\n\r\n").as_bytes()).await.unwrap();
    assert_eq!(sockets.message().await, OPTIONS);
    stream.read_exact(&mut pong).await.unwrap();
    assert_eq!(&pong, b"\r\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_whose_end_cannot_be_known_is_refused_and_its_connection_closed() {
    let rows = [
        (OPTIONS.replace("Content-Length  : 4", "Content-Length: 999999999999"), "SIP/2.0 513 "),
        (OPTIONS.replace("Content-Length  : 4", "Content-Length: -1"), "SIP/2.0 400 "),
        (OPTIONS.replace("Content-Length  : 4\r\n", ""), "SIP/2.0 400 "),
        ("\u{16}\u{3}\u{1}\0 TLS on the wrong port\r\n\r\n".to_owned(), ""),
        ("GET / HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(), ""),
    ];
    let (mut sockets, _) = open().await;
    for (number, (text, wanted)) in rows.into_iter().enumerate() {
        let mut stream = TcpStream::connect(sockets.at[0]).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        // A close with bytes unread may come as a reset; what was said before it counts.
        let _ = stream.read_to_string(&mut answer).await;
        assert!(answer.starts_with(wanted) && (answer.is_empty() == wanted.is_empty()), "{text}: {answer}");
        drop(stream);
        while sockets.ended(Why::Broken) <= number as u64 {
            tokio::task::yield_now().await;
        }
    }
    // Others are served as before.
    let mut stream = TcpStream::connect(sockets.at[0]).await.unwrap();
    stream.write_all(OPTIONS.as_bytes()).await.unwrap();
    assert_eq!(sockets.message().await, OPTIONS);
}
