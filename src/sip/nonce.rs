//! Nonces that prove themselves, and which counts of each were used (RFC 7616 §3.3, §5.5).

use std::collections::BTreeMap;
use std::time::Duration;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::id::Dice;
use crate::time::Instant;

/// How long a nonce is good.
const NONCE_LIFE: Duration = Duration::from_secs(300);
/// Most nonces whose use is remembered. When full, the oldest is dropped and counts as stale.
const NONCES_MAX: usize = 4_096;
/// How far back a nonce count may be: UDP may reorder.
const NC_WINDOW: u32 = 64;

/// The book of nonces.
pub(super) struct Nonces {
    key: [u8; 32],
    last: u64,
    used: BTreeMap<u64, Uses>,
    /// Nonces below this one are stale: their use is no longer remembered.
    floor: u64,
}

/// Which counts of a nonce were used: the highest, and a bit for each of those just below.
#[derive(Clone, Copy, Debug, Default)]
struct Uses {
    highest: u32,
    below: u64,
}

impl Uses {
    /// `false` for one used before, or too far back to tell.
    fn take(&mut self, nc: u32) -> bool {
        if nc > self.highest {
            let step = nc - self.highest;
            self.below = self.below.checked_shl(step).unwrap_or(0);
            if step <= NC_WINDOW && self.highest > 0 {
                self.below |= 1 << (step - 1);
            }
            self.highest = nc;
            return true;
        }
        let back = self.highest - nc;
        if back == 0 || back > NC_WINDOW || nc == 0 {
            return false;
        }
        let bit = 1 << (back - 1);
        let fresh = self.below & bit == 0;
        self.below |= bit;
        fresh
    }
}

impl Nonces {
    pub(super) fn new(dice: &mut Dice, now: Instant) -> Self {
        let mut key = [0; 32];
        dice.fill(&mut key);
        Nonces { key, last: now.as_nanos(), used: BTreeMap::new(), floor: 0 }
    }

    /// A nonce proves itself: its time, made unique, and a MAC over it.
    pub(super) fn draw(&mut self, now: Instant) -> String {
        self.last = now.as_nanos().max(self.last + 1);
        format!("{:016x}{}", self.last, self.seal(self.last))
    }

    pub(super) fn serial_of(&self, nonce: &[u8]) -> Option<u64> {
        let text = std::str::from_utf8(nonce).ok().filter(|text| text.len() == 48 && text.is_ascii())?;
        let serial = u64::from_str_radix(&text[..16], 16).ok()?;
        let good: bool =
            subtle::ConstantTimeEq::ct_eq(self.seal(serial).as_bytes(), &text.as_bytes()[16..]).into();
        good.then_some(serial)
    }

    /// Takes one use of a nonce. `false`: too old, or used before.
    pub(super) fn take(&mut self, serial: u64, nc: u32, now: Instant) -> bool {
        let oldest = now.as_nanos().saturating_sub(NONCE_LIFE.as_nanos() as u64);
        if serial < oldest || serial < self.floor {
            return false;
        }
        if !self.used.contains_key(&serial) && self.used.len() >= NONCES_MAX {
            while let Some((first, _)) = self.used.first_key_value().map(|(first, uses)| (*first, *uses)) {
                if first >= oldest && self.used.len() < NONCES_MAX {
                    break;
                }
                self.used.remove(&first);
                self.floor = first + 1;
            }
            if serial < self.floor {
                return false;
            }
        }
        self.used.entry(serial).or_default().take(nc)
    }

    pub(super) fn mac(&self, data: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(data);
        mac.finalize().into_bytes().into()
    }

    fn seal(&self, serial: u64) -> String {
        let mac = self.mac(&serial.to_be_bytes());
        super::tags::hex(&mac[..16])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_stays_bounded_and_what_it_forgets_is_stale() {
        let now = Instant::from_millis(1_000);
        let mut nonces = Nonces::new(&mut Dice::seeded(3), now);
        let first = now.as_nanos();
        for serial in first..first + NONCES_MAX as u64 + 10 {
            assert!(nonces.take(serial, 1, now));
        }
        assert!(nonces.used.len() <= NONCES_MAX);
        assert!(!nonces.take(first, 2, now));
    }

    #[test]
    fn a_nonce_is_ours_or_it_is_none() {
        let mut nonces = Nonces::new(&mut Dice::seeded(3), Instant::ZERO);
        let nonce = nonces.draw(Instant::ZERO);
        assert!(nonces.serial_of(nonce.as_bytes()).is_some());
        let others = Nonces::new(&mut Dice::seeded(4), Instant::ZERO);
        assert_eq!(others.serial_of(nonce.as_bytes()), None);
        assert_ne!(nonces.draw(Instant::ZERO), nonce, "unique within one instant");
    }
}
