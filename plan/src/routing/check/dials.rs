//! What the engine writes into its own messages: numbers that it dials at a far side, and its own name.

use super::super::rewrite::DIGITS_MAX;
use super::super::source::{Problems, Said};
use super::super::tables::RoutingTable;
use super::super::trunk_values::host_name;

/// Whether a telephone network takes a number: digits and keys, a `+` in front at most.
fn can_be_dialled(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or(number);
    (1..=DIGITS_MAX).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'#'))
}

/// `dial` of lines, departments and emergency peers.
pub fn dials(table: &RoutingTable, problems: &mut Problems) {
    let lines = table.numbers.iter().map(|line| &line.dial);
    let departments = table.asked().map(|department| &department.dial);
    let peers = table.emergencies.iter().map(|peer| &peer.dial);
    for said in lines.chain(departments).chain(peers).flatten().filter(|said| !can_be_dialled(said)) {
        problems
            .error(
                "E0640",
                &said.spot,
                format!("\"{}\" 不是能拨的号码", said.value),
                format!("\"{}\" is no number that can be dialled", said.value),
            )
            .effect(
                "转往那里的呼叫全部失败，要到有人求助时才会发现",
                "every call that is put through there would fail, which shows only when somebody needs it",
            )
            .remedy(
                format!("只写半角数字、* 和 #，前面可以有 +，至多 {DIGITS_MAX} 位，如 \"039312366\""),
                format!("plain digits, * and #, with a + in front at most, up to {DIGITS_MAX} of them, like \"039312366\""),
            );
    }
}

/// `network.domain`: the host of our own addresses in From and Contact (RFC 3261 §25.1, `host`).
pub fn domain(table: &RoutingTable, problems: &mut Problems) {
    let said: Option<&Said<String>> = table.network.as_ref().and_then(|network| network.domain.as_ref());
    let is_six = |text: &str| text.parse::<std::net::Ipv6Addr>().is_ok();
    let bracketed =
        |text: &str| text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(is_six);
    let Some(said) = said.filter(|said| host_name(said).is_none() && !bracketed(said)) else { return };
    problems
        .error(
            "E0641",
            &said.spot,
            format!("{:?} 不是主机名", said.value),
            format!("{:?} is no host name", said.value),
        )
        .effect(
            "本引擎发出的每个 From、Call-ID 都不合规范，对端会拒绝呼叫",
            "every From and Call-ID of this engine would be malformed, and far ends would refuse its calls",
        )
        .remedy(
            "写主机名或地址，如 \"hotline.puyang.example\"",
            "give a host name or an address, like \"hotline.puyang.example\"",
        );
}
