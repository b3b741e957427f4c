//! One question to DNS by hickory, and its answer in the words of RFC 3263.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::runtime::Handle;

use crate::sip::locate::{Answer, Naptr, Question, Srv};

/// One try at one server; two are made.
const TRY: Duration = Duration::from_secs(2);

/// The name servers; without any, every question fails.
#[derive(Clone, Default)]
pub(super) struct Dns(Option<TokioResolver>);

impl Dns {
    /// By these servers, or by those of the system.
    pub(super) fn by(servers: &[SocketAddr], worker: &Handle) -> Dns {
        let _inside = worker.enter();
        let builder = match servers {
            [] => TokioResolver::builder_tokio(),
            _ => {
                let config = ResolverConfig::from_name_servers(servers.iter().map(server).collect());
                Ok(TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()))
            }
        };
        let built = builder.and_then(|mut builder| {
            let options = builder.options_mut();
            options.timeout = TRY;
            options.attempts = 2;
            options.cache_size = 0; // Each name is asked for when its time is over, and not before.
            options.try_tcp_on_error = true;
            builder.build()
        });
        match built {
            Ok(resolver) => Dns(Some(resolver)),
            Err(error) => {
                tracing::error!(%error, "no name server can be asked: names in trunks' targets are not found");
                Dns(None)
            }
        }
    }

    /// Asks. What takes longer than `most` has failed.
    pub(super) async fn ask(&self, question: &Question, most: Duration) -> Answer {
        let Some(resolver) = &self.0 else { return Answer::Failed };
        let (name, kind) = match question {
            Question::Naptr(name) => (name, RecordType::NAPTR),
            Question::Srv(name) => (name, RecordType::SRV),
            Question::A(name) => (name, RecordType::A),
            Question::Aaaa(name) => (name, RecordType::AAAA),
        };
        // With its dot: no search list is tried.
        let Ok(full) = Name::from_ascii(format!("{name}.")) else { return Answer::Nothing };
        let found = match tokio::time::timeout(most, resolver.lookup(full, kind)).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => return refusal(&error),
            Err(_) => return Answer::Failed,
        };
        let ttl = found.answers().iter().map(|record| record.ttl).min().unwrap_or(0);
        let ttl = Duration::from_secs(ttl.into());
        answer(question, found.answers().iter().map(|record| &record.data), ttl)
    }
}

fn server(at: &SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(at.ip());
    for connection in &mut server.connections {
        connection.port = at.port();
    }
    server
}

/// Sure that there is nothing, or at a loss.
fn refusal(error: &NetError) -> Answer {
    use hickory_resolver::net::DnsError;
    use hickory_resolver::proto::op::ResponseCode;
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none))
            if matches!(none.response_code, ResponseCode::NXDomain | ResponseCode::NoError) =>
        {
            Answer::Nothing
        }
        _ => Answer::Failed,
    }
}

/// The records of the kind that was asked for; CNAMEs on the way to them have been followed.
fn answer<'a>(question: &Question, records: impl Iterator<Item = &'a RData>, ttl: Duration) -> Answer {
    let (mut naptr, mut srv, mut addrs) = (Vec::new(), Vec::new(), Vec::new());
    for data in records {
        match (question, data) {
            (Question::Naptr(_), RData::NAPTR(record)) => naptr.push(Naptr {
                order: record.order,
                preference: record.preference,
                flags: String::from_utf8_lossy(&record.flags).into_owned(),
                services: String::from_utf8_lossy(&record.services).into_owned(),
                regexp: String::from_utf8_lossy(&record.regexp).into_owned(),
                replacement: name(&record.replacement),
            }),
            (Question::Srv(_), RData::SRV(record)) => srv.push(Srv {
                priority: record.priority,
                weight: record.weight,
                port: record.port,
                target: name(&record.target),
            }),
            (Question::A(_), RData::A(ip)) => addrs.push(IpAddr::V4(ip.0)),
            (Question::Aaaa(_), RData::AAAA(ip)) => addrs.push(IpAddr::V6(ip.0)),
            _ => {}
        }
    }
    match question {
        Question::Naptr(_) if !naptr.is_empty() => Answer::Naptr(naptr, ttl),
        Question::Srv(_) if !srv.is_empty() => Answer::Srv(srv, ttl),
        Question::A(_) | Question::Aaaa(_) if !addrs.is_empty() => Answer::Addrs(addrs, ttl),
        _ => Answer::Nothing,
    }
}

/// In small letters, without the dot at its end: the root is empty.
fn name(name: &Name) -> Arc<str> {
    let text = name.to_lowercase().to_ascii();
    text.strip_suffix('.').unwrap_or(&text).into()
}
