//! Whether what `[admin]` says gives away more than it should.

use super::super::admin::HttpAt;
use super::super::source::Problems;
use super::super::tables::RoutingTable;

/// Tokens and callers' numbers do not go over a network in the clear.
pub fn http(table: &RoutingTable, problems: &mut Problems) {
    let Some(said) = table.admin.as_ref().and_then(|admin| admin.http.as_ref()) else { return };
    let HttpAt::At(at) = said.value else { return };
    if at.ip().to_canonical().is_loopback() {
        return;
    }
    problems
        .warning(
            "W1910",
            &said.spot,
            format!("HTTP 接口在 {at} 监听，不限于本机，也不加密"),
            format!("HTTP is served at {at}, to others than this machine, and in the clear"),
        )
        .effect(
            "同一网络上的人能看到令牌和来电人号码，凭令牌可以调取录音",
            "whoever is on that network sees tokens and callers' numbers, and with a token fetches recordings",
        )
        .remedy(
            "写 http = \"127.0.0.1:8345\"，由本机的 TLS 反向代理对外；确在隔离网段的可以保留",
            "write http = \"127.0.0.1:8345\" and put a TLS proxy on this machine in front of it; on a network that is set apart, leave it",
        );
}
