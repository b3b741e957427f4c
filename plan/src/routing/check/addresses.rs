//! Addresses of services that the engine calls: what stands in one, and what must not.

use std::net::IpAddr;

use super::super::source::{Problems, Said};
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

/// Whether an address carries an account, `https://user:password@host`: a secret that everybody sees who sees the file.
/// Noted, and blotted out.
pub fn has_account(url: &Said<String>, problems: &mut Problems) -> bool {
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
