//! How one trunk's numbers differ from ours: rules on how a number begins, read like a table.
//!
//! The first rule that fits is applied and no other; a number that none fits stays as it is. There
//! are no patterns in the middle of a number, so that whoever reads the file sees what happens.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use indexmap::IndexMap;

use super::digits::Digits;

/// Digits of a number, of a rule or of what it makes.
pub const DIGITS_MAX: usize = 32;

/// `rewrite` of a trunk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewriting {
    /// The called number, on its way to the trunk.
    pub called: Rules,
    /// The caller's number, on its way to the trunk.
    pub caller: Rules,
    /// The dialled number, as it came from the trunk.
    pub called_inward: Rules,
    /// The caller's number, as it came from the trunk.
    pub caller_inward: Rules,
}

/// Rules in the order in which they are asked.
///
/// A number is compared with none of them: its rules are found by the whole number, and by each of its
/// beginnings that is as long as some rule's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    list: Vec<Rule>,
    /// The places of the rules for a whole number, in order.
    exact: IndexMap<String, Vec<usize>>,
    /// The places of the rules for a beginning, by its length: there are at most [`DIGITS_MAX`] lengths.
    beginnings: Vec<(usize, IndexMap<String, Vec<usize>>)>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Which numbers it is for.
    pub when: Pattern,
    /// Only numbers with so many characters.
    pub length: Option<Length>,
    /// What becomes of them.
    pub act: Act,
}

/// `"12366"`, this number; `"0393*"`, whatever begins so; `"*"`, any number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// The whole number.
    Exact(String),
    /// Its beginning.
    Beginning(String),
}

/// How long a number may be, both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Length(pub RangeInclusive<usize>);

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Nothing: later rules do not apply.
    Keep,
    /// Another number in its place.
    Become(String),
    /// So many characters less in front, and these in their place.
    Shape {
        /// Taken off.
        strip: usize,
        /// Put in front of what is left.
        add: String,
    },
}

impl Pattern {
    /// Reads it as the file says it.
    pub fn parse(text: &str) -> Option<Pattern> {
        match text.strip_suffix('*') {
            Some("") => Some(Pattern::Beginning(String::new())),
            Some(start) if is_start(start) && !start.contains(['*', '#']) => {
                Some(Pattern::Beginning(start.to_owned()))
            }
            None if is_number(text) && !text.contains(['*', '#']) => Some(Pattern::Exact(text.to_owned())),
            _ => None,
        }
    }

    /// The shortest number that it fits.
    pub fn shortest(&self) -> usize {
        match self {
            Pattern::Exact(own) => own.len(),
            Pattern::Beginning(start) => start.len().max(1),
        }
    }
}

impl Length {
    /// `"7"` or `"7-8"`.
    pub fn parse(text: &str) -> Option<Length> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        ((1..=DIGITS_MAX).contains(&first) && (first..=DIGITS_MAX).contains(&last))
            .then_some(Length(first..=last))
    }
}

impl Rule {
    #[inline]
    fn is_for_length(&self, length: usize) -> bool {
        self.length.as_ref().is_none_or(|own| own.0.contains(&length))
    }

    /// The fewest characters of a number that it is for.
    pub fn shortest(&self) -> usize {
        self.length.as_ref().map_or(0, |length| *length.0.start()).max(self.when.shortest())
    }

    #[inline]
    fn apply<'a>(&'a self, number: &'a str) -> Cow<'a, str> {
        match &self.act {
            Act::Keep => number.into(),
            Act::Become(other) => other.as_str().into(),
            Act::Shape { strip, add } => match number.get(*strip..) {
                Some(rest) if add.is_empty() && !rest.is_empty() => rest.into(),
                Some(rest) if !add.is_empty() => format!("{add}{rest}").into(),
                _ => number.into(), // The check refuses rules that leave nothing.
            },
        }
    }

    /// What becomes of a number that it is for; `None`: nothing that can be dialled, as it is too long.
    #[inline]
    pub(super) fn made_of(&self, number: &str) -> Option<Digits> {
        match &self.act {
            Act::Keep => Digits::of(&[number]),
            Act::Become(other) => Digits::of(&[other]),
            Act::Shape { strip, add } => match number.get(*strip..) {
                Some(rest) if !(add.is_empty() && rest.is_empty()) => Digits::of(&[add, rest]),
                _ => Digits::of(&[number]),
            },
        }
    }
}

impl Rules {
    /// In the order in which they are asked.
    pub fn new(list: Vec<Rule>) -> Self {
        let mut rules = Rules { list: Vec::new(), exact: IndexMap::new(), beginnings: Vec::new() };
        for (place, rule) in list.iter().enumerate() {
            let same = match &rule.when {
                Pattern::Exact(own) => rules.exact.entry(own.clone()).or_default(),
                Pattern::Beginning(start) => rules.beginning(start.len()).entry(start.clone()).or_default(),
            };
            same.push(place);
        }
        Rules { list, ..rules }
    }

    fn beginning(&mut self, length: usize) -> &mut IndexMap<String, Vec<usize>> {
        let place = self.beginnings.partition_point(|(known, _)| *known < length);
        if self.beginnings.get(place).is_none_or(|(known, _)| *known != length) {
            self.beginnings.insert(place, (length, IndexMap::new()));
        }
        &mut self.beginnings[place].1
    }

    /// The place of the rule that is for `number`; none is for a name, or for a number that is withheld.
    #[inline]
    pub fn choose(&self, number: &str) -> Option<usize> {
        if self.list.is_empty() || !is_number(number) {
            return None;
        }
        let whole = self.exact.get(number);
        let begun = self.beginnings.iter().filter_map(|(length, rules)| rules.get(number.get(..*length)?));
        whole.into_iter().chain(begun).filter_map(|places| self.first_of(places, number.len())).min()
    }

    /// The first of rules that differ in the lengths of the numbers that they are for.
    #[inline]
    fn first_of(&self, places: &[usize], length: usize) -> Option<usize> {
        places
            .iter()
            .copied()
            .find(|place| self.list.get(*place).is_some_and(|rule| rule.is_for_length(length)))
    }

    /// The rule that is for `number`.
    #[inline]
    pub(super) fn rule_for(&self, number: &str) -> Option<&Rule> {
        self.list.get(self.choose(number)?)
    }

    /// The rule that is asked first.
    pub(super) fn first(&self) -> Option<&Rule> {
        self.list.first()
    }

    /// What becomes of `number`.
    #[inline]
    pub fn apply<'a>(&'a self, number: &'a str) -> Cow<'a, str> {
        self.rule_for(number).map_or(Cow::Borrowed(number), |rule| rule.apply(number))
    }
}

/// Whether this can be dialled: digits, `*` and `#`, with or without a `+` in front.
pub fn is_number(text: &str) -> bool {
    is_start(text) && text != "+"
}

/// Whether a number can begin like this.
fn is_start(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    !text.is_empty()
        && text.len() <= DIGITS_MAX
        && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(when: &str, length: Option<&str>, act: Act) -> Rule {
        Rule {
            when: Pattern::parse(when).unwrap(),
            length: length.map(|text| Length::parse(text).unwrap()),
            act,
        }
    }

    fn shape(strip: usize, add: &str) -> Act {
        Act::Shape { strip, add: add.to_owned() }
    }

    #[test]
    fn the_first_rule_that_fits_is_applied_and_no_other() {
        let rules = Rules::new(vec![
            rule("110", None, Act::Keep),
            rule("12366", None, Act::Become("84412366".into())),
            rule("0393*", None, shape(4, "")),
            rule("0*", Some("11-12"), shape(1, "+86")),
            rule("1*", Some("11"), shape(0, "+86")),
            rule("*", Some("7-8"), shape(0, "0393")),
        ]);
        for (number, expected) in [
            ("110", "110"),
            ("12366", "84412366"),
            ("123660", "123660"),
            ("03934420000", "4420000"),
            ("0393", "0393"), // Nothing would be left.
            ("037112345678", "+8637112345678"),
            ("01062345678", "+861062345678"),
            ("0101234", "03930101234"),
            ("13800000000", "+8613800000000"),
            ("138000000000", "138000000000"),
            ("4420000", "03934420000"),
            ("96119", "96119"),
            ("", ""),
            ("热线", "热线"),
        ] {
            assert_eq!(rules.apply(number), expected, "{number}");
        }
    }

    #[test]
    fn of_a_thousand_rules_the_first_that_fits_is_found_as_by_asking_each() {
        let mut dice = crate::id::Dice::seeded(12);
        let mut digits = |least: u64, more: u64| -> String {
            let digit = |dice: &mut crate::id::Dice| char::from(b'0' + dice.below(5) as u8);
            (0..least + dice.below(more)).map(|_| digit(&mut dice)).collect()
        };
        let mut list = Vec::new();
        for place in 0..1_000 {
            let when = if place % 2 == 0 { digits(2, 5) } else { format!("{}*", digits(3, 4)) };
            let length = (place % 3 == 0).then(|| format!("{}", digits(3, 6).len()));
            list.push(rule(&when, length.as_deref(), shape(0, &place.to_string())));
        }
        let fits = |rule: &Rule, number: &str| {
            let begins = match &rule.when {
                Pattern::Exact(own) => number == own,
                Pattern::Beginning(start) => number.starts_with(start.as_str()),
            };
            begins && rule.length.as_ref().is_none_or(|own| own.0.contains(&number.len()))
        };
        let rules = Rules::new(list.clone());
        let mut found = 0;
        for _ in 0..2_000 {
            let number = digits(1, 8);
            let expected = list.iter().position(|rule| fits(rule, &number));
            assert_eq!(rules.choose(&number), expected, "{number}");
            let made = expected.and_then(|place| list[place].made_of(&number));
            assert_eq!(
                made.map(|made| made.as_str().to_owned()),
                expected.map(|_| rules.apply(&number).into())
            );
            found += usize::from(expected.is_some());
        }
        assert!((500..2_000).contains(&found), "{found}");
    }

    #[test]
    fn a_rule_for_any_number_is_not_for_names_or_for_nobody() {
        let rules = Rules::new(vec![rule("*", None, shape(0, "+86"))]);
        for (number, expected) in
            [("110", "+86110"), ("anonymous", "anonymous"), ("", ""), ("gw 7", "gw 7"), ("+", "+")]
        {
            assert_eq!(rules.apply(number), expected, "{number}");
        }
    }

    #[test]
    fn patterns_are_numbers_and_beginnings_and_nothing_else() {
        for (text, good) in [
            ("12366", true),
            ("+86393*", true),
            ("+*", true),
            ("*", true),
            ("", false),
            ("+", false),
            ("03 93*", false),
            ("0393.*x", false),
            ("[0-9]*", false),
            ("0+3", false),
            ("03*93", false),
            ("*55*", false),
            ("123456789012345678901234567890123", false),
        ] {
            assert_eq!(Pattern::parse(text).is_some(), good, "{text}");
        }
        for (text, good) in
            [("7", true), ("7-8", true), ("8-7", false), ("0", false), ("7-", false), ("33", false)]
        {
            assert_eq!(Length::parse(text).is_some(), good, "{text}");
        }
    }
}
