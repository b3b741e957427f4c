//! Key codes of a clerk's telephone: third parties are asked in, joined, sent away.
//!
//! | keys | what |
//! |---|---|
//! | `*1` … `*9` | asks whom `[three_way] keys` has for the digit |
//! | `**` number `#` | asks that number |
//! | `*0` | all three talk |
//! | `*#` | the third party goes; a caller who was left with music is back |
//! | `##` | the clerk leaves |
//!
//! A code's keys follow one another within [`KEYS_MAX`]; what was begun and not ended by then is
//! forgotten, and a single `*` or `#` was none: like all other keys it is for whoever listens for keys.

use std::time::Duration;

use super::digits::Way;
use super::leg::Leg;
use super::{Call, Command, Doing, Timer, Wish};
use crate::id::LegId;
use crate::media::Order;
use crate::time::Now;

use super::arrange::Ear;
use super::third::Standing;

/// From one key of a code to the next.
const KEYS_MAX: Duration = Duration::from_secs(4);
/// How long somebody who talks is spoken to at most, should the engine never say that it is through.
pub(super) const WORDS_MAX: Duration = Duration::from_secs(4);
/// Digits of a number that is asked for.
const NUMBER_MAX: usize = 20;
/// Said to a clerk, and nobody else, whose code is none or cannot be.
const WRONG_KEY: &str = "wrong_key";

/// What was begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Keys {
    #[default]
    Nothing,
    Star,
    Hash,
    /// `**` and these digits.
    Number(String),
}

/// What a key comes to.
#[derive(Debug, PartialEq, Eq)]
enum Typed {
    /// More is to come.
    Begun,
    /// These are no code.
    Plain(String),
    /// The digit's third party.
    Speed(char),
    Do(Wish),
    Wrong,
}

impl Keys {
    fn take(&mut self, key: char) -> Typed {
        match (std::mem::take(self), key) {
            (Keys::Nothing, '*') => self.begin(Keys::Star),
            (Keys::Nothing, '#') => self.begin(Keys::Hash),
            (Keys::Nothing, key) => Typed::Plain(key.into()),
            (Keys::Star, '*') => self.begin(Keys::Number(String::new())),
            (Keys::Star, '0') => Typed::Do(Wish::Merge),
            (Keys::Star, '#') => Typed::Do(Wish::Return),
            (Keys::Star, '1'..='9') => Typed::Speed(key),
            (Keys::Star, _) => Typed::Wrong,
            (Keys::Hash, '#') => Typed::Do(Wish::Leave),
            (Keys::Hash, '*') => {
                *self = Keys::Star;
                Typed::Plain("#".into())
            }
            (Keys::Hash, key) => Typed::Plain(format!("#{key}")),
            (Keys::Number(number), '#') if !number.is_empty() => Typed::Do(Wish::Consult { to: number }),
            (Keys::Number(mut number), '0'..='9') if number.len() < NUMBER_MAX => {
                number.push(key);
                self.begin(Keys::Number(number))
            }
            (Keys::Number(_), _) => Typed::Wrong,
        }
    }

    fn begin(&mut self, begun: Keys) -> Typed {
        *self = begun;
        Typed::Begun
    }

    /// What was begun is no code.
    fn forget(&mut self) -> Option<&'static str> {
        match std::mem::take(self) {
            Keys::Star => Some("*"),
            Keys::Hash => Some("#"),
            Keys::Nothing | Keys::Number(_) => None,
        }
    }
}

impl Call {
    /// A clerk who talks pressed a key.
    pub(super) fn clerk_pressed(&mut self, leg: LegId, key: char, way: Way, now: Now) {
        let typed = self.keys.take(key);
        match self.keys {
            Keys::Nothing => self.timers.cancel(Timer::Keys),
            _ => self.timers.set(Timer::Keys, now.mono + KEYS_MAX),
        }
        let wish = match typed {
            Typed::Begun => return,
            Typed::Plain(keys) => return self.pass_on(leg, &keys, way),
            Typed::Wrong => None,
            Typed::Do(wish) => Some(wish),
            Typed::Speed(digit) => {
                self.plan.three_way.keys.get(&digit).map(|to| Wish::Consult { to: to.clone() })
            }
        };
        if wish.is_none_or(|wish| self.wish(wish, now).is_err()) {
            self.refuse_key(leg, now);
        }
    }

    /// Another clerk begins with nothing.
    pub(super) fn forget_keys(&mut self) {
        self.keys = Keys::Nothing;
        self.timers.cancel(Timer::Keys);
    }

    pub(super) fn keys_forgotten(&mut self) {
        if let (Some(keys), Some(clerk)) = (self.keys.forget(), self.clerk_leg()) {
            self.pass_on(clerk, keys, Way::Sound);
        }
    }

    /// Something is being said to it.
    pub(super) fn is_told(&self, leg: LegId) -> bool {
        matches!(self.ears.of(leg), Ear::Words(_))
    }

    fn refuse_key(&mut self, leg: LegId, now: Now) {
        if self.is_told(leg) {
            return;
        }
        if self.say(leg, &[WRONG_KEY.into()]).is_some() {
            self.timers.set(Timer::Words(leg.index), now.mono + WORDS_MAX);
            self.arrange(now);
        }
    }

    /// Whether what was said to one of those who talk is through: then they listen to one another again.
    pub(super) fn words_heard(&mut self, leg: LegId, mark: u32, now: Now) -> bool {
        let through = self.doing == Doing::Talking && self.ears.of(leg) == Ear::Words(mark);
        if through {
            self.words_through(leg, now);
        }
        through
    }

    /// They are, or should be.
    pub(super) fn words_through(&mut self, leg: LegId, now: Now) {
        self.timers.cancel(Timer::Words(leg.index));
        if matches!(self.ears.of(leg), Ear::Words(_)) {
            self.ears.forget(leg);
            self.arrange(now);
        }
    }

    /// Keys that are no code reach the menu of whoever is on the far side. A bridge relays events itself
    /// (RFC 4733), and sound has its tones in it: only what neither carries is pressed there. Where keys go by
    /// signalling, nothing else carries them.
    pub(super) fn pass_on(&mut self, from: LegId, keys: &str, way: Way) {
        if self.doing != Doing::Talking {
            return;
        }
        let to = match self.ears.of(from) {
            Ear::Leg(partner) => Some(partner)
                .filter(|to| self.is_told_keys(*to) || way == Way::Signalling && !self.has_events(from)),
            Ear::Conference(_) => self.menu(from).filter(|to| {
                self.is_told_keys(*to)
                    || way == Way::Signalling
                    || self.has_events(from)
                    || self.has_events(*to)
            }),
            Ear::Nothing | Ear::Words(_) | Ear::Loop(_) => None,
        };
        if let Some(leg) = to {
            let keys = keys.to_owned();
            self.push(match self.is_told_keys(leg) {
                true => Command::Press { leg, keys },
                false => Command::Sound(Order::SendDigits { leg, digits: keys }),
            });
        }
    }

    /// Its peer takes none by signalling: from here to the end of the call they are tones, these first.
    pub(super) fn keys_refused(&mut self, leg: LegId, keys: &str) {
        let Some(own) = self.leg_mut(leg) else { return };
        own.refused_info = true;
        if own.is_open() {
            self.tune(leg);
        }
        if !keys.is_empty() {
            self.push(Command::Sound(Order::SendDigits { leg, digits: keys.to_owned() }));
        }
    }

    fn has_events(&self, leg: LegId) -> bool {
        self.leg_of(leg).is_some_and(Leg::has_telephone_event)
    }

    fn is_told_keys(&self, leg: LegId) -> bool {
        self.leg_of(leg).is_some_and(Leg::takes_info)
    }

    fn leg_of(&self, leg: LegId) -> Option<&Leg> {
        match leg == self.caller.id {
            true => Some(&self.caller),
            false => self.party(leg).map(|party| &party.leg),
        }
    }

    /// Whose menu listens in the call's conference: the third party's; of two, the other's.
    fn menu(&self, from: LegId) -> Option<LegId> {
        let there = |standing| matches!(standing, Standing::Consulting | Standing::Merged);
        let third = self.third.as_ref().filter(|third| there(third.standing));
        let of_third = third.and_then(|third| third.party.as_ref()).map(|party| party.leg.id);
        // Whom a clerk has called may have one, too.
        let of_two = match self.turned {
            Some(_) => Some(self.caller.id),
            None => self.other.as_ref().map(|other| other.leg.id),
        };
        of_third.or(of_two).filter(|menu| *menu != from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What keys come to, one after another.
    fn typed(keys: &str) -> Vec<Typed> {
        let mut begun = Keys::default();
        keys.chars().map(|key| begun.take(key)).collect()
    }

    fn last(keys: &str) -> Typed {
        typed(keys).pop().expect("a key")
    }

    #[test]
    fn codes_are_known_from_other_keys_row_by_row() {
        let consult = |to: &str| Typed::Do(Wish::Consult { to: to.into() });
        let plain = |keys: &str| Typed::Plain(keys.into());
        let rows = [
            ("5", plain("5")),
            ("*", Typed::Begun),
            ("*1", Typed::Speed('1')),
            ("*9", Typed::Speed('9')),
            ("*0", Typed::Do(Wish::Merge)),
            ("*#", Typed::Do(Wish::Return)),
            ("##", Typed::Do(Wish::Leave)),
            ("**", Typed::Begun),
            ("**12366#", consult("12366")),
            ("**#", Typed::Wrong),
            ("**12*", Typed::Wrong),
            ("*A", Typed::Wrong),
            ("#5", plain("#5")),
            ("#*", plain("#")),
            ("#*0", Typed::Do(Wish::Merge)),
            ("*15", plain("5")),
            ("A", plain("A")),
        ];
        for (keys, wanted) in rows {
            assert_eq!(last(keys), wanted, "{keys}");
        }
        let longest = format!("**{}#", "1".repeat(NUMBER_MAX));
        assert_eq!(last(&longest), consult(&"1".repeat(NUMBER_MAX)));
        let mut too_long = typed(&format!("**{}", "1".repeat(NUMBER_MAX + 1)));
        assert_eq!(too_long.pop(), Some(Typed::Wrong));
    }
}
