//! A telephone whose every step the test decides: UDP sockets for signalling and for sound.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// How long whatever is awaited may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Samples of 20 ms.
const FRAME: usize = 160;

pub struct Phone {
    sip: UdpSocket,
    sound: UdpSocket,
    name: &'static str,
    /// Requests and answers come from here.
    near: Option<SocketAddr>,
    sent: u16,
}

impl Phone {
    pub fn new(name: &'static str) -> Phone {
        let [sip, sound] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        sip.set_read_timeout(Some(PATIENCE)).unwrap();
        // The pace of sound, which is sent between two looks.
        sound.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        Phone { sip, sound, name, near: None, sent: 0 }
    }

    pub fn at(&self) -> SocketAddr {
        self.sip.local_addr().unwrap()
    }

    /// Its description, PCMA; no other telephone has the same `o=`.
    pub fn sdp(&self) -> String {
        let port = self.sound.local_addr().unwrap().port();
        format!(
            "v=0\r\no=- {port} 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP 8\r\na=ptime:20\r\n"
        )
    }

    /// Sends a request that is all of its head but Via, Contact, Content-Type and Content-Length.
    pub fn send(&self, to: SocketAddr, branch: &str, request: &str, sdp: &str) {
        let (line, rest) = request.split_once('\n').unwrap();
        let at = self.at();
        let own =
            format!("Via: SIP/2.0/UDP {at};branch=z9hG4bK{branch};rport\nContact: <sip:{}@{at}>", self.name);
        let text = body(&format!("{line}\n{own}\n{rest}"), sdp);
        self.sip.send_to(text.as_bytes(), to).unwrap();
    }

    /// Answers a request where it came from.
    pub fn answer(&self, request: &str, status: &str, lines: &[&str], sdp: &str) {
        let mut text = format!("SIP/2.0 {status}\nContact: <sip:{}@{}>", self.name, self.at());
        for line in lines {
            text += &format!("\n{line}");
        }
        for name in ["Via", "Record-Route", "From", "To", "Call-ID", "CSeq"] {
            for value in fields(request, name) {
                let tag = match name == "To" && !value.contains(";tag=") {
                    true => format!(";tag={}", self.name),
                    false => String::new(),
                };
                text += &format!("\n{name}: {value}{tag}");
            }
        }
        self.sip.send_to(body(&text, sdp).as_bytes(), self.near.expect("a request came")).unwrap();
    }

    /// Waits for a message that begins so; what comes before it is passed over.
    pub fn until(&mut self, start: &str) -> String {
        let ends = Instant::now() + PATIENCE;
        let mut room = [0; 65_535];
        loop {
            assert!(Instant::now() < ends, "{}: {start} did not come", self.name);
            let (length, from) = self.sip.recv_from(&mut room).unwrap_or_else(|error| {
                panic!("{}: {start} did not come: {error}", self.name);
            });
            let text = String::from_utf8_lossy(&room[..length]).into_owned();
            if text.starts_with(start) {
                self.near = Some(from);
                return text;
            }
        }
    }

    /// Sends 20 ms of sound, each sample this one in A-law.
    pub fn say(&mut self, to: SocketAddr, sample: u8) {
        self.sent += 1;
        let mut packet = vec![0x80, 8];
        packet.extend(self.sent.to_be_bytes());
        packet.extend((u32::from(self.sent) * 160).to_be_bytes());
        packet.extend([0, 0, 0, sample]);
        packet.extend([sample; FRAME]);
        self.sound.send_to(&packet, to).unwrap();
    }

    /// 20 ms of what it hears, where something comes so soon.
    pub fn hear(&self) -> Option<[u8; FRAME]> {
        let mut room = [0; 1_500];
        let length = self.sound.recv(&mut room).ok()?;
        room[..length].get(12..)?.try_into().ok()
    }
}

fn body(head: &str, sdp: &str) -> String {
    let kind = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    let length = sdp.len();
    format!("{}\r\n{kind}Content-Length: {length}\r\n\r\n{sdp}", head.replace('\n', "\r\n"))
}

/// All values of a header, each from a line of its own.
pub fn fields<'a>(message: &'a str, name: &str) -> Vec<&'a str> {
    let lines = message.lines().take_while(|line| !line.is_empty());
    lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
}

/// Where a message wants to hear sound.
pub fn sound_of(message: &str) -> SocketAddr {
    let media = message.lines().find_map(|line| line.strip_prefix("m=audio ")).expect("a description");
    let port = media.split(' ').next().unwrap().parse().unwrap();
    SocketAddr::from(([127, 0, 0, 1], port))
}
