//! INVITEs as fast as one thread can send them, each a call of its own.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Sent between two looks at what is answered.
const VOLLEY: u64 = 64;
/// A flood ends by itself after so long.
const LONGEST: Duration = Duration::from_secs(60);

pub struct Flood {
    enough: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Flood {
    pub fn begin(ip: &str, server: SocketAddr) -> Flood {
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        let enough = Arc::new(AtomicBool::new(false));
        let told = enough.clone();
        let thread = std::thread::spawn(move || run(&socket, server, &told));
        Flood { enough, thread }
    }

    /// Ends it; how many of its calls were told 503 with Retry-After.
    pub fn end(self) -> u64 {
        self.enough.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn run(socket: &UdpSocket, server: SocketAddr, enough: &AtomicBool) -> u64 {
    let (at, end) = (socket.local_addr().unwrap(), Instant::now() + LONGEST);
    let (mut number, mut refused) = (0_u64, 0);
    let mut room = vec![0; 65_536];
    while !enough.load(Ordering::Relaxed) && Instant::now() < end {
        for _ in 0..VOLLEY {
            number += 1;
            let invite = format!(
                "INVITE sip:9000@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bKf{number};rport\r\n\
                 Max-Forwards: 70\r\nFrom: <sip:1@{at}>;tag={number}\r\nTo: <sip:9000@{server}>\r\n\
                 Call-ID: flood-{number}\r\nCSeq: 1 INVITE\r\nContact: <sip:1@{at}>\r\nContent-Length: 0\r\n\r\n"
            );
            // A full buffer is what a flood is about.
            let _ = socket.send_to(invite.as_bytes(), server);
        }
        while let Ok((length, _)) = socket.recv_from(&mut room) {
            let answer = &room[..length];
            let told = answer.windows(14).any(|part| part == b"\r\nRetry-After:");
            refused += u64::from(answer.starts_with(b"SIP/2.0 503 ") && told);
        }
    }
    refused
}
