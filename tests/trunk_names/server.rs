//! A small name server: a few records over UDP, and the faults that name servers have.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, NAPTR, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

/// Nothing in these tests takes longer on any machine.
pub const LONG: Duration = Duration::from_secs(30);

/// What the server does with a question.
#[derive(Clone, Debug)]
pub enum Mood {
    /// Answers from its records.
    Well,
    /// SERVFAIL.
    Fails,
    /// NXDOMAIN, also for what it once knew.
    Forgets,
    /// No answer now; what waits is answered when it is well again.
    Holds,
}

struct State {
    records: BTreeMap<(String, RecordType), Vec<RData>>,
    mood: Mood,
    held: Vec<(Message, SocketAddr)>,
}

pub struct Server {
    pub at: SocketAddr,
    socket: Arc<UdpSocket>,
    state: Arc<Mutex<State>>,
    asked: Receiver<String>,
}

impl Server {
    pub fn start() -> Server {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
        let state = State { records: BTreeMap::new(), mood: Mood::Well, held: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let (tell, asked) = mpsc::channel();
        let (own, shared) = (socket.clone(), state.clone());
        thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok((length, from)) = own.recv_from(&mut buffer) {
                let Ok(message) = Message::from_vec(&buffer[..length]) else { continue };
                let mut state = shared.lock().unwrap();
                let question = &message.queries[0];
                let asked = format!("{} {}", question.query_type(), question.name());
                if matches!(state.mood, Mood::Holds) {
                    state.held.push((message, from));
                } else {
                    own.send_to(&state.answer(&message), from).unwrap();
                }
                if tell.send(asked).is_err() {
                    return; // The test is over.
                }
            }
        });
        Server { at: socket.local_addr().unwrap(), socket, state, asked }
    }

    /// Puts records in place of those that were there.
    pub fn know(&self, zone: &[(&str, RData)]) {
        let mut state = self.state.lock().unwrap();
        state.records.clear();
        for (name, data) in zone {
            let key = (format!("{name}."), data.record_type());
            state.records.entry(key).or_default().push(data.clone());
        }
    }

    pub fn be(&self, mood: Mood) {
        let mut state = self.state.lock().unwrap();
        state.mood = mood;
        for (message, from) in std::mem::take(&mut state.held) {
            self.socket.send_to(&state.answer(&message), from).unwrap();
        }
    }

    /// The next question that came.
    pub fn asked(&self) -> String {
        self.asked.recv_timeout(LONG).expect("a question")
    }

    /// Forgets the questions that came and were not looked at: how many there were.
    pub fn forget_asked(&self) -> usize {
        self.asked.try_iter().count()
    }
}

impl State {
    fn answer(&self, message: &Message) -> Vec<u8> {
        let question = message.queries[0].clone();
        let mut answer = Message::response(message.metadata.id, message.metadata.op_code);
        answer.metadata.recursion_available = true;
        answer.add_query(question.clone());
        let mut name = question.name().to_string().to_lowercase();
        let known = self.records.keys().any(|(own, _)| *own == name);
        answer.metadata.response_code = match self.mood {
            Mood::Fails => ResponseCode::ServFail,
            Mood::Well if known => ResponseCode::NoError,
            Mood::Well | Mood::Forgets | Mood::Holds => ResponseCode::NXDomain,
        };
        if answer.metadata.response_code == ResponseCode::NoError {
            while let Some([RData::CNAME(alias)]) =
                self.records.get(&(name.clone(), RecordType::CNAME)).map(Vec::as_slice)
            {
                let own = Name::from_ascii(&name).unwrap();
                answer.add_answer(Record::from_rdata(own, 600, RData::CNAME(alias.clone())));
                name = alias.0.to_string();
            }
            for data in self.records.get(&(name.clone(), question.query_type())).into_iter().flatten() {
                let own = Name::from_ascii(&name).unwrap();
                answer.add_answer(Record::from_rdata(own, 600, data.clone()));
            }
        }
        answer.to_vec().unwrap()
    }
}

fn name(text: &str) -> Name {
    Name::from_ascii(format!("{text}.")).unwrap()
}

pub fn naptr(order: u16, service: &str, replacement: &str) -> RData {
    let text = |text: &str| text.as_bytes().to_vec().into_boxed_slice();
    RData::NAPTR(NAPTR::new(order, 1, text("s"), text(service), text(""), name(replacement)))
}

pub fn srv(priority: u16, weight: u16, port: u16, target: &str) -> RData {
    RData::SRV(SRV::new(priority, weight, port, name(target)))
}

pub fn address(ip: &str) -> RData {
    match ip.parse().unwrap() {
        IpAddr::V4(ip) => RData::A(A(ip)),
        IpAddr::V6(ip) => RData::AAAA(AAAA(ip)),
    }
}

pub fn alias(of: &str) -> RData {
    RData::CNAME(CNAME(name(of)))
}
