//! A strict reader of OpenMetrics text 1.0: what Prometheus would refuse, it refuses.

use std::collections::BTreeMap;

/// All samples by name and labels, `name{label="value"}` with labels in their order.
pub struct Exposition {
    samples: BTreeMap<String, f64>,
    /// Kinds of families by name.
    kinds: BTreeMap<String, String>,
}

fn is_name(name: &str) -> bool {
    let first = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
    name.starts_with(first) && name.chars().all(|letter| first(letter) || letter.is_ascii_digit())
}

/// Splits `a="x",b="y"`; values may hold escaped quotes, backslashes and line ends only.
fn labels(mut text: &str) -> Vec<(String, String)> {
    let mut labels = Vec::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"").unwrap_or_else(|| panic!("a label: {text:?}"));
        assert!(is_name(name), "{name:?}");
        let mut value = String::new();
        let mut letters = rest.char_indices();
        let end = loop {
            match letters.next().unwrap_or_else(|| panic!("an end of {rest:?}")) {
                (at, '"') => break at,
                (_, '\\') => match letters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, letter @ ('"' | '\\'))) => value.push(letter),
                    other => panic!("no such escape: {other:?}"),
                },
                (_, letter) => value.push(letter),
            }
        };
        assert!(labels.iter().all(|(known, _)| known != name), "{name} twice");
        labels.push((name.to_owned(), value));
        text = &rest[end + 1..];
        if let Some(more) = text.strip_prefix(',') {
            assert!(!more.is_empty(), "a comma before nothing");
            text = more;
        } else {
            assert!(text.is_empty(), "{text:?} after a label");
        }
    }
    labels
}

/// One family as it is read: its samples must belong to it.
struct Family {
    name: String,
    kind: Option<String>,
    /// Of a histogram: per other labels the last bound and count, the sum seen, the count.
    buckets: BTreeMap<String, (f64, f64)>,
}

impl Family {
    fn take(&mut self, name: &str, labels: &[(String, String)], value: f64) {
        let kind = self.kind.as_deref().unwrap_or_else(|| panic!("{name} before its TYPE"));
        let suffix = name.strip_prefix(self.name.as_str());
        let suffix = suffix.unwrap_or_else(|| panic!("{name} among {}", self.name));
        let rest = |without: &str| -> String {
            labels.iter().filter(|(label, _)| label != without).map(|label| format!("{label:?}")).collect()
        };
        match (kind, suffix) {
            // All are whole but time.
            ("counter", "_total") => {
                let whole = value.fract() == 0.0 || self.name.ends_with("_seconds");
                assert!(value >= 0.0 && whole, "{name} {value}");
            }
            ("gauge", "") => assert!(value.is_finite(), "{name} {value}"),
            ("histogram", "_bucket") => {
                let bound = labels.iter().find(|(label, _)| label == "le").expect("a bound");
                let bound = if bound.1 == "+Inf" { f64::INFINITY } else { bound.1.parse().unwrap() };
                let series = self.buckets.entry(rest("le")).or_insert((f64::NEG_INFINITY, 0.0));
                assert!(bound > series.0, "{name}: bounds grow");
                assert!(value >= series.1, "{name}: counts add up");
                *series = (bound, value);
            }
            ("histogram", "_count") => {
                if let Some((bound, last)) = self.buckets.get(&rest("le")) {
                    assert_eq!((*bound, *last), (f64::INFINITY, value), "{name}: the last bucket is all");
                }
            }
            ("histogram", "_sum") => assert!(value >= 0.0),
            other => panic!("{name}: no such sample of a {}", other.0),
        }
    }
}

pub fn parse(text: &str) -> Exposition {
    let body = text.strip_suffix("# EOF\n").expect("ends with # EOF");
    let mut read = Exposition { samples: BTreeMap::new(), kinds: BTreeMap::new() };
    let mut family: Option<Family> = None;
    for line in body.lines() {
        assert!(!line.trim().is_empty(), "an empty line");
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (word, name) = (words.next().unwrap(), words.next().expect("a name"));
            let rest = words.next().unwrap_or_default();
            assert!(is_name(name), "{name:?}");
            if family.as_ref().is_none_or(|family| family.name != name) {
                assert!(!read.kinds.contains_key(name), "{name} is in two places");
                family = Some(Family { name: name.to_owned(), kind: None, buckets: BTreeMap::new() });
            }
            match word {
                "HELP" => assert!(!rest.is_empty(), "{name} says nothing"),
                "TYPE" => {
                    assert!(["counter", "gauge", "histogram"].contains(&rest), "{name}: {rest:?}");
                    assert!(read.kinds.insert(name.to_owned(), rest.to_owned()).is_none(), "{name}");
                    family.as_mut().unwrap().kind = Some(rest.to_owned());
                }
                "UNIT" => assert!(name.ends_with(rest), "{name} is in {rest}"),
                other => panic!("{other:?} is no keyword"),
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line:?}: no number"));
        let (name, inside) = match series.split_once('{') {
            Some((name, rest)) => (name, rest.strip_suffix('}').expect("a closing brace")),
            None => (series, ""),
        };
        assert!(is_name(name), "{name:?}");
        family.as_mut().expect("a family first").take(name, &labels(inside), value);
        assert!(read.samples.insert(series.to_owned(), value).is_none(), "{series} twice");
    }
    read
}

impl Exposition {
    /// A sample's value; not a number where nothing has set it yet.
    pub fn value(&self, series: &str) -> f64 {
        self.samples.get(series).copied().unwrap_or(f64::NAN)
    }
}

#[test]
fn the_reader_refuses_what_prometheus_would() {
    let whole = "# HELP a_b Words.\n# TYPE a_b counter\na_b_total{x=\"1\\\"\"} 2\n# EOF\n";
    assert_eq!(parse(whole).value("a_b_total{x=\"1\\\"\"}"), 2.0);
    for (broken, instead) in [
        ("# EOF\n", ""),
        ("a_b_total", "a_b"),
        ("a_b_total", "c_total"),
        ("} 2", "} two"),
        ("} 2", "} -1"),
        ("counter", "count"),
        ("x=\"1\\\"\"", "x=1"),
        ("x=\"1\\\"\"", "x=\"1\","),
        ("# TYPE a_b counter\n", ""),
        ("# EOF", "a_b_total{x=\"1\\\"\"} 2\n# EOF"),
    ] {
        let text = whole.replacen(broken, instead, 1);
        assert!(std::panic::catch_unwind(|| parse(&text)).is_err(), "{text}");
    }
    let buckets = "# HELP h Words.\n# TYPE h histogram\nh_sum 1.5\nh_count 3\nh_bucket{le=\"1.0\"} 2\nh_bucket{le=\"+Inf\"} 3\n# EOF\n";
    assert_eq!(parse(buckets).value("h_count"), 3.0);
    let falling = buckets.replace("le=\"+Inf\"} 3", "le=\"+Inf\"} 1");
    assert!(std::panic::catch_unwind(|| parse(&falling)).is_err());
}
