//! The people of the city: who sits or stands at which telephone, and their manners.

use std::net::SocketAddr;
use std::time::Duration;

use hotline::phone::{Answers, Dial, Phone, PhoneConfig, PhoneEvent, PhoneState};
use hotline::time::Instant;

use crate::city::City;

/// One telephone and whoever uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Who(pub usize);

/// What somebody does at a certain time, unless the call for which it was meant is over.
#[derive(Clone, Debug)]
pub enum Deed {
    HangUp,
    Vanish,
    Press(&'static str),
    /// Calls, and does the rest so long after that, each unless the call is over.
    Call(Box<Dial>, Vec<(Duration, Deed)>),
}

/// What a clerk does with calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manners {
    /// The phone goes dead so long after it began to ring.
    pub vanishes_ringing: Option<Duration>,
    /// The phone goes dead so long after the answer.
    pub vanishes_talking: Option<Duration>,
    /// Hangs up so long after the answer.
    pub talks_for: Option<Duration>,
}

pub struct Telephone {
    pub phone: Phone,
    pub user: String,
    pub sip: SocketAddr,
    pub is_seat: bool,
    /// Says something in each call.
    pub speaks: bool,
    /// Dead: hears and says nothing.
    pub gone: bool,
    pub manners: Manners,
    /// The last call was dialled here.
    pub dialled: bool,
    /// Calls so far, for deeds that are meant for one of them.
    pub calls: u64,
    pub events: Vec<(Instant, PhoneEvent)>,
    /// A tone of its own, so that voices can be told apart.
    pub tone_hz: f64,
}

impl Telephone {
    pub fn new(phone: Phone, is_seat: bool, tone_hz: f64) -> Self {
        Telephone {
            user: phone.config().user.clone(),
            sip: phone.config().sip,
            phone,
            is_seat,
            speaks: true,
            gone: false,
            manners: Manners::default(),
            dialled: false,
            calls: 0,
            events: Vec::new(),
            tone_hz,
        }
    }

    pub fn is_idle(&self) -> bool {
        self.phone.state() == PhoneState::Idle
    }
}

/// A seat being described: `city.seat("1001").answers_after(secs(2))`.
pub struct Seating<'a> {
    pub(crate) city: &'a mut City,
    pub(crate) who: Who,
}

impl Seating<'_> {
    /// Hangs up so long after each answer.
    pub fn talks_for(self, span: Duration) -> Self {
        self.city.telephone(self.who).manners.talks_for = Some(span);
        self
    }

    /// The phone goes dead so long after it began to ring.
    pub fn vanishes_ringing(self, after: Duration) -> Who {
        self.city.telephone(self.who).manners.vanishes_ringing = Some(after);
        self.never_answers()
    }

    /// Answers at once; the phone goes dead so long after that.
    pub fn vanishes_talking(self, after: Duration) -> Who {
        self.city.telephone(self.who).manners.vanishes_talking = Some(after);
        self.answers_after(Duration::from_secs(1))
    }

    pub fn answers_after(self, span: Duration) -> Who {
        self.seated(Answers::After(span))
    }

    pub fn never_answers(self) -> Who {
        self.seated(Answers::Never)
    }

    pub fn rejects(self) -> Who {
        self.seated(Answers::Busy)
    }

    fn seated(self, answers: Answers) -> Who {
        self.city.telephone(self.who).phone.set_answers(answers);
        self.city.signs_in(self.who);
        self.who
    }
}

/// Somebody at a telephone outside: `city.phone("13800000001").dials("12345")`.
pub struct Outside<'a> {
    pub(crate) city: &'a mut City,
    pub(crate) who: Who,
}

impl Outside<'_> {
    pub fn dials(self, number: &str) -> Who {
        self.city.dials(self.who, number);
        self.who
    }

    /// Is there, and does nothing yet.
    pub fn waits(self) -> Who {
        self.who
    }
}

/// Telephones in one of the city's subnets.
const SUBNET: usize = 250;

/// The settings of a telephone at this place of the city's network, which is a carrier's by the shipped plan.
pub fn settings(user: &str, place: usize, server: SocketAddr) -> PhoneConfig {
    let sip = address(place);
    PhoneConfig::new(user, sip, (sip.ip(), 4000).into(), server)
}

/// Where the telephone at a place is called.
pub fn address(place: usize) -> SocketAddr {
    ([127, 1, (place / SUBNET) as u8, (place % SUBNET + 1) as u8], 5060).into()
}

/// Whose address this is.
pub fn place_of(address: SocketAddr) -> Option<usize> {
    match address.ip() {
        std::net::IpAddr::V4(ip) => match ip.octets() {
            [127, 1, subnet, host] => Some(usize::from(subnet) * SUBNET + usize::from(host).checked_sub(1)?),
            _ => None,
        },
        std::net::IpAddr::V6(_) => None,
    }
}
