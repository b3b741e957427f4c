//! Which of our lines a caller dialled: the forms a number comes in, and the places it comes from.
//!
//! Taking the places out of an INVITE is `sip`'s work. Matching is exact: 96119 is not 119.
//!
//! What a look-up comes by is `#[inline]`, here and in the files that it asks: this package is built to be small, and
//! the engine, into which such functions are compiled, to be fast.

use std::borrow::Cow;

use super::digits::Digits;
use super::meeting::Comer;
use super::plan::{City, DialledFrom, Line, LineMode, Plan, Trunk};
use crate::id::LineId;
use crate::time::Timestamp;

/// What an INVITE says was dialled: URIs or user parts as they came, in the order of the message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dialled(pub Vec<(DialledFrom, String)>);

/// The line that was dialled.
#[derive(Debug, Clone)]
pub struct Found<'a> {
    /// The line; a room is made one when it is dialled.
    pub line: Cow<'a, Line>,
    /// The place that named it.
    pub from: DialledFrom,
    /// How that place named it.
    pub number_as_dialled: &'a str,
    /// The alias that it named; `None`: the line's own number.
    pub alias: Option<&'a LineId>,
}

impl Dialled {
    /// The one number of a Request-URI.
    pub fn request_uri(number: &str) -> Self {
        Dialled(vec![(DialledFrom::RequestUri, number.to_owned())])
    }

    /// The values of one place, the oldest first.
    #[inline]
    pub(super) fn oldest_first(&self, from: DialledFrom) -> impl Iterator<Item = &str> {
        // RFC 5806 §4: each diverting party puts its own in front.
        let backwards = from == DialledFrom::Diversion;
        let last = self.0.len().wrapping_sub(1);
        let in_order =
            (0..self.0.len()).filter_map(move |at| self.0.get(if backwards { last - at } else { at }));
        in_order.filter(move |(place, _)| *place == from).map(|(_, value)| value.as_str())
    }
}

impl City {
    /// The shortest form of a dialled number: `12345` for `12345`, `039312345`, `0393-12345`,
    /// `+8639312345`, `008639312345`, and for `tel:` and `sip:` URIs of these.
    ///
    /// `None` for what is not a number and for numbers of another area or country: `037112345` is
    /// Zhengzhou's 12345, not ours. Whether the number is one of our lines is not asked here.
    #[inline]
    pub fn normalise(&self, dialled: &str) -> Option<LineId> {
        self.shortest(dialled).map(|number| LineId::from(number.as_str()))
    }

    /// The same without a [`LineId`] of its own: as long as it is only looked for.
    #[inline]
    pub(super) fn shortest(&self, dialled: &str) -> Option<Digits> {
        let uri = Uri::of(dialled)?;
        let number = Digits::without_separators(uri.number())?;
        self.shortest_of(number.as_str(), uri.context())
    }

    /// The digits of a dialled URI, with the `+` where there is one; `None`: it is none, or one of another
    /// country or area, by its phone-context (RFC 3966 §5.1.5).
    pub(super) fn number_here(&self, dialled: &str) -> Option<String> {
        let uri = Uri::of(dialled)?;
        self.holds_context(uri.context())?;
        Digits::without_separators(uri.number()).map(|digits| digits.as_str().to_owned())
    }

    #[inline]
    fn shortest_of(&self, digits: &str, context: Option<&str>) -> Option<Digits> {
        let (digits, global) = match digits.strip_prefix('+').or_else(|| digits.strip_prefix("00")) {
            Some(global) => (global, true),
            None => (digits, false),
        };
        let short = if global {
            self.within_country(digits.strip_prefix(self.country_code.as_str())?)?
        } else if digits.starts_with('0') {
            digits.strip_prefix(self.area_code.as_str())?
        } else {
            self.holds_context(context)?;
            digits
        };
        if short.is_empty() || short.starts_with('0') { None } else { Digits::of(&[short]) }
    }

    /// A number behind the country code: with our area code, or one of the five-digit numbers
    /// that some carriers write without any (`+8612345`).
    #[inline]
    fn within_country<'a>(&self, national: &'a str) -> Option<&'a str> {
        let area = self.area_code.trim_start_matches('0');
        match national.strip_prefix(area) {
            Some(rest) if !rest.is_empty() => Some(rest),
            _ => (national.len() == 5).then_some(national),
        }
    }

    /// `None` where RFC 3966's phone-context puts a local number into another area. A context
    /// that is a domain name says nothing about areas.
    #[inline]
    fn holds_context(&self, context: Option<&str>) -> Option<()> {
        let Some(global) = context.and_then(|context| context.strip_prefix('+')) else {
            return Some(());
        };
        let global = Digits::without_separators(global)?;
        let area = global.as_str().strip_prefix(self.country_code.as_str())?;
        (area.is_empty() || area == self.area_code.trim_start_matches('0')).then_some(())
    }
}

impl Plan {
    /// The line that a call from `trunk` is for.
    ///
    /// The trunk's places are asked in its order, and in each place the oldest value that names
    /// one of our lines counts. 12345 itself yields to a later place that names another line: a
    /// carrier that forwards 12336 to us sends 12345 in the Request-URI, and 12336 in History-Info
    /// or Diversion. A Request-URI with an emergency number is nobody's line, whatever else the
    /// message says. A room in it is the caller's wish as well, where that caller may join it. A line is dialled by its
    /// aliases as by its number; one that is not ours yet at `at` is none of ours.
    #[inline]
    pub fn find_line<'a>(&'a self, trunk: &Trunk, dialled: &'a Dialled, at: Timestamp) -> Option<Found<'a>> {
        let asked = self.asked(trunk, dialled);
        if let Some((value, number)) = &asked {
            if self.emergency.contains_key(number.as_str()) {
                return None;
            }
            if let Some(room) = self.room(Comer::Trunk(trunk), number.as_str(), value) {
                return Some(room);
            }
        }
        let mut primary = None;
        for from in &trunk.dialled_from {
            let found = match from {
                DialledFrom::RequestUri => {
                    asked.as_ref().and_then(|(value, number)| self.found(number, *from, value, at))
                }
                _ => self.find_in(trunk, *from, dialled, at),
            };
            let Some(found) = found else { continue };
            if !matches!(found.line.mode, LineMode::Primary { .. }) {
                return Some(found);
            }
            primary = primary.or(Some(found));
        }
        primary
    }

    /// The emergency number in the Request-URI, if there is one: such a call went astray.
    pub fn emergency_dialled(&self, trunk: &Trunk, dialled: &Dialled) -> Option<LineId> {
        let (_, number) = self.asked(trunk, dialled)?;
        self.emergency.get_key_value(number.as_str()).map(|(number, _)| number.clone())
    }

    /// The number in the Request-URI, as it came and in its shortest form.
    #[inline]
    fn asked<'a>(&self, trunk: &Trunk, dialled: &'a Dialled) -> Option<(&'a str, Digits)> {
        let mut uris = dialled.oldest_first(DialledFrom::RequestUri);
        uris.find_map(|value| Some((value, self.ours(trunk, value)?)))
    }

    /// A dialled number in its shortest form; the trunk's own forms are put into ours first, by its rules.
    #[inline]
    pub(super) fn ours(&self, trunk: &Trunk, value: &str) -> Option<Digits> {
        let uri = Uri::of(value)?;
        let number = Digits::without_separators(uri.number())?;
        match trunk.rewrite.called_inward.rule_for(number.as_str()) {
            Some(rule) => {
                let made = rule.made_of(number.as_str())?;
                self.city.shortest_of(Digits::without_separators(made.as_str())?.as_str(), None)
            }
            None => self.city.shortest_of(number.as_str(), uri.context()),
        }
    }

    #[inline]
    fn find_in<'a>(
        &'a self,
        trunk: &Trunk,
        from: DialledFrom,
        dialled: &'a Dialled,
        at: Timestamp,
    ) -> Option<Found<'a>> {
        dialled.oldest_first(from).find_map(|value| self.found(&self.ours(trunk, value)?, from, value, at))
    }

    #[inline]
    fn found<'a>(
        &'a self,
        number: &Digits,
        from: DialledFrom,
        value: &'a str,
        at: Timestamp,
    ) -> Option<Found<'a>> {
        let line = self.line_at(number.as_str(), at)?;
        let alias =
            line.aliases.iter().map(|alias| &alias.number).find(|own| own.as_str() == number.as_str());
        Some(Found { line: Cow::Borrowed(line), from, number_as_dialled: value, alias })
    }
}

/// The digits of a dialled URI, with the `+` where there is one.
pub(super) fn number_of(dialled: &str) -> Option<String> {
    Digits::without_separators(Uri::of(dialled)?.number()).map(|digits| digits.as_str().to_owned())
}

/// Who is calling, as a message or an operator writes it: a URI or a number with separators (RFC 3966 §5.1.1) comes to
/// the number alone, a local one behind the digits of its `phone-context` (§5.1.5). What is no number stays a name.
pub fn caller_of(text: &str) -> String {
    let Some(uri) = Uri::of(text) else { return text.trim().to_owned() };
    let Some(number) = Digits::without_separators(uri.number()) else { return uri.number().to_owned() };
    let context = uri.context().filter(|context| context.starts_with('+') && !uri.number().starts_with('+'));
    let context = context.and_then(Digits::without_separators);
    let whole = context.and_then(|context| Digits::of(&[context.as_str(), number.as_str()]));
    whole.unwrap_or(number).as_str().to_owned()
}

/// The keys of a dialled URI, `*` and `#` among them. Both may come escaped or not: `*` need not be, and
/// `#`, which must be (RFC 3261 §25.1), often is not.
pub(super) fn user_of(dialled: &str) -> Option<String> {
    Some(Uri::of(dialled)?.number().to_owned())
}

/// The part of a dialled URI that a number can hide in: the user's, with its parameters.
struct Uri<'a>(Cow<'a, str>);

impl<'a> Uri<'a> {
    /// Takes `tel:`, `sip:` and `sips:` URIs, in angle brackets or not, and bare user parts.
    #[inline]
    fn of(text: &'a str) -> Option<Self> {
        let text = match (text.find('<'), text.rfind('>')) {
            (Some(open), Some(close)) if open < close => &text[open + 1..close],
            _ => text.trim(),
        };
        let user = match text.split_once(':') {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel") => rest,
            Some((scheme, rest))
                if scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips") =>
            {
                rest.split_once('@')?.0
            }
            Some((user, _)) if text.contains('@') => user, // A user part with a password.
            Some(_) => return None,
            None => text.split_once('@').map_or(text, |(user, _)| user),
        };
        let user = user.split_once(':').map_or(user, |(user, _)| user);
        unescape(user).map(Uri)
    }

    /// Number with its visual separators.
    #[inline]
    fn number(&self) -> &str {
        self.0.split_once(';').map_or(&self.0, |(number, _)| number)
    }

    /// `phone-context`, RFC 3966 §5.1.5.
    #[inline]
    fn context(&self) -> Option<&str> {
        self.0.split(';').skip(1).find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.eq_ignore_ascii_case("phone-context").then_some(value)
        })
    }
}

/// Undoes `%2B` and its like (RFC 3261 §19.1.2), which few send; `None` where an escape is broken.
#[inline]
fn unescape(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    fn puyang() -> City {
        City {
            name: "濮阳市".to_owned(),
            area_code: "0393".to_owned(),
            country_code: "86".to_owned(),
            org: None,
            time_zone: TimeZone::get("Asia/Shanghai").unwrap(),
        }
    }

    #[test]
    fn a_caller_is_written_as_a_number_a_uri_or_a_name() {
        for (written, expected) in [
            ("13900000000", "13900000000"),
            ("+86-139-0000-0000", "+8613900000000"),
            ("(0393) 4420000", "(0393) 4420000"), // A blank is no separator of RFC 3966.
            ("(0393)442.0000", "03934420000"),
            ("tel:+8613900000000", "+8613900000000"),
            ("TEL:+86-139-0000-0000;isub=1", "+8613900000000"),
            ("tel:442-0000;phone-context=+86-393", "+863934420000"),
            ("tel:4420000;phone-context=hotline.puyang", "4420000"),
            ("tel:+8613900000000;phone-context=+1", "+8613900000000"),
            ("sip:13900000000@192.0.2.1;user=phone", "13900000000"),
            ("sip:4420000;phone-context=+86393@192.0.2.1;user=phone", "+863934420000"),
            ("\"x\" <sip:%2B8613900000000@192.0.2.1>;tag=1", "+8613900000000"),
            ("sip:alice@example.com", "alice"),
            ("anonymous", "anonymous"),
            ("", ""),
        ] {
            assert_eq!(caller_of(written), expected, "{written}");
        }
    }

    #[test]
    fn a_number_is_known_in_all_its_forms_and_in_no_other() {
        for (dialled, expected) in [
            ("12345", Some("12345")),
            ("039312345", Some("12345")),
            ("0393-12345", Some("12345")),
            ("(0393)12345", Some("12345")),
            ("+8639312345", Some("12345")),
            ("+86-393-12345", Some("12345")),
            ("+86.393.12345", Some("12345")),
            ("008639312345", Some("12345")),
            ("+8612345", Some("12345")),
            ("tel:12345", Some("12345")),
            ("TEL:+86-393-12345", Some("12345")),
            ("tel:12345;phone-context=+86393", Some("12345")),
            ("tel:12345;phone-context=+86", Some("12345")),
            ("tel:12345;phone-context=ims.example.com", Some("12345")),
            ("tel:039312345;phone-context=+86", Some("12345")),
            ("tel:12345;phone-context=+86371", None),
            ("tel:12345;phone-context=+1", None),
            ("sip:039312345@192.0.2.1:5060;user=phone", Some("12345")),
            ("sips:12345@[2001:db8::1]", Some("12345")),
            ("sip:12345;phone-context=+86393@carrier.example.com;user=phone", Some("12345")),
            ("sip:12345;phone-context=+86371@carrier.example.com;user=phone", None),
            ("sip:%2B8639312345@carrier.example.com", Some("12345")),
            ("sip:12345:secret@carrier.example.com", Some("12345")),
            ("<sip:12336@carrier.example.com>;index=1", Some("12336")),
            ("\"Carrier\" <tel:12336>;reason=unconditional", Some("12336")),
            ("12345@host", Some("12345")),
            ("4420000", Some("4420000")),
            ("442-0000", Some("4420000")),
            ("03934420000", Some("4420000")),
            ("+863934420000", Some("4420000")),
            ("tel:+86-393-442-0000", Some("4420000")),
            ("+864420000", None),
            ("96119", Some("96119")),
            ("039396119", Some("96119")),
            ("01012345", None),
            ("037112345", None),
            ("+8637112345", None),
            ("+8601012345", None),
            ("+139312345", None),
            ("012345", None),
            ("0393", None),
            ("+86393", None),
            ("0393012345", None),
            ("", None),
            ("+", None),
            ("12345#", None),
            ("１２３４５", None),
            ("sip:carrier.example.com", None),
            ("sip:1234%5", None),
            ("mailto:12345@host", None),
        ] {
            let found = puyang().normalise(dialled);
            let found = found.as_ref().map(LineId::as_str);
            assert_eq!(found, expected, "{dialled:?}");
        }
    }
}
