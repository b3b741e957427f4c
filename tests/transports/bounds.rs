//! What one far end may hold and how long it may take, so that the others are served.

use std::time::{Duration, Instant};

use hotline::io::sip_socket::{Limits, Why};
use hotline::routing::plan::Tls;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::authority::{Authority, dir};
use crate::client::Client;
use crate::sockets::{Seen, Sockets, short};

const OPTIONS: &str = "OPTIONS sip:h SIP/2.0\r\nContent-Length: 0\r\n\r\n";

/// Waits for the far end to close, whatever it says before.
async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
}

async fn until(what: &str, done: impl Fn() -> bool) {
    let waits = async {
        while !done() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::client::PATIENCE, waits).await.unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_sender_and_a_silent_one_lose_their_connections() {
    let sockets = Sockets::bind(&["tcp:127.0.0.1:0"], short(), &Tls::default());
    let mut silent = TcpStream::connect(sockets.at[0]).await.unwrap();
    closed(&mut silent).await;
    until("idle", || sockets.ended(Why::Idle) == 1).await;
    // A byte now and then does not prolong it.
    let mut slow = TcpStream::connect(sockets.at[0]).await.unwrap();
    slow.set_nodelay(true).unwrap();
    let mut letters = OPTIONS.as_bytes().iter().take(OPTIONS.len() - 1);
    let began = Instant::now();
    let mut room = [0; 1];
    // One at a time, each as soon as 30 ms have passed without a word from the other side.
    while tokio::time::timeout(Duration::from_millis(30), slow.read(&mut room)).await.is_err() {
        let letter = letters.next().expect("it is ended before the message is");
        let _ = slow.write_all(&[*letter]).await;
    }
    assert!(began.elapsed() >= short().message_max, "a message has its time");
    until("slow", || sockets.ended(Why::Slow) == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_open_connections_are_bounded_and_who_speaks_is_let_in_all_the_same() {
    let limits = Limits { strangers_max: 3, ..Limits::default() };
    let mut sockets = Sockets::bind(&["tcp:127.0.0.1:0"], limits, &Tls::default());
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(sockets.at[0]).await.unwrap());
    }
    // The five that have been silent longest give way.
    for stream in &mut silent[..5] {
        closed(stream).await;
    }
    assert_eq!(sockets.ended(Why::NoRoom), 5);
    let mut good = TcpStream::connect(sockets.at[0]).await.unwrap();
    good.write_all(OPTIONS.as_bytes()).await.unwrap();
    assert_eq!(sockets.message().await, OPTIONS);
    // Who has spoken is none of them any more.
    for _ in 0..4 {
        silent.push(TcpStream::connect(sockets.at[0]).await.unwrap());
    }
    good.write_all(OPTIONS.as_bytes()).await.unwrap();
    assert_eq!(sockets.message().await, OPTIONS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_has_so_many_connections_and_no_more() {
    let limits = Limits { source_max: 2, ..Limits::default() };
    let mut sockets = Sockets::bind(&["tcp:127.0.0.1:0"], limits, &Tls::default());
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(sockets.at[0]).await.unwrap();
        stream.write_all(OPTIONS.as_bytes()).await.unwrap();
        assert_eq!(sockets.message().await, OPTIONS);
        held.push(stream);
    }
    let mut third = TcpStream::connect(sockets.at[0]).await.unwrap();
    closed(&mut third).await;
    assert_eq!(sockets.ended(Why::NoRoom), 1);
    // A place that is given back is there for the next.
    let gone = held.pop().unwrap();
    let whence = gone.local_addr().unwrap();
    drop(gone);
    assert_eq!(sockets.next().await, Seen::Closed(whence));
    let mut next = TcpStream::connect(sockets.at[0]).await.unwrap();
    next.write_all(OPTIONS.as_bytes()).await.unwrap();
    assert_eq!(sockets.message().await, OPTIONS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_far_end_that_does_not_read_loses_its_connection_and_holds_up_nobody() {
    let limits = Limits { outbox_max: 4, ..Limits::default() };
    let mut sockets = Sockets::bind(&["tcp:127.0.0.1:0"], limits, &Tls::default());
    let mut deaf = TcpStream::connect(sockets.at[0]).await.unwrap();
    deaf.write_all(OPTIONS.as_bytes()).await.unwrap();
    assert_eq!(sockets.message().await, OPTIONS);
    let peer = deaf.local_addr().unwrap();
    let long = "x".repeat(60_000);
    let mut tries = 0;
    while sockets.ended(Why::Deaf) == 0 {
        sockets.send(0, peer, &long, &[]);
        tokio::task::yield_now().await;
        tries += 1;
        assert!(tries < 1_000_000, "it is ended at last");
    }
    while sockets.next().await != Seen::Closed(peer) {}
    let mut good = TcpStream::connect(sockets.at[0]).await.unwrap();
    good.write_all(OPTIONS.as_bytes()).await.unwrap();
    assert_eq!(sockets.message().await, OPTIONS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_that_is_not_finished_ends() {
    let dir = dir("handshake");
    let own = Authority::new("ours").sign(&dir, "own", &["localhost"]);
    let path = |path: &std::path::Path| Some(path.to_str().unwrap().to_owned());
    let tls = Tls { certificate: path(&own.certificate), key: path(&own.key), ..Tls::default() };
    let sockets = Sockets::bind(&["tls:[::1]:0"], short(), &tls);
    let mut silent = TcpStream::connect(sockets.at[0]).await.unwrap();
    closed(&mut silent).await;
    until("slow", || sockets.ended(Why::Slow) == 1).await;
    // Plain text on the TLS port.
    let mut plain = TcpStream::connect(sockets.at[0]).await.unwrap();
    plain.write_all(OPTIONS.as_bytes()).await.unwrap();
    closed(&mut plain).await;
    until("refused", || sockets.ended(Why::Refused) == 1).await;
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_read_again_when_their_files_change_and_a_faulty_one_changes_nothing() {
    let dir = dir("watched");
    let [old, new] = ["old", "new"].map(Authority::new);
    let own = old.sign(&dir, "own", &["hotline.example"]);
    let [old_ca, new_ca] = [old.write(&dir, "old.pem"), new.write(&dir, "new.pem")];
    let path = |path: &std::path::Path| Some(path.to_str().unwrap().to_owned());
    let tls = Tls { certificate: path(&own.certificate), key: path(&own.key), ..Tls::default() };
    let sockets = Sockets::bind(&["tls:127.0.0.1:0"], Limits::default(), &tls);
    tokio::spawn(sockets.certificates.clone().watch(Duration::from_millis(20)));
    let at = sockets.at[0];
    let shows = move |authority: std::path::PathBuf| {
        tokio::task::spawn_blocking(move || Client::tls(at, "hotline.example", &authority, None).is_ok())
    };
    assert!(shows(old_ca.clone()).await.unwrap());
    // A certificate without its key, as between two writes: the old pair stays in force.
    let key = std::fs::read(&own.key).unwrap();
    new.sign(&dir, "own", &["hotline.example"]);
    let new_key = std::fs::read(&own.key).unwrap();
    std::fs::write(&own.key, key).unwrap();
    for _ in 0..20 {
        assert!(shows(old_ca.clone()).await.unwrap() || shows(new_ca.clone()).await.unwrap());
    }
    std::fs::write(&own.key, new_key).unwrap();
    let ends = Instant::now() + crate::client::PATIENCE;
    while !shows(new_ca.clone()).await.unwrap() {
        assert!(Instant::now() < ends, "the new certificate is shown");
    }
    assert!(!shows(old_ca).await.unwrap());
    std::fs::remove_dir_all(dir).unwrap();
}
