//! A value as it is written in TOML, apart from any file: to be shown, or told as JSON.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use toml::de::DeValue;

/// A value of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// `"text"`.
    Text(String),
    /// `12`.
    Whole(i64),
    /// `1.5`.
    Real(f64),
    /// `true`.
    Truth(bool),
    /// `2021-08-01`.
    Moment(String),
    /// `[…]`.
    List(Vec<Written>),
    /// `{ … }`, in the order of the file.
    Table(Vec<(String, Written)>),
}

impl Written {
    /// A value of a document.
    pub fn of(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Written::Text(text.clone().into_owned()),
            DeValue::Integer(whole) => match i64::from_str_radix(whole.as_str(), whole.radix()) {
                Ok(found) => Written::Whole(found),
                Err(_) => Written::Text(whole.to_string()), // No key takes one so large.
            },
            DeValue::Float(real) => {
                real.as_str().parse().map_or_else(|_| Written::Text(real.to_string()), Written::Real)
            }
            DeValue::Boolean(truth) => Written::Truth(*truth),
            DeValue::Datetime(moment) => Written::Moment(moment.to_string()),
            DeValue::Array(items) => {
                Written::List(items.iter().map(|item| Written::of(item.get_ref())).collect())
            }
            DeValue::Table(table) => {
                let mut entries: Vec<_> = table.iter().collect();
                entries.sort_by_key(|(name, _)| name.span().start);
                let entry = |(name, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
                    let name: &Cow<'_, str> = name.get_ref();
                    (name.clone().into_owned(), Written::of(value.get_ref()))
                };
                Written::Table(entries.into_iter().map(entry).collect())
            }
        }
    }

    /// The same as JSON; dates are strings there.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Written::Text(text) | Written::Moment(text) => text.as_str().into(),
            Written::Whole(whole) => (*whole).into(),
            Written::Real(real) => (*real).into(),
            Written::Truth(truth) => (*truth).into(),
            Written::List(items) => items.iter().map(Written::json).collect(),
            Written::Table(entries) => {
                entries.iter().map(|(name, value)| (name.clone(), value.json())).collect()
            }
        }
    }
}

impl Display for Written {
    fn fmt(&self, into: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Written::Text(text) => toml::Value::String(text.clone()).fmt(into),
            Written::Whole(whole) => whole.fmt(into),
            Written::Real(real) => toml::Value::Float(*real).fmt(into),
            Written::Truth(truth) => truth.fmt(into),
            Written::Moment(moment) => into.write_str(moment),
            Written::List(items) => {
                into.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(into, "{comma}{item}")?;
                }
                into.write_str("]")
            }
            Written::Table(entries) if entries.is_empty() => into.write_str("{}"),
            Written::Table(entries) => {
                for (index, (name, value)) in entries.iter().enumerate() {
                    let before = if index == 0 { "{ " } else { ", " };
                    write!(into, "{before}{} = {value}", key(name))?;
                }
                into.write_str(" }")
            }
        }
    }
}

/// A key as TOML wants it: bare where it can be.
pub fn key(name: &str) -> Cow<'_, str> {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    match !name.is_empty() && name.bytes().all(bare) {
        true => name.into(),
        false => toml::Value::String(name.to_owned()).to_string().into(),
    }
}

/// A duration in the largest unit that it is a whole number of.
pub fn duration(length: Duration) -> String {
    let millis = length.as_millis();
    for (unit, size) in [("h", 3_600_000), ("min", 60_000), ("s", 1_000)] {
        if millis >= size && millis.is_multiple_of(size) {
            return format!("{}{unit}", millis / size);
        }
    }
    if millis == 0 { "0s".to_owned() } else { format!("{millis}ms") }
}

impl From<&str> for Written {
    fn from(text: &str) -> Self {
        Written::Text(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use toml::de::DeTable;

    use super::*;

    #[test]
    fn what_is_written_out_reads_as_what_was_read() {
        let text = "text = \"a \\\"b\\\" # 名\\n\"\nwhole = 0x1F\nreal = 1.5\ntruth = true\nday = 2021-08-01\n\
                    list = [1, [\"x\"], {}]\ntable = { z = 1, \"a.b\" = 2, \"名\" = 3 }\n";
        let read = |text: &str| Written::of(&DeValue::Table(DeTable::parse(text).unwrap().into_inner()));
        let Written::Table(entries) = read(text) else { panic!("a table") };
        let again: String =
            entries.iter().map(|(name, value)| format!("{} = {value}\n", key(name))).collect();
        assert_eq!(read(&again), Written::Table(entries.clone()), "{again}");
        assert_eq!(entries[1].1, Written::Whole(31));
        assert_eq!(entries[6].1.to_string(), "{ z = 1, \"a.b\" = 2, \"名\" = 3 }");
        assert_eq!(entries[5].1.json().to_string(), "[1,[\"x\"],{}]");
    }

    #[test]
    fn durations_are_written_in_their_largest_unit() {
        for (text, written) in [
            ("0ms", "0s"),
            ("250ms", "250ms"),
            ("1500ms", "1500ms"),
            ("60s", "1min"),
            ("90s", "90s"),
            ("240min", "4h"),
            ("168h", "168h"),
        ] {
            let length = crate::routing::duration(text).unwrap();
            assert_eq!(duration(length), written);
            assert_eq!(crate::routing::duration(written), Some(length));
        }
    }
}
