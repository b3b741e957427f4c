//! The calls under way, as their callers and our own far side see them.

use std::time::Duration;

use super::lobby::Guest;
use super::mix::Kind;
use crate::cli::load::judge::{TONES, Tone};
use crate::io::packets::batch::Port;
use crate::time::Instant;

/// A telephone of ours.
pub struct Line {
    /// Where its sound is moved; `None` where there is none.
    pub port: Option<Port>,
    pub role: Role,
}

pub enum Role {
    Caller(Option<Call>),
    /// A seat, or one of a trunk's far side.
    Far {
        seat: bool,
        taken: Option<Taken>,
    },
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stage {
    Calling,
    Talking,
    /// BYE was due then.
    Ending {
        due: Instant,
    },
}

/// A call of a caller of ours.
#[derive(Debug)]
pub struct Call {
    pub index: u64,
    /// When its INVITE was due.
    pub due: Instant,
    pub stage: Stage,
    /// The caller heard from the other side: 180, 183 or 200.
    pub progressed: bool,
    pub rang: bool,
    /// It was due after the warm-up.
    pub measured: bool,
    /// Its sound is judged.
    pub sampled: bool,
    pub number: String,
    /// Our own far side took it.
    pub paired: bool,
    pub kind: Kind,
    /// How long its caller stays after the answer.
    pub holds: Duration,
    /// The seat that talks with the caller, or did last.
    pub clerk: Option<Guest>,
    /// Whom the clerk asked in.
    pub third: Option<Guest>,
    /// Whoever talked with the caller has hung up: the server's BYE comes in time.
    pub left: bool,
}

/// A call that our far side took.
#[derive(Debug)]
pub struct Taken {
    /// Whose call it is, if its number told.
    pub of: Option<Whose>,
    pub step: Step,
    /// How often the end of its talk was put off.
    pub put_off: u32,
}

#[derive(Clone, Copy, Debug)]
pub struct Whose {
    pub index: u64,
    pub sampled: bool,
    pub measured: bool,
    pub kind: Kind,
    pub caller: Guest,
}

/// How far a clerk, or a third party, has come with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Not answered; or the far side of a plain call.
    Rings,
    /// Since the answer.
    Talks { since: Instant },
    /// Pressed whom to ask in.
    Asks,
    /// With the third party, aside.
    Consults,
    /// All three.
    Together,
    /// The clerk pressed `##`.
    Leaves,
    /// The third party hung up, or the clerk left: two remain.
    Remains,
    /// Hung up.
    Ends,
}

/// Tones of one call: its caller's, its far side's, and that of whom the far side asks in.
const TONES_OF_A_CALL: u64 = 3;

/// The tone of a call's caller.
pub fn near_tone(index: u64) -> Tone {
    (TONES_OF_A_CALL * (index % (TONES as u64 / TONES_OF_A_CALL))) as usize
}

/// The tone of its far side.
pub fn far_tone(index: u64) -> Tone {
    near_tone(index) + 1
}

/// The tone of the third party.
pub fn third_tone(index: u64) -> Tone {
    near_tone(index) + 2
}

/// The number in a From header as it is compared: its digits, at most `digits` of them from the end, for
/// servers put prefixes in front.
pub fn number_in(from: &str, digits: usize) -> String {
    let uri = from.split_once("sip:").or_else(|| from.split_once("tel:")).map_or(from, |(_, uri)| uri);
    let user = uri.split(['@', '>', ';']).next().unwrap_or_default();
    let all: Vec<char> = user.chars().filter(char::is_ascii_digit).collect();
    all[all.len().saturating_sub(digits)..].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_with_and_without_prefix_and_name() {
        for from in [
            "\"12345\" <sip:13800000007@192.0.2.1>;tag=1",
            "sip:+8613800000007@host;tag=2",
            "<tel:+86-138-0000-0007>;tag=3",
        ] {
            assert_eq!(number_in(from, 11), "13800000007", "{from}");
        }
        assert_eq!(number_in("<sip:anonymous@anonymous.invalid>", 11), "");
    }

    #[test]
    fn the_three_of_a_call_and_its_neighbours_have_tones_of_their_own() {
        let of = |index| [near_tone(index), far_tone(index), third_tone(index)];
        let mut tones: Vec<Tone> = (0..85).flat_map(of).collect();
        tones.sort_unstable();
        tones.dedup();
        assert_eq!((tones.len(), tones.last()), (255, Some(&254)));
    }
}
