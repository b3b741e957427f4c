//! What `call` and `phone` have in common: their words on the command line and at the terminal.

use std::io::Write;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use crate::phone::SoundCount;
use crate::routing;

/// The port of SIP where none is given.
const SIP_PORT: u16 = 5060;

/// `--server`: an address or a name, with or without port; IPv4.
pub fn server(text: &str) -> Result<SocketAddr, String> {
    let found = match text.to_socket_addrs() {
        Ok(found) => Ok(found),
        Err(_) => (text, SIP_PORT).to_socket_addrs(),
    };
    let mut found = found.map_err(|error| format!("{error}"))?;
    found.find(SocketAddr::is_ipv4).ok_or_else(|| "需要 IPv4 地址 / an IPv4 address is needed".to_owned())
}

/// A span of time: `2s`, `250ms`, `1min`; a bare number is seconds.
pub fn span(text: &str) -> Result<Duration, String> {
    let seconds = || text.parse().ok().map(Duration::from_secs);
    routing::duration(text)
        .or_else(seconds)
        .ok_or_else(|| "时长，如 2s、500ms、1min / a time like 2s, 500ms, 1min".to_owned())
}

/// A line for the user. A reader that has gone (`| head`) ends nothing.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// A step of a call, with the seconds since its beginning.
pub fn step(elapsed: Duration, text: &str) {
    say(&format!("{:>8.2}s  {text}", elapsed.as_secs_f64()));
}

/// What a SIP status means to who hears it.
pub fn meaning(status: u16) -> &'static str {
    match status {
        400 => "请求有误 / bad request",
        401 | 407 => "口令不对 / wrong password",
        403 => "不允许 / forbidden",
        404 => "没有这个号码 / no such number",
        408 => "无应答 / no answer in time",
        410 => "号码已取消 / number retired",
        480 => "暂时无人 / nobody there now",
        486 | 600 => "忙 / busy",
        487 => "已取消 / taken back",
        488 | 606 => "没有共同的编码 / no codec in common",
        503 => "暂不接新呼叫 / no new calls now",
        603 => "拒接 / declined",
        500..=599 => "对方故障 / a fault over there",
        _ => "被拒 / refused",
    }
}

/// The packets of a call in one line.
pub fn packets(count: &SoundCount) -> String {
    format!(
        "收 {} 包，丢 {}；发 {} 包 / packets received {}, lost {}; sent {}",
        count.received, count.lost, count.sent, count.received, count.lost, count.sent
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_found_with_and_without_port() {
        assert_eq!(server("127.0.0.1"), Ok("127.0.0.1:5060".parse().unwrap()));
        assert_eq!(server("127.0.0.1:5070"), Ok("127.0.0.1:5070".parse().unwrap()));
        assert!(server("[::1]:5060").unwrap_err().contains("IPv4"));
    }

    #[test]
    fn a_bare_number_is_seconds() {
        assert_eq!(span("3"), Ok(Duration::from_secs(3)));
        assert_eq!(span("250ms"), Ok(Duration::from_millis(250)));
        assert!(span("soon").is_err() && span("").is_err());
    }
}
