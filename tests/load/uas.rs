//! A server of a few lines that answers calls as a test wants it to.

use std::collections::VecDeque;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use hotline::io::packets::Mover;
use hotline::phone::{Answers, Phone, PhoneEvent};

/// A request that was read, enough of it to be answered.
pub struct Request {
    pub method: String,
    head: Vec<String>,
    from: SocketAddr,
}

/// Answers by hand; the sound that its answers name goes nowhere.
pub struct Uas {
    socket: UdpSocket,
    seen: VecDeque<String>,
}

impl Uas {
    pub fn new() -> Uas {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Uas { socket, seen: VecDeque::new() }
    }

    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    /// The next request that is no repetition; `None` when none comes any more.
    pub fn next(&mut self) -> Option<Request> {
        loop {
            let mut room = [0; 4_096];
            let (length, from) = self.socket.recv_from(&mut room).ok()?;
            let text = String::from_utf8_lossy(&room[..length]).into_owned();
            let lines: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
            let method = text.split(' ').next().unwrap().to_owned();
            let is = |line: &&&str, name: &str| line.to_lowercase().starts_with(name);
            let kept = ["via:", "from:", "to:", "call-id:", "cseq:"];
            let head = kept.map(|name| (*lines.iter().find(|line| is(line, name)).unwrap()).to_owned());
            let call_id = head[3].split_once(':').unwrap().1.trim().to_owned();
            let key = format!("{method} {call_id}");
            if method != "ACK" && self.seen.contains(&key) {
                continue;
            }
            self.seen.push_back(key);
            return Some(Request { method, head: head.into(), from });
        }
    }

    pub fn accept(&self, request: &Request) {
        let at = self.address();
        let body = if request.method == "INVITE" {
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n"
        } else {
            ""
        };
        let mut text = "SIP/2.0 200 OK\r\n".to_owned();
        for line in &request.head {
            text += line;
            if line.to_lowercase().starts_with("to:") && !line.contains("tag=") {
                text += ";tag=uas";
            }
            text += "\r\n";
        }
        text += &format!("Contact: <sip:uas@{at}>\r\nContent-Type: application/sdp\r\n");
        text += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        self.socket.send_to(text.as_bytes(), request.from).unwrap();
    }
}

/// One telephone as a server that answers and plays this, or sends nothing; its thread ends with the call.
pub fn telephone(plays: Option<Vec<i16>>) -> SocketAddr {
    let mut mover = Mover::<Phone>::new().unwrap();
    let nobody = "127.0.0.1:9".parse().unwrap();
    let mut at = nobody;
    let key = mover.plug_in("server", nobody, |config| {
        at = config.sip;
        config.answers = Answers::After(Duration::ZERO);
        config.send_silence = plays.is_some();
        config.rtcp = false;
    });
    let key = key.unwrap();
    std::thread::spawn(move || {
        let bound = mover.now().mono + Duration::from_secs(60);
        while mover.now().mono < bound {
            mover.turn(bound).unwrap();
            while let Some((_, event)) = mover.poll_event() {
                match (event, &plays) {
                    (PhoneEvent::Answered, Some(samples)) => {
                        let sound = samples.as_slice().into();
                        mover.order(key, |phone, now| phone.play(sound, true, now));
                    }
                    (PhoneEvent::Ended { .. }, _) => return,
                    _ => {}
                }
            }
        }
    });
    at
}
