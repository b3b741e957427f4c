//! An honest caller: repeats what is not answered (RFC 3261 §17.1), and minds what it is told.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

const T1: Duration = Duration::from_millis(500);
/// 64·T1: whoever has no answer by then has not been served.
const PATIENCE: Duration = Duration::from_secs(32);

pub struct Caller {
    socket: UdpSocket,
    at: SocketAddr,
    server: SocketAddr,
    /// User part of From.
    pub user: String,
}

/// A dialog that stands.
pub struct Call {
    id: String,
    to: String,
}

impl Caller {
    pub fn new(ip: &str, server: SocketAddr) -> Caller {
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        let at = socket.local_addr().unwrap();
        Caller { socket, at, server, user: "13800000001".into() }
    }

    /// Calls 9000, which answers and stays silent.
    pub fn call(&mut self, id: &str) -> Call {
        let to = format!("<sip:9000@{}>", self.server);
        let ip = self.at.ip();
        let offer = format!(
            "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n"
        );
        let answer = self.ask("INVITE", id, 1, &to, &offer);
        let (head, _) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("SIP/2.0 200 "), "{id}: {head}");
        let to = head.lines().find_map(|line| line.strip_prefix("To: ")).expect("To").to_owned();
        let ack = self.request("ACK", id, 1, &to, "", "ack");
        self.socket.send_to(ack.as_bytes(), self.server).unwrap();
        Call { id: id.to_owned(), to }
    }

    pub fn hang_up(&mut self, call: Call) {
        let answer = self.ask("BYE", &call.id, 3, &call.to, "");
        assert!(answer.starts_with("SIP/2.0 200 "), "{}: {answer}", call.id);
    }

    /// Asks in the dialog.
    pub fn is_alive(&mut self, call: &Call) -> bool {
        self.ask("OPTIONS", &call.id, 2, &call.to, "").starts_with("SIP/2.0 200 ")
    }

    fn request(&self, method: &str, id: &str, seq: u32, to: &str, body: &str, branch: &str) -> String {
        let (at, user, length) = (self.at, &self.user, body.len());
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "{method} sip:9000@{} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{id}{branch};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@{at}>;tag=f{id}\r\nTo: {to}\r\nCall-ID: {id}\r\n\
             CSeq: {seq} {method}\r\nContact: <sip:13800000001@{at}>\r\n{kind}Content-Length: {length}\r\n\r\n{body}",
            self.server
        )
    }

    /// The final answer to a request, which is repeated until something is heard.
    fn ask(&mut self, method: &str, id: &str, seq: u32, to: &str, body: &str) -> String {
        let request = self.request(method, id, seq, to, body, method);
        let (end, mut wait) = (Instant::now() + PATIENCE, T1);
        let cseq = format!("CSeq: {seq} {method}\r\n");
        let mut room = vec![0; 65_536];
        loop {
            self.socket.send_to(request.as_bytes(), self.server).unwrap();
            let again = Instant::now() + wait;
            while let Some(left) = again.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
            {
                self.socket.set_read_timeout(Some(left)).unwrap();
                let Ok((length, _)) = self.socket.recv_from(&mut room) else { break };
                let answer = String::from_utf8_lossy(&room[..length]).into_owned();
                let mine = answer.contains(&cseq) && answer.contains(&format!("Call-ID: {id}\r\n"));
                if mine && !answer.starts_with("SIP/2.0 1") {
                    return answer;
                }
            }
            assert!(Instant::now() < end, "{method} of {id} has no answer within 64·T1");
            wait = (wait * 2).min(Duration::from_secs(4));
        }
    }
}
