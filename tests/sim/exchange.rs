//! Far ends of trunks: sub-centers' switches, each in front of one telephone, and their bad days.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use hotline::id::TrunkId;
use hotline::phone::Answers;
use hotline::routing::Plan;
use hotline::routing::plan::{Account, LineMode, Member, SecretRef, TrunkGroup};
use hotline::sip::event::TrunkNow;
use hotline::switchboard::Input;

use crate::city::{City, millis};
use crate::clerk::Who;
use crate::network::{Kind, Letter, name};

/// The number behind the switches.
pub const NUMBER: &str = "12366";

/// How a switch is today.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Temper {
    /// Its telephone has each call.
    #[default]
    Fine,
    /// Dead: neither hears nor says anything.
    Silent,
    /// Nobody listens at its port, and ICMP says so.
    Closed,
    /// Refuses each new call; 503 is its answer to OPTIONS as well.
    Refuses(u16),
    /// Sends each new call on to another place.
    SendsTo(SocketAddr),
    /// Says 100 to a new call, and nothing more.
    Tries,
    /// Says 183 to a new call, and nothing more.
    Progresses,
}

#[derive(Default)]
pub struct Exchange {
    pub temper: Temper,
    /// INVITEs that it took itself, by Call-ID.
    own: BTreeMap<String, String>,
    /// Those of them that were taken back or refused.
    over: BTreeSet<String>,
}

/// A way to [`NUMBER`]: `way-1` is the first telephone of the city, and so on.
pub fn way(number: usize) -> String {
    format!("way-{number}")
}

/// [`NUMBER`] by a group of so many trunks with these priorities and weights.
pub fn by_ways(plan: &mut Plan, figures: &[(u16, u16)]) {
    let pattern = plan.trunks["sub-12366"].clone();
    let mut members = Vec::new();
    for (place, (priority, weight)) in figures.iter().enumerate() {
        let id = TrunkId::from(way(place + 1).as_str());
        let mut trunk = pattern.clone();
        trunk.id = id.clone();
        trunk.targets = vec![crate::clerk::address(place).into()];
        trunk.connect_timeout = Duration::from_secs(1);
        trunk.calls_max = 30;
        members.push(Member { trunk: id.clone(), priority: *priority, weight: *weight });
        plan.trunks.insert(id, trunk);
    }
    let group = TrunkId::from("ways");
    plan.groups.insert(group.clone(), TrunkGroup { id: group.clone(), members });
    let line = plan.lines.get_mut(NUMBER).expect("the shipped plan has it");
    let LineMode::SubCenter { peer, .. } = &mut line.mode else { panic!("it has a center of its own") };
    (peer.trunk, peer.drill) = (group, false);
}

pub fn trunk_mut(plan: &mut Plan, number: usize) -> &mut hotline::routing::plan::Trunk {
    plan.trunks.get_mut(way(number).as_str()).expect("a way")
}

/// We register at this way.
pub fn registers(plan: &mut Plan, number: usize) {
    let trunk = trunk_mut(plan, number);
    trunk.account =
        Some(Account { user: "city".into(), password: SecretRef::Env("WORD".into()), realm: None });
    trunk.register = Some(Duration::from_secs(60));
}

impl City {
    /// The switches of so many ways: to be called before anybody else gets a telephone.
    pub fn exchanges(&mut self, count: usize) -> Vec<Who> {
        assert_eq!(self.people().count(), 0, "they have the first places");
        let mut phones = Vec::new();
        for _ in 0..count {
            let who = self.phone(NUMBER).waits();
            self.telephone(who).phone.set_answers(Answers::After(millis(1_000)));
            self.exchanges.insert(who.0, Exchange::default());
            phones.push(who);
        }
        phones
    }

    pub fn way_is(&mut self, who: Who, temper: Temper) {
        self.exchanges.get_mut(&who.0).expect("a switch").temper = temper;
    }

    /// What the house thinks of a way.
    pub fn way_now(&self, number: usize) -> TrunkNow {
        let trunks = self.board.sip().trunks(self.now());
        trunks.into_iter().find(|trunk| trunk.trunk.as_str() == way(number)).expect("a way")
    }

    /// Whether nothing comes out of a telephone, because its switch is dead.
    pub(crate) fn is_cut_off(&self, place: usize) -> bool {
        let temper = self.exchanges.get(&place).map(|exchange| exchange.temper);
        matches!(temper, Some(Temper::Silent | Temper::Closed))
    }

    /// A SIP datagram for a telephone that has a switch in front of it. `true`: it goes no further.
    pub(crate) fn met_by_exchange(&mut self, place: usize, letter: &Letter) -> bool {
        let Some(exchange) = self.exchanges.get_mut(&place) else { return false };
        let text = String::from_utf8_lossy(&letter.bytes).into_owned();
        match exchange.temper {
            Temper::Silent => return true,
            Temper::Closed => {
                self.tell(Input::Unreachable(letter.to));
                return true;
            }
            _ => {}
        }
        let Some(answers) = exchange.answers(&name(&letter.bytes), &text) else { return false };
        for bytes in answers {
            let back = Letter { kind: Kind::Sip, from: letter.to, to: letter.from, bytes };
            self.net.post(back, self.mono);
        }
        true
    }
}

impl Exchange {
    /// What it answers itself; `None`: that is for the telephone.
    fn answers(&mut self, method: &str, text: &str) -> Option<Vec<Vec<u8>>> {
        let call = header(text, "Call-ID").to_owned();
        if let Some(invite) = self.own.get(&call) {
            return Some(match method {
                "INVITE" if !self.over.contains(&call) => self.opens(text).into_iter().collect(),
                "INVITE" => vec![answer(invite, 503, "")],
                "CANCEL" => {
                    self.over.insert(call);
                    vec![answer(text, 200, ""), answer(invite, 487, "")]
                }
                _ => Vec::new(), // ACK.
            });
        }
        let alone = !header(text, "To").contains(";tag=");
        match (method, self.temper) {
            ("OPTIONS", Temper::Refuses(503)) if alone => Some(vec![answer(text, 503, "")]),
            ("OPTIONS", _) if alone => Some(vec![answer(text, 200, "")]),
            ("REGISTER", Temper::Refuses(status)) => Some(vec![answer(text, status, "")]),
            ("REGISTER", _) => {
                let contact = format!("Contact: {}\r\nExpires: 60\r\n", header(text, "Contact"));
                Some(vec![answer(text, 200, if text.contains("Expires: 0") { "" } else { &contact })])
            }
            ("INVITE", Temper::Refuses(_) | Temper::SendsTo(_) | Temper::Tries | Temper::Progresses) => {
                let answered = self.opens(text);
                self.own.insert(call, text.to_owned());
                Some(answered.into_iter().collect())
            }
            _ => None,
        }
    }

    /// To a new call.
    fn opens(&self, invite: &str) -> Option<Vec<u8>> {
        match self.temper {
            Temper::Refuses(status) => Some(answer(invite, status, "")),
            Temper::SendsTo(place) => Some(answer(invite, 302, &format!("Contact: <sip:110@{place}>\r\n"))),
            Temper::Tries => Some(answer(invite, 100, "")),
            Temper::Progresses => Some(answer(invite, 183, "")),
            _ => None,
        }
    }
}

fn header<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or("")
}

fn answer(request: &str, status: u16, more: &str) -> Vec<u8> {
    let mut out = format!("SIP/2.0 {status} As it is\r\n");
    for line in request.lines().take_while(|line| !line.is_empty()) {
        let tag = match line.starts_with("To: ") && status > 100 && !line.contains(";tag=") {
            true => ";tag=switch",
            false => "",
        };
        if ["Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: "].iter().any(|name| line.starts_with(name)) {
            out += &format!("{line}{tag}\r\n");
        }
    }
    (out + more + "Content-Length: 0\r\n\r\n").into_bytes()
}
