//! What listeners speak, and the certificates that this takes. Whether the files hold what they
//! should is found at start, by who reads them.

use super::super::plan::{Listener, Transport};
use super::super::read::plain_secret;
use super::super::source::{Problems, Said};
use super::super::tables::RoutingTable;

fn all(table: &RoutingTable) -> impl Iterator<Item = &Said<Listener>> {
    let listen = table.network.iter().filter_map(|network| network.listen.as_ref());
    listen.flat_map(|said| &said.value)
}

/// No two listeners want the same port, and only TLS asks for certificates.
pub fn listeners(table: &RoutingTable, problems: &mut Problems) {
    let has_ca = table.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
    let mut before: Vec<&Said<Listener>> = Vec::new();
    for listener in all(table) {
        let datagrams = |other: &Listener| other.transport == Transport::Udp;
        let same = |other: &&&Said<Listener>| {
            let other = &other.value;
            other.bind == listener.bind && datagrams(other) == datagrams(&listener.value)
        };
        if let Some(first) = before.iter().find(same).filter(|_| listener.bind.port() != 0) {
            problems
                .error(
                    "E0620",
                    &listener.spot,
                    format!("两处监听同一个地址 {}", listener.bind),
                    format!("two listeners want {}", listener.bind),
                )
                .effect("引擎无法启动", "the engine could not start")
                .remedy("删去一处，或换一个端口", "remove one, or give it another port")
                .related(&first.spot, "第一次", "first");
        }
        let asks = listener.client_certificate == Some(true);
        if asks && (listener.transport != Transport::Tls || !has_ca) {
            problems
                .error(
                    "E0621",
                    &listener.spot,
                    "要求对方出示证书，须用 tls，并在 [tls] 下写 client_ca",
                    "asking for client certificates takes tls and a client_ca under [tls]",
                )
                .effect("无从查验对方的证书", "there would be nothing to check a certificate against")
                .remedy(
                    "加上 client_ca = \"签发机构.pem\"，或去掉 client_certificate",
                    "add client_ca = \"authority.pem\", or remove client_certificate",
                );
        }
        before.push(listener);
    }
}

/// A TLS listener has a certificate, and a certificate its key, which is never in the file itself.
pub fn certificates(table: &RoutingTable, problems: &mut Problems) {
    let tls = table.tls.as_ref();
    if let Some(key) = tls.and_then(|tls| tls.key.as_ref()).filter(|key| key.contains("-----BEGIN")) {
        plain_secret(&key.spot, problems);
    }
    let certificate = tls.and_then(|tls| tls.certificate.as_ref());
    let key = tls.and_then(|tls| tls.key.as_ref());
    if let (Some(lone), None) | (None, Some(lone)) = (certificate, key) {
        problems
            .error(
                "E0622",
                &lone.spot,
                "证书 certificate 和私钥 key 须成对写",
                "certificate and key belong together",
            )
            .effect("没有一对证书和私钥就不能用 TLS", "there is no TLS without the pair")
            .remedy(
                "在 [tls] 下写上 certificate = \"….pem\" 和 key = \"….key\"",
                "give certificate = \"….pem\" and key = \"….key\" under [tls]",
            );
        return;
    }
    for listener in all(table).filter(|listener| listener.transport == Transport::Tls) {
        if certificate.is_none() {
            problems
                .error("E0623", &listener.spot, "tls 监听没有证书", "a tls listener without a certificate")
                .effect("没有人能连上它", "nobody could connect to it")
                .remedy(
                    "在 [tls] 下写上 certificate = \"….pem\" 和 key = \"….key\"",
                    "give certificate = \"….pem\" and key = \"….key\" under [tls]",
                );
        }
    }
}

/// A trunk that is known by its certificate can show it somewhere, and no other shows the same.
pub fn trunks(table: &RoutingTable, problems: &mut Problems) {
    let has_ca = table.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
    let asks = |listener: &Said<Listener>| {
        listener.transport == Transport::Tls && has_ca && listener.client_certificate != Some(false)
    };
    let shown = all(table).any(asks);
    let mut before: Vec<&Said<String>> = Vec::new();
    for said in table.trunks.iter().filter_map(|trunk| trunk.certificate.as_ref()) {
        if !shown {
            problems
                .error(
                    "E0624",
                    &said.spot,
                    "没有要求对方出示证书的 tls 监听，认不出这条中继",
                    "no tls listener asks for certificates by which the trunk could be known",
                )
                .effect("从它来的呼叫会被拒绝", "calls from it would be refused")
                .remedy(
                    "在 listen 里加 \"tls:…\"，在 [tls] 下写 client_ca",
                    "add \"tls:…\" to listen, and client_ca under [tls]",
                );
        }
        if let Some(first) = before.iter().find(|other| other.eq_ignore_ascii_case(said)) {
            problems
                .error(
                    "E0625",
                    &said.spot,
                    "两条中继的证书名相同",
                    "two trunks have the same certificate name",
                )
                .effect("分不清来电属于哪条中继", "calls could not be told apart by trunk")
                .remedy("只留在一条中继里", "keep it in one of them")
                .related(&first.spot, "第一次", "first");
        }
        before.push(said);
    }
}
