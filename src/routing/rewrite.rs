//! How one trunk's numbers differ from ours: rules on how a number begins, read like a table.
//!
//! The first rule that fits is applied and no other; a number that none fits stays as it is. There
//! are no patterns in the middle of a number, so that whoever reads the file sees what happens.

use std::borrow::Cow;
use std::ops::RangeInclusive;

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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules(pub Vec<Rule>);

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

    fn fits(&self, number: &str) -> bool {
        match self {
            Pattern::Exact(own) => number == own,
            Pattern::Beginning(start) => number.starts_with(start.as_str()),
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
    /// Whether it is for `number`.
    pub fn fits(&self, number: &str) -> bool {
        self.when.fits(number) && self.length.as_ref().is_none_or(|length| length.0.contains(&number.len()))
    }

    /// The fewest characters of a number that it is for.
    pub fn shortest(&self) -> usize {
        self.length.as_ref().map_or(0, |length| *length.0.start()).max(self.when.shortest())
    }

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
}

impl Rules {
    /// The place of the rule that is for `number`; none is for a name, or for a number that is withheld.
    pub fn choose(&self, number: &str) -> Option<usize> {
        self.0.iter().position(|rule| rule.fits(number)).filter(|_| is_number(number))
    }

    /// What becomes of `number`.
    pub fn apply<'a>(&'a self, number: &'a str) -> Cow<'a, str> {
        let rule = self.choose(number).and_then(|index| self.0.get(index));
        rule.map_or(Cow::Borrowed(number), |rule| rule.apply(number))
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
        let rules = Rules(vec![
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
    fn a_rule_for_any_number_is_not_for_names_or_for_nobody() {
        let rules = Rules(vec![rule("*", None, shape(0, "+86"))]);
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
