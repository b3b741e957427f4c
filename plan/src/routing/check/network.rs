//! Addresses, ports and trunks, and where tickets go.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::super::diagnostic::Spot;
use super::super::plan::{IpNet, Listener, Transport, TrunkTarget};
use super::super::source::{Problems, Said};
use super::super::tables::{RoutingTable, SinkTable, SinkWord, TrunkTable};
use super::super::values::out_of_range;
use super::addresses::{has_secret, in_the_clear, is_http};
use super::{misplaced, needed, references};

/// Ports that one call takes: caller and seat, each RTP and RTCP.
const PORTS_A_CALL: u32 = 4;
/// Below lie the ports of the system.
const PORT_MIN: u16 = 1_024;
/// A shorter timer is refused by peers that keep to RFC 4028 §5.
pub(super) const SESSION_EXPIRES_MIN: Duration = Duration::from_secs(90);
/// No call lasts longer.
pub(super) const SESSION_EXPIRES_MAX: Duration = Duration::from_secs(24 * 3_600);
/// Calls at once where the file does not say it.
const CALLS_MAX: u32 = 1_200;

/// SIP is received somewhere, and others can answer there.
pub fn listeners(table: &RoutingTable, problems: &mut Problems) {
    let Some(listen) = table.network.as_ref().and_then(|network| network.listen.as_ref()) else {
        return;
    };
    if listen.value.is_empty() {
        problems
            .error("E0608", &listen.spot, "listen 是空的", "listen is empty")
            .effect("引擎收不到任何呼叫", "the engine would receive no call at all")
            .remedy("写上地址，如 [\"192.0.2.10:5060\"]", "give an address, like [\"192.0.2.10:5060\"]");
    }
    for listener in &listen.value {
        let ip = listener.bind.ip();
        if !table.is_live() && !ip.to_canonical().is_loopback() {
            problems
                .error(
                    "E0604",
                    &listener.spot,
                    format!("压测方案只能在本机回环地址上运行，不能用 {ip}"),
                    format!("a bench plan runs on loopback only, not on {ip}"),
                )
                .effect(
                    "压测号码没有人接听，也不验证来电人，不能暴露在网络上",
                    "bench lines have no person behind them and must not be open to a network",
                )
                .remedy("改为 127.0.0.1 或 [::1]", "use 127.0.0.1 or [::1]");
        } else if ip.is_unspecified() && listener.advertise.is_none() {
            problems
                .error(
                    "E0607",
                    &listener.spot,
                    format!("{ip} 不是别人能回应的地址，又没有 advertise"),
                    format!("{ip} is no address that others could answer to, and there is no advertise"),
                )
                .effect(
                    "来电能振铃，却没有声音，也挂不断",
                    "calls would ring but have no sound and could not be ended",
                )
                .remedy(
                    "写网卡的地址，或用 { bind = \"…\", advertise = \"…\" }",
                    "give the interface's own address, or { bind = \"…\", advertise = \"…\" }",
                );
        }
    }
}

/// A session timer as RFC 4028 §5 allows it: in whole seconds, and not below what it sets as the least.
pub fn session_expires(table: &RoutingTable, problems: &mut Problems) {
    let said = table.network.as_ref().and_then(|network| network.session_expires.as_ref());
    let range = SESSION_EXPIRES_MIN..=SESSION_EXPIRES_MAX;
    if let Some(said) = said.filter(|said| !range.contains(&said.value) || said.value.subsec_nanos() > 0) {
        out_of_range(&said.spot, "\"90s\"–\"24h\"", problems);
    }
}

/// RTP has pairs of ports enough for the calls, apart from SIP.
pub fn rtp_ports(table: &RoutingTable, problems: &mut Problems) {
    let Some(network) = &table.network else {
        return;
    };
    let Some(ports) = &network.rtp_ports else {
        return;
    };
    let (first, last) = (ports.value.0, ports.value.1);
    if first % 2 != 0 || last % 2 != 1 || first >= last || first < PORT_MIN {
        problems
            .error(
                "E0603",
                &ports.spot,
                format!("RTP 端口范围 {first}-{last} 不是从偶数到奇数（且不小于 {PORT_MIN}）"),
                format!("the RTP range {first}-{last} does not run from even to odd (from {PORT_MIN} on)"),
            )
            .effect(NO_SOUND.0, NO_SOUND.1)
            .remedy(
                "第一个为偶数，最后一个为奇数，每路通话留 4 个端口，如 \"20000-29999\"",
                "even first, odd last, 4 ports for each call, like \"20000-29999\"",
            );
        return;
    }
    let listeners = network.listen.iter().flat_map(|said| &said.value);
    let heard = listeners.filter(|listener| listener.transport == Transport::Udp);
    let heard: Vec<u16> = heard.map(|listener| listener.bind.port()).collect();
    for port in heard.iter().filter(|port| (first..=last).contains(port)) {
        let free =
            FREE_RANGES.iter().find(|(from, to)| !heard.iter().any(|port| (*from..=*to).contains(port)));
        let (from, to) = free.unwrap_or(&FREE_RANGES[0]);
        problems
            .error(
                "E0603",
                &ports.spot,
                format!("SIP 端口 {port} 落在 RTP 端口范围 {first}-{last} 内"),
                format!("the SIP port {port} lies in the RTP range {first}-{last}"),
            )
            .effect(
                "两者抢同一个端口：引擎起不来，或者有的来电没有声音",
                "both want one port: the engine would not start, or some calls would have no sound",
            )
            .remedy(
                format!("写 rtp_ports = \"{from}-{to}\"，或给 listen 换一个范围以外的端口"),
                format!("write rtp_ports = \"{from}-{to}\", or give listen a port outside of the range"),
            );
    }
    let limits = table.limits.as_ref();
    let calls = match limits.map(|limits| &limits.calls_max) {
        Some(Some(said)) => said.value,
        Some(None) => return, // Said wrongly, and noted.
        None => CALLS_MAX,
    };
    let room = (u32::from(last - first) + 1) / PORTS_A_CALL;
    if room < calls {
        problems
            .error(
                "E0603",
                &ports.spot,
                format!("RTP 端口 {first}-{last} 只够 {room} 路通话，少于 calls_max = {calls}"),
                format!(
                    "the RTP ports {first}-{last} suffice for {room} calls, fewer than calls_max = {calls}"
                ),
            )
            .effect(NO_SOUND.0, NO_SOUND.1)
            .remedy(
                format!("每路通话留 4 个端口，把范围放宽，或写 calls_max = {room}"),
                format!("4 ports for each call: make the range wider, or write calls_max = {room}"),
            );
    }
}

const NO_SOUND: (&str, &str) = (
    "端口用尽后，新的来电没有声音通道，只能拒绝",
    "once ports run out, new calls have no way for their sound and are refused",
);

/// Ranges that are put forward: of them one is away from any SIP port.
const FREE_RANGES: [(u16, u16); 3] = [(20_000, 29_999), (30_000, 39_999), (40_000, 49_999)];

/// Trunks lead somewhere or come from somewhere, and no two from the same place.
pub fn trunks(table: &RoutingTable, problems: &mut Problems) {
    let mut nets: Vec<&Said<IpNet>> = Vec::new();
    for trunk in &table.trunks {
        ends(trunk, table, problems);
        drill(trunk, problems);
        let sources = trunk.sources.iter().flat_map(|said| &said.value);
        for net in sources {
            wide(net, problems);
            if let Some(other) = nets.iter().find(|other| other.value == net.value) {
                problems
                    .error(
                        "E0606",
                        &net.spot,
                        "两条中继的来源网段相同",
                        "two trunks have the same source net",
                    )
                    .effect("分不清来电属于哪条中继", "calls could not be told apart by trunk")
                    .remedy("只留在一条中继里", "keep it in one of them")
                    .related(&other.spot, "第一次", "first");
            }
            nets.push(net);
        }
        if table.is_live() {
            trying_out(trunk, problems);
        }
    }
}

/// Whoever is in a trunk's nets is believed to be that trunk.
fn wide(net: &Said<IpNet>, problems: &mut Problems) {
    let addr = net.addr.to_canonical();
    let (is_six, least) = (addr.is_ipv6(), if addr.is_ipv6() { PUBLIC_SIX_MIN } else { PUBLIC_FOUR_MIN });
    let said = format!("{}/{}", net.addr, net.prefix);
    if net.prefix == 0 || addr.is_multicast() {
        problems
            .error(
                "E0642",
                &net.spot,
                format!("{said} 不是一家运营商的网段"),
                format!("{said} is no net of one carrier"),
            )
            .effect(
                "全世界任何人都会被当作这条中继，可以冒充任何号码来电、占满线路",
                "anybody in the world would pass for this trunk, call in any name and fill its lines",
            )
            .remedy(
                "写运营商通知的信令地址或网段，如 \"198.51.100.0/28\"",
                "give the signalling addresses that the carrier has told you, like \"198.51.100.0/28\"",
            );
    } else if net.prefix < least && !is_private(addr, net.prefix) {
        let kind = if is_six { "IPv6" } else { "IPv4" };
        problems
            .warning(
                "W0119",
                &net.spot,
                format!("{said} 是很大的公共网段（{kind} 前缀短于 /{least}）"),
                format!("{said} is a very large public net (shorter than /{least} of {kind})"),
            )
            .effect("网段里任何主机都会被当作这条中继", "every host in it would pass for this trunk")
            .remedy(
                "写运营商通知的信令地址；是 /28 误写的，改正",
                "give the carrier's signalling addresses; where /28 was meant, correct it",
            );
    }
}

/// Whether a whole net is of addresses that no stranger has: RFC 1918, 6598, 4193, loopback and link-local.
fn is_private(addr: IpAddr, prefix: u8) -> bool {
    PRIVATE.iter().any(|(net, bits)| {
        prefix >= *bits && net.parse().is_ok_and(|net| IpNet { addr: net, prefix: *bits }.contains(addr))
    })
}

const PRIVATE: [(&str, u8); 9] = [
    ("10.0.0.0", 8),
    ("172.16.0.0", 12),
    ("192.168.0.0", 16),
    ("100.64.0.0", 10),
    ("127.0.0.0", 8),
    ("169.254.0.0", 16),
    ("fc00::", 7),
    ("fe80::", 10),
    ("::1", 128),
];
/// Shorter prefixes of public nets hold more than any one carrier's signalling.
const PUBLIC_FOUR_MIN: u8 = 16;
const PUBLIC_SIX_MIN: u8 = 32;

/// No trunk leads back to our own door: its calls would go round until every port is taken. Of names only those are
/// known that never are another machine's; the others are judged when they are looked up.
pub fn circles(table: &RoutingTable, problems: &mut Problems) {
    let listen = table.network.iter().filter_map(|network| network.listen.as_ref());
    let listen: Vec<&Said<Listener>> = listen.flat_map(|said| &said.value).collect();
    let domain = table.network.as_ref().and_then(|network| network.domain.as_ref());
    for target in table.trunks.iter().filter_map(|trunk| trunk.target.as_ref()).flat_map(|said| &said.value.0)
    {
        let is_domain = target.value.ip().is_none()
            && domain.is_some_and(|said| said.value.eq_ignore_ascii_case(&target.value.host));
        let reaches = |own: &&&Said<Listener>| {
            own_addresses(&target.value).any(|address| reaches(own, address))
                || is_domain && target.value.port.is_none_or(|port| port == own.bind.port())
        };
        let Some(own) = listen.iter().find(reaches) else { continue };
        let address = target.value.address().map_or_else(|| target.value.host.clone(), |at| at.to_string());
        problems
            .error(
                "E0610",
                &target.spot,
                format!("中继通向本引擎自己的地址 {address}"),
                format!("the trunk leads back to this engine's own address {address}"),
            )
            .effect(
                "转往那里的来电在本机兜圈子，直到端口用尽",
                "calls that are put through to it would go round in circles until the ports run out",
            )
            .remedy("填对端的地址", "give the peer's address")
            .related(&own.spot, "本引擎在这里收呼叫", "this engine listens here");
    }
}

/// The addresses of a target that are known without asking anybody: as it is written, or those of `localhost`
/// (RFC 6761 §6.3).
fn own_addresses(target: &TrunkTarget) -> impl Iterator<Item = SocketAddr> {
    let host = target.host.trim_end_matches('.').to_ascii_lowercase();
    let local = host == "localhost" || host.ends_with(".localhost");
    let port = target.port.unwrap_or(if target.is_tls() { 5061 } else { 5060 });
    let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    let named = loopback.into_iter().filter(move |_| local).map(move |ip| SocketAddr::new(ip, port));
    target.address().into_iter().chain(named)
}

/// Whether what is sent to `target` comes in at a listener.
fn reaches(listener: &Listener, target: SocketAddr) -> bool {
    let (own, ip) = (listener.bind.ip().to_canonical(), target.ip().to_canonical());
    let same_host = own == ip
        || listener.advertise.is_some_and(|advertised| advertised.to_canonical() == ip)
        || own.is_unspecified() && ip.is_loopback();
    same_host && listener.bind.port() == target.port() && target.port() != 0
}

fn ends(trunk: &TrunkTable, table: &RoutingTable, problems: &mut Problems) {
    let Some(name) = &trunk.name else { return };
    let Some(sources) = &trunk.sources else {
        return;
    };
    let dialled = references::dialled_trunks(table).find(|said| said.value == name.value);
    let target = trunk.target.is_some();
    let absent = Spot { key: format!("{}.target", trunk.spot.key), ..name.spot.clone() };
    if sources.value.is_empty() && trunk.certificate.is_none() && !target && dialled.is_none() {
        problems
            .error(
                "E0601",
                &absent,
                format!("中继 \"{}\" 既无 sources 也无 target", name.value),
                format!("the trunk \"{}\" has neither sources nor target", name.value),
            )
            .effect("它既收不到来电，也打不出去", "it could neither receive calls nor carry any")
            .remedy(
                "来电方向加 sources，去电方向加 target",
                "add sources for calls from it, target for calls to it",
            );
    }
    if let Some(dialled) = dialled.filter(|_| !target) {
        problems
            .error(
                "E0602",
                &absent,
                format!("中继 \"{}\" 要用来呼出，却没有 target", name.value),
                format!("calls are sent to the trunk \"{}\", which has no target", name.value),
            )
            .effect("转往那里的来电全部失败", "every call that is put through to it would fail")
            .remedy("加上 target = \"地址:端口\"", "add target = \"address:port\"")
            .related(&dialled.spot, "用在这里", "used here");
    }
    let asked = trunk.dialled_from.as_ref();
    if let Some(asked) = asked.filter(|said| said.value.is_empty() && !sources.value.is_empty()) {
        problems
            .error("E0608", &asked.spot, "dialled_from 是空的", "dialled_from is empty")
            .effect(
                "从这条中继来的呼叫找不到所拨号码，全部被拒绝",
                "no call from the trunk would have a dialled number; all would be refused",
            )
            .remedy("至少写 [\"request_uri\"]", "write at least [\"request_uri\"]");
    }
}

fn drill(trunk: &TrunkTable, problems: &mut Problems) {
    let Some(drill) = trunk.drill.as_ref().filter(|said| said.value) else {
        return;
    };
    let real =
        |target: &&Said<TrunkTarget>| !target.value.ip().is_some_and(|ip| ip.to_canonical().is_loopback());
    if let Some(target) = trunk.target.iter().flat_map(|said| &said.value.0).find(real) {
        problems
            .error(
                "E0605",
                &target.spot,
                "演练中继的 target 不是本机地址",
                "the target of a drill trunk is not on this machine",
            )
            .effect(
                "演练时会真的打到对方，可能占用紧急热线",
                "a drill would call somebody real, perhaps an emergency line",
            )
            .remedy(
                "演练时用 \"127.0.0.1:9\"；正式开通时改为 drill = false",
                "use \"127.0.0.1:9\" for drills; once it is real, write drill = false",
            )
            .related(&drill.spot, "演练", "drill");
        return;
    }
    let name = trunk.name.as_ref().map_or("?", |said| said.value.as_str());
    problems
        .warning(
            "W0102",
            &drill.spot,
            format!("中继 \"{name}\" 处于演练模式，不通向任何真实对端"),
            format!("the trunk \"{name}\" is in drill mode and leads to nobody real"),
        )
        .effect("转往那里的来电按无人接听处理", "calls that are put through to it end as unanswered")
        .remedy(
            "正式开通前，填写对端 target 并改为 drill = false",
            "before going live, give the peer's target and write drill = false",
        );
}

fn trying_out(trunk: &TrunkTable, problems: &mut Problems) {
    let sources = trunk.sources.iter().flat_map(|said| &said.value);
    let loopback: Option<&Said<IpNet>> =
        sources.into_iter().find(|net| net.addr.to_canonical().is_loopback());
    let Some(net) = loopback else { return };
    problems
        .warning(
            "W0101",
            &net.spot,
            "中继信任本机回环地址，仅供试用",
            "the trunk trusts loopback, which is for trying out",
        )
        .effect(
            "本机任何程序都能冒充运营商来电",
            "any program on this machine can call in the carrier's name",
        )
        .remedy(
            "正式开通前，改为运营商通知的信令网段",
            "before going live, put the carrier's signalling nets here",
        );
}

/// Tickets go somewhere, and each adapter has the keys that it needs.
pub fn sinks(table: &RoutingTable, problems: &mut Problems) {
    if table.is_live() && table.sinks.is_empty() {
        let spot = Spot { key: "ticket_sink".to_owned(), ..table.spot.clone() };
        problems
            .error("E0701", &spot, "没有工单去处", "tickets go nowhere")
            .effect(
                "来电没有工单，诉求无人办理",
                "calls would leave no ticket, and nobody would handle the matter",
            )
            .remedy(
                "加上 [[ticket_sink]]，name = \"store\"，kind = \"sqlite\"",
                "add [[ticket_sink]] with name = \"store\" and kind = \"sqlite\"",
            );
    }
    for sink in &table.sinks {
        keys_of(sink, problems);
    }
    let mut paths = references::Seen::default();
    let files = table.sinks.iter().map(|sink| &sink.path).chain(table.feeds.iter().map(|feed| &feed.path));
    for path in files.flatten() {
        let earlier = paths.before(path);
        if earlier.is_some() || is_ours(path) {
            let note = problems
                .error(
                    "E0703",
                    &path.spot,
                    format!("\"{}\" 已有别的用处", path.value),
                    format!("\"{}\" is used for something else", path.value),
                )
                .effect(
                    "两样东西写进同一个文件，工单和数据都会损坏",
                    "two things would be written into one file, and tickets and data be spoilt",
                )
                .remedy(
                    "另起一个文件名，如 \"tickets.jsonl\"",
                    "choose another name, like \"tickets.jsonl\"",
                );
            if let Some(earlier) = earlier {
                note.related(earlier, "第一次", "first");
            }
        }
    }
}

/// Whether the engine keeps something else under this name in its data directory.
fn is_ours(path: &str) -> bool {
    let first = path.trim_start_matches("./").split('/').next().unwrap_or_default();
    first.starts_with("hotline.db") || OURS.contains(&first)
}

/// What lies in the data directory beside the database.
const OURS: [&str; 5] = ["lock", "plans", "recordings", "secrets", "trace"];

fn keys_of(sink: &SinkTable, problems: &mut Problems) {
    let Some(kind) = &sink.kind else { return };
    let (choice, path, hook) = match kind.value {
        SinkWord::Sqlite => ("kind = \"sqlite\"", false, false),
        SinkWord::Jsonl => ("kind = \"jsonl\"", true, false),
        SinkWord::Http => ("kind = \"http\"", false, true),
    };
    let keys = [
        ("path", sink.path.as_ref().map(|said| &said.spot), path),
        ("url", sink.url.as_ref().map(|said| &said.spot), hook),
        ("secret", sink.secret.as_ref().map(|said| &said.spot), hook),
    ];
    for (key, said, wanted) in keys {
        match said {
            None if wanted => needed(&sink.spot, key, choice, problems),
            Some(spot) if !wanted => misplaced(spot, choice, problems),
            _ => {}
        }
    }
    let Some(url) = sink.url.as_ref().filter(|_| hook) else {
        return;
    };
    if has_secret(url, problems) {
        return;
    }
    if !is_http(url) {
        problems
            .error(
                "E0702",
                &url.spot,
                format!("\"{}\" 不是 http 地址", url.value),
                format!("\"{}\" is no http address", url.value),
            )
            .effect("工单送不出去，会一直积压", "tickets could not be delivered and would pile up")
            .remedy("写成 \"https://主机/路径\"", "write \"https://host/path\"");
    } else if url.starts_with("http://") {
        in_the_clear(
            "W0701",
            url,
            [
                "途中的人能看到每张工单：谁来电、什么事、找的谁",
                "whoever is on the way can read every ticket: who called, why, and whom",
            ],
            problems,
        );
    }
}
