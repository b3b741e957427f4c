//! The values that a routing file can hold, each with its own complaint.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use toml::de::DeValue;

use super::admin::{Access, HttpAt, NOWHERE};
use super::diagnostic::{Diagnostic, Spot};
use super::nearest::nearest;
use super::plan::{
    DialledFrom, ForwardedIn, IpNet, Purpose, RecordingFormat, Released, SeatGreeting, SecretRef, Transport,
};
use super::read::{Node, Value, plain_secret, read_table, wrong_type};
use super::shape::{self, Form};
use super::source::{Problems, Said};
use super::tables::{AfterwardsWord, BenchWord, ModeWord, SinkWord};
use super::three_way::{CallerLeaves, ClerkLeaves, ThirdLeaves, Tones};
use super::trunk_terms::{Dtmf, Reliability, SessionTimer};
use super::written::{self, Written};

impl Value for String {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let text = text(node, "字符串（加引号）", "a string in quotes", problems)?;
        if text.trim().is_empty() {
            problems
                .error(
                    "E0107",
                    &node.spot,
                    format!("{} 不能为空", node.spot.key),
                    format!("{} must not be empty", node.spot.key),
                )
                .remedy("填写内容，或删去这一行", "fill it in, or remove the line");
            return None;
        }
        Some(text.to_owned())
    }

    fn form() -> Form {
        Form::pattern(r"\S")
    }

    fn written(&self) -> Option<Written> {
        Some(Written::Text(self.clone()))
    }
}

impl Value for bool {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let found = node.value.as_bool();
        if found.is_none() {
            wrong_type(node, " true 或 false", "true or false", problems);
        }
        found
    }

    fn written(&self) -> Option<Written> {
        Some(Written::Truth(*self))
    }
}

macro_rules! whole_number {
    ($($type:ty),*) => {$(
        impl Value for $type {
            fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
                let Some(integer) = node.value.as_integer() else {
                    wrong_type(node, "整数（不加引号）", "a whole number without quotes", problems);
                    return None;
                };
                let found = <$type>::from_str_radix(integer.as_str(), integer.radix()).ok();
                if found.is_none() {
                    out_of_range(&node.spot, &format!("{}–{}", <$type>::MIN, <$type>::MAX), problems);
                }
                found
            }

            fn form() -> Form {
                Form::bounds(<$type>::MIN, <$type>::MAX)
            }

            fn written(&self) -> Option<Written> {
                Some(Written::Whole(i64::from(*self)))
            }
        }
    )*};
}
whole_number!(u8, u16, u32, i16);

/// Notes a number or duration outside what makes sense; `range` is said in both languages.
pub fn out_of_range(spot: &Spot, range: &str, problems: &mut Problems) {
    problems
        .error(
            "E0107",
            spot,
            format!("{} 超出范围，应为 {range}", spot.key),
            format!("{} is out of range {range}", spot.key),
        )
        .remedy(format!("改为 {range} 之间的值"), format!("give a value in {range}"));
}

impl Value for Duration {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let found = node.value.as_str().and_then(duration);
        if !node.value.is_str() {
            problems.refuse("带单位的时长（如 \"20s\"）", "a duration with its unit, like \"20s\"");
        }
        if found.is_none() {
            let example = match node.value.as_integer() {
                Some(integer) => format!("\"{}s\"", integer.as_str()),
                None => "\"20s\"".to_owned(),
            };
            problems
                .error(
                    "E0106",
                    &node.spot,
                    format!("{} 应为带单位的时长", node.spot.key),
                    format!("{} wants a duration with its unit", node.spot.key),
                )
                .effect(
                    "没有单位就可能把秒当成毫秒，来电人会少等或多等一千倍",
                    "without a unit seconds may pass for milliseconds, and callers wait a thousand times too long or short",
                )
                .remedy(
                    format!("整数加单位 ms、s、min 或 h，如 {example}"),
                    format!("a whole number and ms, s, min or h, like {example}"),
                );
        }
        found
    }

    fn form() -> Form {
        Form::pattern("^[0-9]+(ms|s|min|h)$")
    }

    fn written(&self) -> Option<Written> {
        Some(Written::Text(written::duration(*self)))
    }
}

/// `250ms`, `20s`, `3min`, `4h`: digits and a unit, nothing between.
pub fn duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "min" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3_600).map(Duration::from_secs),
        _ => None,
    }
}

impl Value for Date {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let found = node.value.as_datetime().and_then(|found| {
            let date = found.date.filter(|_| found.time.is_none())?;
            let (year, month) = (i16::try_from(date.year).ok()?, i8::try_from(date.month).ok()?);
            Date::new(year, month, i8::try_from(date.day).ok()?).ok()
        });
        if found.is_none() {
            wrong_type(
                node,
                "日期（如 2021-08-01，不加引号）",
                "a date like 2021-08-01, without quotes",
                problems,
            );
        }
        found
    }

    fn form() -> Form {
        Form { format: Some("date"), ..Form::default() }
    }

    fn written(&self) -> Option<Written> {
        Some(Written::Moment(self.to_string()))
    }
}

/// The outline of an address and port; whether the figures make an address is for the check.
const ADDRESS_AND_PORT: &str = r"^([0-9.]+|\[[0-9A-Fa-f:.%]+\]):[0-9]+$";
const ADDRESS_AND_PORT_OR_NONE: &str = r"^(none|([0-9.]+|\[[0-9A-Fa-f:.%]+\]):[0-9]+)$";

impl Value for SocketAddr {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) =
            ("地址和端口（如 \"192.0.2.10:5060\"）", "an address and port like \"192.0.2.10:5060\"");
        let text = text(node, zh, en, problems)?;
        let found = text.parse().ok();
        if found.is_none() {
            malformed("E0108", node, zh, en, problems);
        }
        found
    }

    fn form() -> Form {
        Form::pattern(ADDRESS_AND_PORT)
    }

    fn written(&self) -> Option<Written> {
        Some(Written::Text(self.to_string()))
    }
}

impl Value for HttpAt {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        if node.value.as_str() == Some(NOWHERE) {
            return Some(HttpAt::Nowhere);
        }
        SocketAddr::read(node, problems).map(HttpAt::At)
    }

    fn form() -> Form {
        Form::pattern(ADDRESS_AND_PORT_OR_NONE)
    }

    fn written(&self) -> Option<Written> {
        Some(Written::Text(match self {
            HttpAt::At(at) => at.to_string(),
            HttpAt::Nowhere => NOWHERE.to_owned(),
        }))
    }
}

impl Value for IpAddr {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) = ("IP 地址（如 \"192.0.2.10\"）", "an IP address like \"192.0.2.10\"");
        let text = text(node, zh, en, problems)?;
        let found = text.parse().ok();
        if found.is_none() {
            malformed("E0108", node, zh, en, problems);
        }
        found
    }

    fn form() -> Form {
        Form::pattern("^[0-9A-Fa-f:.]+$")
    }
}

impl Value for IpNet {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) = (
            "网段（如 \"192.0.2.0/24\" 或 \"192.0.2.10\"）",
            "a net like \"192.0.2.0/24\" or \"192.0.2.10\"",
        );
        let text = text(node, zh, en, problems)?;
        let found = ip_net(text);
        if found.is_none() {
            malformed("E0109", node, zh, en, problems).effect(
                "分不清来电属于哪条中继，来电会被拒绝",
                "calls could not be matched to the trunk and would be refused",
            );
        }
        found
    }

    fn form() -> Form {
        Form::pattern("^[0-9A-Fa-f:.]+(/[0-9]+)?$")
    }
}

fn ip_net(text: &str) -> Option<IpNet> {
    let (addr, prefix) = match text.split_once('/') {
        Some((addr, prefix)) => (addr, Some(prefix)),
        None => (text, None),
    };
    let addr: IpAddr = addr.parse().ok()?;
    let bits = if addr.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => prefix.parse().ok()?,
        Some(_) => return None,
        None => bits,
    };
    (prefix <= bits).then_some(IpNet { addr, prefix })
}

impl Value for TimeZone {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) = ("时区名（如 \"Asia/Shanghai\"）", "a time zone like \"Asia/Shanghai\"");
        let text = text(node, zh, en, problems)?;
        let found = TimeZone::get(text).ok();
        if found.is_none() {
            let names: Vec<String> =
                jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
            malformed("E0110", node, zh, en, problems)
                .effect(
                    "过渡期的起止时刻无法确定",
                    "nobody could say at which instant the transition begins and ends",
                )
                .nearest(nearest(text, names.iter().map(String::as_str)));
        }
        found
    }
}

/// `20000-29999`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports(pub u16, pub u16);

impl Value for Ports {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) = ("端口范围（如 \"20000-29999\"）", "a range of ports like \"20000-29999\"");
        let text = text(node, zh, en, problems)?;
        let found = text
            .split_once('-')
            .and_then(|(first, last)| Some(Ports(first.trim().parse().ok()?, last.trim().parse().ok()?)));
        if found.is_none() {
            malformed("E0603", node, zh, en, problems);
        }
        found
    }

    fn form() -> Form {
        Form::pattern(r"^\s*\+?[0-9]+\s*-\s*\+?[0-9]+\s*$")
    }

    fn written(&self) -> Option<Written> {
        Some(Written::Text(format!("{}-{}", self.0, self.1)))
    }
}

impl Value for SecretRef {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) = (
            "口令引用（{ file = \"…\" } 或 { env = \"…\" }）",
            "a reference, { file = \"…\" } or { env = \"…\" }",
        );
        if node.value.is_str() {
            plain_secret(&node.spot, problems);
            return None;
        }
        let Some(table) = node.value.as_table() else {
            wrong_type(node, zh, en, problems);
            return None;
        };
        let (file, env) = read_table(table, node.spot.clone(), problems, |reader| {
            (reader.optional::<String>("file"), reader.optional::<String>("env"))
        });
        match (file, env) {
            (Some(file), None) => Some(SecretRef::File(file.value)),
            (None, Some(env)) => Some(SecretRef::Env(env.value)),
            _ => {
                malformed("E0103", node, zh, en, problems);
                None
            }
        }
    }
}

impl<T: Value> Value for Vec<Said<T>> {
    /// Reads every item, also behind a faulty one; an array with a faulty item is `None`.
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let Some(array) = node.value.as_array() else {
            wrong_type(node, "数组（如 [\"…\"]）", "an array like [\"…\"]", problems);
            return None;
        };
        if problems.describing.is_some() {
            shape::probe::<T>(&Spot { key: format!("{}[0]", node.spot.key), ..node.spot.clone() }, problems);
        }
        let items: Vec<Option<Said<T>>> = array
            .iter()
            .enumerate()
            .map(|(index, item)| {
                let node = Node {
                    value: item.get_ref(),
                    spot: Spot {
                        file: node.spot.file,
                        span: item.span(),
                        key: format!("{}[{index}]", node.spot.key),
                    },
                };
                let value = T::read(&node, problems)?;
                Some(Said { value, spot: node.spot })
            })
            .collect();
        items.into_iter().collect()
    }

    fn written(&self) -> Option<Written> {
        self.iter().map(|item| item.value.written()).collect::<Option<_>>().map(Written::List)
    }
}

macro_rules! choice {
    ($type:ty: $($word:literal => $value:expr),* $(,)?) => {
        impl Value for $type {
            fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
                one_of(node, &[$(($word, $value)),*], problems)
            }

            fn written(&self) -> Option<Written> {
                written_as(self, &[$(($word, $value)),*])
            }
        }
    };
}

choice!(Purpose: "live" => Purpose::Live, "bench" => Purpose::Bench);
choice!(AfterwardsWord: "connect" => AfterwardsWord::Connect, "release" => AfterwardsWord::Release);
choice!(Released: "number_changed" => Released::NumberChanged, "unallocated" => Released::Unallocated);
choice!(Transport: "udp" => Transport::Udp, "tcp" => Transport::Tcp, "tls" => Transport::Tls);
choice!(Access: "open" => Access::Open, "token" => Access::Token);
choice!(SeatGreeting: "both" => SeatGreeting::Both, "silent" => SeatGreeting::Silent);
choice!(Tones: "none" => Tones::None, "join" => Tones::Join, "join_leave" => Tones::JoinLeave);
choice!(ClerkLeaves: "keep" => ClerkLeaves::Keep, "end" => ClerkLeaves::End);
choice!(CallerLeaves: "end" => CallerLeaves::End, "keep" => CallerLeaves::Keep);
choice!(ThirdLeaves: "clerk" => ThirdLeaves::Clerk, "hold" => ThirdLeaves::Hold);
choice!(Dtmf: "auto" => Dtmf::Auto, "rfc4733" => Dtmf::Rfc4733, "inband" => Dtmf::Inband, "info" => Dtmf::Info);
choice!(Reliability:
    "supported" => Reliability::Supported,
    "required" => Reliability::Required,
    "off" => Reliability::Off,
);
choice!(SessionTimer: "supported" => SessionTimer::Supported, "off" => SessionTimer::Off);
choice!(RecordingFormat: "wav" => RecordingFormat::Wav, "flac" => RecordingFormat::Flac);
choice!(ModeWord:
    "primary" => ModeWord::Primary,
    "merged" => ModeWord::Merged,
    "dual" => ModeWord::Dual,
    "sub_center" => ModeWord::SubCenter,
    "bench" => ModeWord::Bench,
);
choice!(BenchWord:
    "silent" => BenchWord::Silent,
    "play_once" => BenchWord::PlayOnce,
    "play_forever" => BenchWord::PlayForever,
    "dial" => BenchWord::Dial,
);
choice!(SinkWord:
    "sqlite" => SinkWord::Sqlite,
    "jsonl" => SinkWord::Jsonl,
    "http" => SinkWord::Http,
);
choice!(DialledFrom:
    "request_uri" => DialledFrom::RequestUri,
    "history_info" => DialledFrom::HistoryInfo,
    "diversion" => DialledFrom::Diversion,
    "p_called_party_id" => DialledFrom::PCalledPartyId,
    "to" => DialledFrom::To,
);

choice!(ForwardedIn:
    "history_info" => ForwardedIn::HistoryInfo,
    "diversion" => ForwardedIn::Diversion,
);

/// The word for a value.
pub(super) fn written_as<T: PartialEq>(own: &T, words: &[(&str, T)]) -> Option<Written> {
    words.iter().find(|(_, value)| value == own).map(|(word, _)| Written::from(*word))
}

pub(super) fn one_of<T: Clone>(node: &Node<'_>, words: &[(&str, T)], problems: &mut Problems) -> Option<T> {
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let place = place_of(node, &names, problems)?;
    words.get(place).map(|(_, value)| value.clone())
}

/// Which of the words it is; notes where it is none.
fn place_of(node: &Node<'_>, names: &[&str], problems: &mut Problems) -> Option<usize> {
    if let Some(describing) = &mut problems.describing {
        describing.words(names);
    }
    let said = text(node, "字符串（加引号）", "a string in quotes", problems)?;
    if let Some(place) = names.iter().position(|word| *word == said) {
        return Some(place);
    }
    problems
        .error(
            "E0104",
            &node.spot,
            format!("{} 不能是 \"{said}\"", node.spot.key),
            format!("{} cannot be \"{said}\"", node.spot.key),
        )
        .effect(
            "引擎不猜测意图，整个文件不会启用",
            "the engine does not guess what was meant: the whole file is not used",
        )
        .remedy(format!("可以是: {}", names.join(", ")), format!("it can be: {}", names.join(", ")))
        .nearest(nearest(said, names.iter().copied()));
    None
}

/// The text of a string; notes where it is none.
pub(super) fn text<'d>(node: &Node<'d>, zh: &str, en: &str, problems: &mut Problems) -> Option<&'d str> {
    match node.value {
        DeValue::String(text) => Some(text),
        _ => {
            wrong_type(node, zh, en, problems);
            None
        }
    }
}

/// Notes a value of the right kind that means nothing.
pub(super) fn malformed<'p>(
    code: &'static str,
    node: &Node<'_>,
    zh: &str,
    en: &str,
    problems: &'p mut Problems,
) -> &'p mut Diagnostic {
    problems
        .error(
            code,
            &node.spot,
            format!("{} 不是{zh}", node.spot.key),
            format!("{} is not {en}", node.spot.key),
        )
        .remedy(format!("写成{zh}"), format!("write {en}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit_and_nothing_else() {
        for (text, millis) in [
            ("250ms", Some(250)),
            ("20s", Some(20_000)),
            ("3min", Some(180_000)),
            ("4h", Some(14_400_000)),
            ("0s", Some(0)),
            ("20", None),
            ("20 s", None),
            ("1.5s", None),
            ("-1s", None),
            ("+1s", None),
            ("s", None),
            ("20S", None),
            ("20sec", None),
            ("99999999999999999999s", None),
            ("18446744073709551615h", None),
        ] {
            assert_eq!(duration(text), millis.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn nets_have_a_prefix_that_fits_their_family() {
        for (text, prefix) in [
            ("192.0.2.0/24", Some(24)),
            ("192.0.2.1", Some(32)),
            ("::1", Some(128)),
            ("2001:db8::/32", Some(32)),
            ("192.0.2.0/33", None),
            ("192.0.2.0/", None),
            ("192.0.2.0/+8", None),
            ("example.com", None),
        ] {
            assert_eq!(ip_net(text).map(|net| net.prefix), prefix, "{text}");
        }
    }
}
