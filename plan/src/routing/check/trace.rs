//! Whether what `[trace]` says can be done, and what it gives away.

use std::net::IpAddr;
use std::time::Duration;

use super::super::source::Problems;
use super::super::tables::RoutingTable;
use super::super::values::out_of_range;
use super::misplaced;

/// Shorter, and a call is forgotten before it ends.
const KEEP_MIN: Duration = Duration::from_secs(60);
/// Longer, and messages with citizens' numbers are kept for no purpose that a trace has.
const KEEP_MAX: Duration = Duration::from_secs(30 * 24 * 3_600);
/// A trace is an aid, not an archive: 16 GiB.
const KEEP_MIB_MAX: u32 = 16_384;

pub fn trace(table: &RoutingTable, problems: &mut Problems) {
    let Some(trace) = &table.trace else { return };
    let off = trace.enabled.as_ref().is_some_and(|said| !said.value);
    if let Some(keep) = &trace.keep
        && !(KEEP_MIN..=KEEP_MAX).contains(&keep.value)
    {
        out_of_range(&keep.spot, "\"1min\"–\"720h\"", problems);
    }
    if let Some(mib) = &trace.keep_mib
        && !(1..=KEEP_MIB_MAX).contains(&mib.value)
    {
        out_of_range(&mib.spot, &format!("1–{KEEP_MIB_MAX}"), problems);
    }
    if let Some(id) = trace.capture_id.as_ref().filter(|_| trace.hep.is_none()) {
        misplaced(&id.spot, "[trace]（没有 hep / without hep）", problems);
    }
    let Some(hep) = &trace.hep else { return };
    if off {
        return misplaced(&hep.spot, "enabled = false", problems);
    }
    let ip = hep.value.ip().to_canonical();
    let network = table.network.as_ref().and_then(|network| network.listen.as_ref());
    let own = network
        .into_iter()
        .flat_map(|said| &said.value)
        .any(|listener| listener.bind == hep.value && hep.value.port() != 0);
    if own || hep.value.port() == 0 || ip.is_unspecified() || ip.is_multicast() {
        problems
            .error(
                "E0801",
                &hep.spot,
                format!("{} 不是信令采集器的地址", hep.value),
                format!("{} is no address of a collector", hep.value),
            )
            .effect("采集器收不到一条信令", "the collector would receive no message")
            .remedy(
                "写采集器的地址和端口，如 \"192.0.2.9:9060\"",
                "give the collector's address and port, like \"192.0.2.9:9060\"",
            );
    } else if !is_inside(ip) {
        problems
            .warning(
                "W0107",
                &hep.spot,
                format!("信令副本将明文发往内网之外的 {ip}"),
                format!("copies of all signalling go to {ip}, outside of private networks, unencrypted"),
            )
            .effect("来电人的号码会在公网上被人看到", "callers' numbers could be read on the way")
            .remedy(
                "把采集器放在内网，或经专线、隧道到达",
                "keep the collector in a private network, or reach it through a tunnel",
            );
    }
}

/// Loopback, private, link-local or documentation addresses: nothing that a public network routes.
fn is_inside(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_documentation(),
        IpAddr::V6(ip) => {
            let first = ip.segments()[0];
            let is_documentation = first == 0x2001 && ip.segments()[1] == 0x0db8;
            ip.is_loopback() || first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80 || is_documentation
        }
    }
}
