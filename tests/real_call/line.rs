//! A telephone on real sockets, and the loop that moves its packets.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant as SystemInstant};

use hotline::id::Dice;
use hotline::phone::{Output, Phone, PhoneConfig, PhoneEvent};
use hotline::time::{Instant, Now, Timestamp};

/// A telephone with its sockets.
pub struct Line {
    pub phone: Phone,
    sip: UdpSocket,
    rtp: UdpSocket,
    rtcp: UdpSocket,
    events: Vec<PhoneEvent>,
}

impl Line {
    pub fn plug_in(user: &str, server: SocketAddr, set: impl FnOnce(&mut PhoneConfig)) -> Line {
        let socket = || UdpSocket::bind("127.0.0.1:0").unwrap();
        let sip = socket();
        // RTP on an even port with RTCP beside it.
        let (rtp, rtcp) = std::iter::repeat_with(socket)
            .take(200)
            .find_map(|rtp| {
                let port = rtp.local_addr().unwrap().port();
                let beside =
                    (port % 2 == 0).then(|| UdpSocket::bind(("127.0.0.1", port + 1)).ok()).flatten()?;
                Some((rtp, beside))
            })
            .expect("a pair of ports");
        for socket in [&sip, &rtp, &rtcp] {
            socket.set_nonblocking(true).unwrap();
        }
        let mut config = PhoneConfig::new(user, sip.local_addr().unwrap(), rtp.local_addr().unwrap(), server);
        set(&mut config);
        let phone = Phone::new(config, Dice::seeded(u64::from(sip.local_addr().unwrap().port())));
        Line { phone, sip, rtp, rtcp, events: Vec::new() }
    }

    /// Moves what is there; `true` if anything was.
    fn turn(&mut self, now: Now) -> bool {
        let mut room = [0; 4_096];
        let mut moved = false;
        while let Ok((length, from)) = self.sip.recv_from(&mut room) {
            self.phone.handle_sip(from, &room[..length], now);
            moved = true;
        }
        for socket in [&self.rtp, &self.rtcp] {
            while let Ok((length, from)) = socket.recv_from(&mut room) {
                self.phone.handle_rtp(from, &room[..length], now);
                moved = true;
            }
        }
        if self.phone.poll_timeout().is_some_and(|at| at <= now.mono) {
            self.phone.handle_timeout(now);
            moved = true;
        }
        while let Some(output) = self.phone.poll_output() {
            match output {
                Output::Sip { to, bytes } => drop(self.sip.send_to(&bytes, to)),
                Output::Rtp { to, bytes } => drop(self.rtp.send_to(&bytes, to)),
                Output::Rtcp { to, bytes } => drop(self.rtcp.send_to(&bytes, to)),
                Output::Event(event) => self.events.push(event),
            }
        }
        moved
    }

    pub fn saw(&self, what: impl Fn(&PhoneEvent) -> bool) -> bool {
        self.events.iter().any(what)
    }
}

pub struct Clock(pub SystemInstant);

impl Clock {
    pub fn now(&self) -> Now {
        Now { mono: Instant::from_nanos(self.0.elapsed().as_nanos() as u64), wall: Timestamp::now() }
    }

    /// Runs the telephones until `done`, or fails with what they saw.
    pub fn until(
        &self,
        what: &str,
        lines: &mut [&mut Line],
        bound: Duration,
        done: impl Fn(&[&mut Line]) -> bool,
    ) {
        let began = SystemInstant::now();
        // A socket that nobody writes to is the nap between two turns.
        let nap = UdpSocket::bind("127.0.0.1:0").unwrap();
        nap.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
        while !done(lines) {
            let moved = lines.iter_mut().map(|line| line.turn(self.now())).fold(false, |a, b| a | b);
            if !moved {
                let _ = nap.recv(&mut [0]);
            }
            let seen: Vec<_> = lines.iter().map(|line| &line.events).collect();
            assert!(began.elapsed() < bound, "{what}: not within {bound:?}; {seen:?}");
        }
    }
}
