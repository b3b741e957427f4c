//! What there is about telephone numbers: found in the same time however many there are.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Index;

/// Values by number, in the order in which they were put there.
///
/// Among 100,000 of them a look-up is a wait for memory, hence an index that is small and apart from the values: a
/// number of up to [`PACKED_MAX`] digits, and these are all there are in E.164, stands in it as one word. Numbers come
/// from outside: they are hashed with a key that nobody knows.
#[derive(Clone)]
pub struct ByNumber<T> {
    values: Vec<T>,
    packed: HashMap<u64, u32>,
    /// Places of what is longer, or no number: `anonymous`.
    others: HashMap<Box<str>, u32>,
}

/// Characters of a number that fit into one word: 15 digits (E.164 §6.2.1) and the `+`.
const PACKED_MAX: usize = 16;

/// Four bits for each digit and the `+`, none of them 0; `None`: it is longer, or no number.
#[inline]
fn pack(number: &str) -> Option<u64> {
    let nibble = |byte| match byte {
        b'0'..=b'9' => Some(u64::from(byte - b'0') + 1),
        b'+' => Some(11),
        _ => None,
    };
    let fits = number.len() <= PACKED_MAX;
    fits.then(|| number.bytes().try_fold(0, |word, byte| Some(word << 4 | nibble(byte)?))).flatten()
}

/// The number of such a word.
fn unpack(word: u64) -> String {
    let nibbles = (0..PACKED_MAX).rev().map(|at| (word >> (4 * at)) & 0xf).skip_while(|nibble| *nibble == 0);
    nibbles.map(|nibble| if nibble == 11 { '+' } else { char::from(b'0' + nibble as u8 - 1) }).collect()
}

impl<T> ByNumber<T> {
    /// Puts it there, in the place of what there was about this number before. Beyond 4,294,967,296 numbers, far more
    /// than memory holds, it is left out.
    pub fn insert(&mut self, number: &str, value: T) {
        let Ok(next) = u32::try_from(self.values.len()) else { return };
        let place = match pack(number) {
            Some(word) => *self.packed.entry(word).or_insert(next),
            None => match self.others.get(number) {
                Some(place) => *place,
                None => *self.others.entry(number.into()).or_insert(next),
            },
        };
        match self.values.get_mut(place as usize) {
            Some(known) => *known = value,
            None => self.values.push(value),
        }
    }

    fn place(&self, number: &str) -> Option<usize> {
        let place = match pack(number) {
            Some(word) => self.packed.get(&word),
            None => self.others.get(number),
        };
        place.map(|place| *place as usize)
    }

    /// What there is about this number.
    pub fn get(&self, number: impl AsRef<str>) -> Option<&T> {
        self.values.get(self.place(number.as_ref())?)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, number: impl AsRef<str>) -> Option<&mut T> {
        let place = self.place(number.as_ref())?;
        self.values.get_mut(place)
    }

    /// Whether there is anything about it.
    pub fn contains(&self, number: impl AsRef<str>) -> bool {
        self.place(number.as_ref()).is_some()
    }

    /// All of it, in the order in which it was put there.
    pub fn values(&self) -> std::slice::Iter<'_, T> {
        self.values.iter()
    }

    /// The same, to be changed.
    pub fn values_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.values.iter_mut()
    }

    /// About so many numbers.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// About none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl<T> Default for ByNumber<T> {
    fn default() -> Self {
        ByNumber { values: Vec::new(), packed: HashMap::new(), others: HashMap::new() }
    }
}

impl<T: fmt::Debug> fmt::Debug for ByNumber<T> {
    /// As a map in the order of [`ByNumber::values`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let packed = self.packed.iter().map(|(word, place)| (*place, unpack(*word)));
        let others = self.others.iter().map(|(text, place)| (*place, text.to_string()));
        let numbers: BTreeMap<u32, String> = packed.chain(others).collect();
        f.debug_map().entries(numbers.values().zip(&self.values)).finish()
    }
}

impl<T: PartialEq> PartialEq for ByNumber<T> {
    /// The same about the same numbers, in whatever order.
    fn eq(&self, other: &Self) -> bool {
        let same = |places: Option<(&u32, &u32)>| {
            places.is_some_and(|(a, b)| self.values.get(*a as usize) == other.values.get(*b as usize))
        };
        self.len() == other.len()
            && self.packed.iter().all(|(word, place)| same(Some(place).zip(other.packed.get(word))))
            && self.others.iter().all(|(text, place)| same(Some(place).zip(other.others.get(text))))
    }
}

impl<T: Eq> Eq for ByNumber<T> {}

impl<N: AsRef<str> + ?Sized, T> Index<&N> for ByNumber<T> {
    type Output = T;

    /// Panics where there is nothing about the number.
    fn index(&self, number: &N) -> &T {
        self.get(number).expect("a number that is known")
    }
}

impl<K: AsRef<str>, T> FromIterator<(K, T)> for ByNumber<T> {
    fn from_iter<I: IntoIterator<Item = (K, T)>>(all: I) -> Self {
        let mut these = ByNumber::default();
        all.into_iter().for_each(|(number, value)| these.insert(number.as_ref(), value));
        these
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_numbers_share_a_word_and_what_does_not_fit_has_none() {
        let alike = ["0", "00", "000", "1", "01", "10", "+1", "+", "", "+8613800000001", "8613800000001"];
        let words: std::collections::BTreeSet<_> = alike.iter().map(|number| pack(number)).collect();
        assert!(words.len() == alike.len() && !words.contains(&None));
        for number in alike.into_iter().chain(["+999999999999999", "12345"]) {
            assert_eq!(pack(number).map(unpack).as_deref(), Some(number));
        }
        for other in ["+9999999999999999", "anonymous", "12a", "１", "1 2", "*1"] {
            assert_eq!(pack(other), None, "{other}");
        }
    }

    #[test]
    fn what_comes_later_holds_in_the_place_of_what_was_there() {
        let long = "9".repeat(40);
        let mut some = ByNumber::from_iter([("12345", 1), ("anonymous", 2), (&long, 3)]);
        some.insert("anonymous", 4);
        some.insert("12345", 5);
        assert_eq!(some.values().copied().collect::<Vec<_>>(), [5, 4, 3]);
        *some.get_mut(&long).expect("the long one") += 1;
        assert_eq!((some["12345"], some["anonymous"], some.get(&long), some.len()), (5, 4, Some(&4), 3));
        assert_eq!(format!("{some:?}"), format!(r#"{{"12345": 5, "anonymous": 4, "{long}": 4}}"#));
        for unknown in ["012345", "1234", "", "anon", &long[1..]] {
            assert!(some.get(unknown).is_none() && !some.contains(unknown), "{unknown}");
        }
    }

    #[test]
    fn order_makes_no_difference_and_anything_else_does() {
        let these = ByNumber::from_iter([("1", 1), ("2", 2), ("a", 3)]);
        assert_eq!(these, ByNumber::from_iter([("a", 3), ("2", 2), ("1", 1)]));
        for other in
            [[("1", 1), ("2", 2), ("a", 4)], [("1", 1), ("3", 2), ("a", 3)], [("1", 1), ("2", 2), ("b", 3)]]
        {
            assert_ne!(these, ByNumber::from_iter(other));
        }
        assert_ne!(these, ByNumber::from_iter([("1", 1), ("2", 2)]));
    }
}
