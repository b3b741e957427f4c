//! Too many, too slow, too curious: each costs itself and nobody else.

use std::net::SocketAddr;
use std::time::Duration;

use hotline::io::http::Bounds;
use hotline::switchboard::fact::{TransferKind, TransferStep, What};
use socket2::{Domain, Socket, Type};

use crate::client::{Events, get};
use crate::fixture::{OWNER, Served, call, fact, until};

/// A connection whose kernel takes little before its client reads.
fn narrow(at: SocketAddr) -> std::net::TcpStream {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    socket.connect(&at.into()).unwrap();
    socket.into()
}

/// F18.
#[test]
fn a_client_that_reads_nothing_is_let_go_and_nobody_else_waits() {
    let bounds = Bounds { stall: Duration::from_millis(300), ..Bounds::default() };
    let served = Served::open_with("unread", bounds);
    let text = "长".repeat(200);
    let long = |sequence| {
        let what = What::Transfer {
            to: text.clone(),
            kind: TransferKind::Blind,
            step: TransferStep::Requested,
            status: None,
            leg: None,
            object: None,
        };
        fact(call(1), sequence, what)
    };
    served.write((1..=3_000).map(long).collect());
    let deaf = Events::over(narrow(served.at), "/v1/facts?after=0", OWNER, None);
    assert_eq!(deaf.status, 200);
    let mut reads = Events::open(served.at, "/v1/facts?after=0", OWNER, None);
    assert_eq!(reads.places(3_000).last(), Some(&3_000));
    until("the deaf client is let go", || served.figure("hotline_http_stalled_total") == 1.0);
    until("its place is free", || served.figure("hotline_http_listeners") == 1.0);
    served.write(vec![long(3_001)]);
    assert_eq!(reads.places(1), [3_001], "who reads goes on");
    drop(deaf);
}

#[test]
fn as_many_listen_as_may_and_one_more_when_one_has_left() {
    let served = Served::open_with("many", Bounds { listeners_max: 3, ..Bounds::default() });
    let mut listeners: Vec<_> = (0..3).map(|_| Events::open(served.at, "/v1/facts", OWNER, None)).collect();
    assert!(listeners.iter().all(|events| events.status == 200));
    let refused = get(served.at, "/v1/facts", OWNER);
    assert_eq!((refused.status, refused.code().as_str()), (503, "listeners_full"));
    assert!(refused.header("retry-after").is_some());
    assert_eq!(served.figure("hotline_http_listeners_refused_total"), 1.0);
    assert_eq!(get(served.at, "/v1/seats", OWNER).status, 200, "others are served");
    drop(listeners.pop());
    until("a place is free", || served.figure("hotline_http_listeners") == 2.0);
    assert_eq!(Events::open(served.at, "/v1/facts", OWNER, None).status, 200);
}

#[test]
fn who_guesses_tokens_is_braked_for_a_while_and_counted() {
    let served = Served::open("guesses");
    let guess = |number: usize| get(served.at, "/v1/seats", &format!("guess-{number}"));
    let first_braked = (1..200).map(guess).find(|answer| answer.status != 401).expect("it is braked");
    assert_eq!((first_braked.status, first_braked.code().as_str()), (429, "braked"));
    assert!(first_braked.header("retry-after").is_some());
    assert!(served.figure("hotline_http_tokens_refused_total{why=\"wrong\"}") >= 10.0);
    assert!(served.figure("hotline_http_tokens_refused_total{why=\"braked\"}") >= 1.0);
    assert_eq!(get(served.at, "/healthz", "").status, 200, "what is for anybody is for them too");
    assert_eq!(
        get(served.at, "/v1/seats", OWNER).status,
        200,
        "behind the same address is who has a right one"
    );
    until("it is listened to again", || get(served.at, "/v1/seats", "guess").status == 401);
}

#[test]
fn one_source_has_but_a_part_of_the_connections() {
    let bounds = Bounds { connections_of_one_max: 3, ..Bounds::default() };
    let served = Served::open_with("source", bounds);
    let idle: Vec<_> = (0..3).map(|_| std::net::TcpStream::connect(served.at).unwrap()).collect();
    let mut further = std::net::TcpStream::connect(served.at).unwrap();
    further.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // Closed at once, or with what it would have sent unread.
    let mut byte = [0; 1];
    let closed = std::io::Read::read(&mut further, &mut byte);
    assert!(closed.as_ref().is_ok_and(|bytes| *bytes == 0), "{closed:?}");
    drop(idle);
    until("there is room again", || {
        let asked = std::net::TcpStream::connect(served.at).and_then(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(20)))?;
            std::io::Write::write_all(&mut stream, b"GET /healthz HTTP/1.0\r\nHost: h\r\n\r\n")?;
            std::io::Read::read(&mut stream, &mut [0; 1])
        });
        asked.is_ok_and(|bytes| bytes == 1)
    });
    assert_eq!(get(served.at, "/healthz", "").status, 200);
}
