//! Addresses of services that the engine calls: what stands in one, and what must not.

use std::net::IpAddr;

use super::super::script::is_near;
use super::super::source::{Problems, Said};
use super::super::tables::RoutingTable;
use super::super::trunk_values::host_name;

/// What stands between the scheme and the path.
fn authority(rest: &str) -> &str {
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// The host of what stands behind a scheme.
pub fn host(rest: &str) -> &str {
    let authority = authority(rest).rsplit('@').next().unwrap_or_default();
    match authority.strip_prefix('[').and_then(|six| six.split_once(']')) {
        Some((six, _)) => six,
        None => authority.split(':').next().unwrap_or_default(),
    }
}

/// Whether an address can be asked by HTTP: a host and, at most, a port; nothing that no request line holds (RFC 9112 §3).
pub fn is_http(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        return false;
    };
    let port = authority(rest).rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
    let is_host = host_name(host(rest)).is_some() || host(rest).parse::<IpAddr>().is_ok();
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic());
    is_host && is_plain && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// Whether what stands behind a scheme is an address of the public net.
pub fn is_far(rest: &str) -> bool {
    host(rest).parse::<IpAddr>().is_ok_and(|ip| !is_near(ip))
}

/// Parts of a query's names that stand for secrets.
const SECRETS: [&str; 8] = ["token", "secret", "passw", "pwd", "apikey", "api_key", "api-key", "access_key"];

/// Whether a name of a query stands for a secret. What is signed is told by a whole word, however it is joined to others:
/// `sign` is in `design` and `assigned` as well.
fn is_secret(name: &str) -> bool {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for letter in name.chars() {
        if !letter.is_ascii_alphanumeric() || (was_small && letter.is_ascii_uppercase()) {
            words.push(String::new());
        }
        was_small = letter.is_ascii_lowercase();
        if let Some(word) = words.last_mut().filter(|_| letter.is_ascii_alphanumeric()) {
            word.push(letter.to_ascii_lowercase());
        }
    }
    let is_signature =
        |word: &String| ["sign", "sig"].contains(&word.as_str()) || word.starts_with("signature");
    let name = name.to_ascii_lowercase();
    name == "key" || SECRETS.iter().any(|part| name.contains(part)) || words.iter().any(is_signature)
}

/// The name by which a query has a secret in it.
fn in_query(url: &str) -> Option<&str> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let mut pairs = query.split(['&', '#']).filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, value)| !value.is_empty() && is_secret(name)).map(|(name, _)| name)
}

/// All addresses that the file says of services, of sinks, feeds, the knowledge base, look-ups and bots: none has a secret
/// in its query.
pub fn queries(table: &RoutingTable, problems: &mut Problems) {
    let told = table.sinks.iter().map(|own| &own.url).chain(table.feeds.iter().map(|own| &own.url));
    let asked = table.kb.iter().map(|own| &own.url).chain(table.look_ups.iter().map(|own| &own.url));
    for url in told.chain(asked).chain(table.bots.iter().map(|own| &own.url)).flatten() {
        secret_in_query(url, problems);
    }
}

/// A secret in an address is in the file in plain text, and in the log of every proxy on the way.
fn secret_in_query(url: &Said<String>, problems: &mut Problems) {
    let Some(name) = in_query(url).map(str::to_ascii_lowercase) else { return };
    problems.blot_out(&url.spot);
    problems
        .error(
            "E1601",
            &url.spot,
            format!("{} 里有口令（{name}=…）", url.spot.key),
            format!("{} has a secret in it ({name}=…)", url.spot.key),
        )
        .effect(
            "看到这个文件、日志或沿途代理记录的人都能冒充引擎",
            "whoever sees this file, a log, or what a proxy on the way keeps could pass for the engine",
        )
        .remedy(
            "去掉地址里的口令，用 secret = { file = \"…\" } 签名；原口令已泄露，请更换",
            "take it out of the address and sign with secret = { file = \"…\" }; it has been seen: change it",
        );
}

/// Whether an address has a secret in it: whatever else is wrong with it is not noted, which would tell the address. An
/// account is noted here, a secret in the query by [`queries`].
pub fn has_secret(url: &Said<String>, problems: &mut Problems) -> bool {
    has_account(url, problems) || in_query(url).is_some()
}

/// Whether an address carries an account, `https://user:password@host`: a secret that everybody sees who sees the file.
/// Noted, and blotted out.
fn has_account(url: &Said<String>, problems: &mut Problems) -> bool {
    let found = url.split_once("://").is_some_and(|(_, rest)| authority(rest).contains('@'));
    if found {
        problems.blot_out(&url.spot);
        problems
            .error(
                "E0105",
                &url.spot,
                format!("{} 里有明文账号", url.spot.key),
                format!("{} holds an account in plain text", url.spot.key),
            )
            .effect(
                "凡能看到本文件的人都能冒用它，以热线的名义送工单、查市民的事",
                "whoever can read this file could use it: leave tickets and ask about citizens in the hotline's name",
            )
            .remedy(
                "去掉 @ 及其前面的部分，并更换该口令；对方凭 secret 认出引擎",
                "take out the @ and what stands before it, and change that password; the far end knows the engine by what \
                 secret signs",
            );
    }
    found
}

/// What an address without a cipher lets others read, unless it is on this machine: a warning of this code and effect.
pub fn in_the_clear(code: &'static str, url: &Said<String>, [zh, en]: [&str; 2], problems: &mut Problems) {
    let Some((scheme, rest)) = url.split_once("://") else { return };
    let host = host(rest);
    if !is_loopback(host) {
        problems
            .warning(
                code,
                &url.spot,
                format!("{scheme}:// 不加密，{host} 不在本机"),
                format!("{scheme}:// is in the clear, and {host} is not this machine"),
            )
            .effect(zh, en)
            .remedy(format!("改用 {scheme}s://"), format!("use {scheme}s://"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_asked_by_http_has_a_host_and_a_port_that_is_one() {
        for (url, wanted) in [
            ("https://tickets.example/hook?of=12345", true),
            ("http://127.0.0.1:8080", true),
            ("http://[::1]:8080/x", true),
            ("https://[::1]/x", true),
            ("https://", false),
            ("https:///x", false),
            ("ftp://tickets.example", false),
            ("tickets.example", false),
            ("https://ticke ts.example/", false),
            ("https://tickets.example/a b", false),
            ("https://tickets.example/濮阳", false),
            ("https://tickets.example:99999/", false),
            ("https://tickets.example:0/", false),
            ("https://tickets.example:/", false),
        ] {
            assert_eq!(is_http(url), wanted, "{url}");
        }
    }

    #[test]
    fn a_query_has_a_secret_where_a_name_in_it_says_so() {
        for (query, found) in [
            ("?token=1", true),
            ("?of=12345&access_token=1", true),
            ("?clientSecret=1", true),
            ("?sign=1", true),
            ("?SIGN=1", true),
            ("?appSign=1", true),
            ("?app_sign=1", true),
            ("?sig=1", true),
            ("?signature=1", true),
            ("?X-Amz-SignatureVersion=1", true),
            ("?key=1", true),
            ("?design=1", false),
            ("?assigned=1&signal=2", false),
            ("?monkey=1", false),
            ("?token=", false),
            ("?of=12345", false),
            ("", false),
            ("token=1", false),
        ] {
            assert_eq!(in_query(&format!("https://tickets.example/{query}")).is_some(), found, "{query}");
        }
    }

    #[test]
    fn the_host_of_an_address_is_told_from_its_port_and_its_user() {
        for (rest, expected, near) in [
            ("127.0.0.1:8080/ask", "127.0.0.1", true),
            ("[::1]:80", "::1", true),
            ("localhost", "localhost", true),
            ("localhost.example/", "localhost.example", false),
            ("127.0.0.1@evil.example/", "evil.example", false),
            ("cars.example?a=127.0.0.1", "cars.example", false),
            ("/path", "", false),
        ] {
            assert_eq!((host(rest), is_loopback(host(rest))), (expected, near), "{rest}");
        }
    }
}
