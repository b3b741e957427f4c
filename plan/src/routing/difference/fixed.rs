//! What a running engine cannot change: the one list of it, with what to do about each.

use std::collections::BTreeMap;

use super::super::diagnostic::{Diagnostic, Report, Severity, Spot, Text};
use super::super::plan::Plan;
use super::super::tables::RoutingTable;

/// A setting that holds from start to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fixed {
    /// Calls under way are signalled over these sockets.
    Listen,
    /// Their sound goes through these ports.
    RtpPorts,
    /// Recordings are filed by this clock.
    TimeZone,
    /// Files and recorders are laid out for so many calls; fewer is no matter.
    CallsMax,
    /// What each is owed is kept by its place.
    Sinks,
    /// The same.
    Feeds,
    /// Whoever asks is connected there.
    Http,
}

/// Where the file says them.
pub type Fixtures = BTreeMap<Fixed, Spot>;

impl Fixed {
    /// All of them.
    pub const ALL: [Fixed; 7] = [
        Fixed::Listen,
        Fixed::RtpPorts,
        Fixed::TimeZone,
        Fixed::CallsMax,
        Fixed::Sinks,
        Fixed::Feeds,
        Fixed::Http,
    ];

    /// As the file names it.
    pub fn key(self) -> &'static str {
        match self {
            Fixed::Listen => "network.listen",
            Fixed::RtpPorts => "network.rtp_ports",
            Fixed::TimeZone => "city.time_zone",
            Fixed::CallsMax => "limits.calls_max",
            Fixed::Sinks => "ticket_sink",
            Fixed::Feeds => "feed",
            Fixed::Http => "admin.http",
        }
    }

    fn differs(self, started: &Plan, new: &Plan) -> bool {
        match self {
            Fixed::Listen => started.network.listen != new.network.listen,
            Fixed::RtpPorts => started.network.rtp_ports != new.network.rtp_ports,
            Fixed::TimeZone => started.city.time_zone != new.city.time_zone,
            Fixed::CallsMax => started.limits.calls_max < new.limits.calls_max,
            Fixed::Sinks => started.sinks != new.sinks,
            Fixed::Feeds => started.feeds != new.feeds,
            Fixed::Http => started.admin.http != new.admin.http,
        }
    }

    /// What would be noticed if it were changed under way.
    fn effect(self) -> Text {
        match self {
            Fixed::Listen => Text::new(
                "换了监听地址，通话中的信令无处可收",
                "the signalling of calls under way would have nowhere to come to",
            ),
            Fixed::RtpPorts => {
                Text::new("换了端口，通话中的声音会中断", "the sound of calls under way would break off")
            }
            Fixed::TimeZone => Text::new(
                "录音按日期存放，换了时区会放进错的日期",
                "recordings are filed by the day and would be filed under the wrong one",
            ),
            Fixed::CallsMax => Text::new(
                "文件和录音是按启动时的通话数准备的，多出来的通话录不了音",
                "files and recorders are laid out for the number at the start: further calls would not be recorded",
            ),
            Fixed::Sinks => Text::new(
                "待送的工单按去处排队，换了去处会送错或丢失",
                "tickets that are yet to be delivered wait by their sink, and would go astray",
            ),
            Fixed::Feeds => Text::new(
                "推送给部门的数据按启动时的范围和位置排队，中途更改会使对账合计与收到的不符",
                "what departments are owed waits by the feeds of the start: changed under way, the day's totals would not \
                 be those of what they got",
            ),
            Fixed::Http => Text::new(
                "换了地址，座席桌面、看板和监控都会断开",
                "clerks' desks, boards and monitoring would be cut off",
            ),
        }
    }
}

/// What of `new` an engine that was started with `started` cannot take over.
pub fn wants_restart(started: &Plan, new: &Plan) -> Vec<Fixed> {
    Fixed::ALL.into_iter().filter(|one| one.differs(started, new)).collect()
}

/// Where they stand; what the file leaves out stands at its top.
pub(in crate::routing) fn fixtures(table: &RoutingTable) -> Fixtures {
    let network = table.network.as_ref();
    let spots = [
        (Fixed::Listen, network.and_then(|own| Some(&own.listen.as_ref()?.spot))),
        (Fixed::RtpPorts, network.and_then(|own| Some(&own.rtp_ports.as_ref()?.spot))),
        (Fixed::TimeZone, table.city.as_ref().and_then(|own| Some(&own.time_zone.as_ref()?.spot))),
        (Fixed::CallsMax, table.limits.as_ref().and_then(|own| Some(&own.calls_max.as_ref()?.spot))),
        (Fixed::Sinks, table.sinks.first().map(|own| &own.spot)),
        (Fixed::Feeds, table.feeds.first().map(|own| &own.spot)),
        (Fixed::Http, table.admin.as_ref().and_then(|own| Some(&own.http.as_ref()?.spot))),
    ];
    spots.into_iter().map(|(one, spot)| (one, spot.unwrap_or(&table.spot).clone())).collect()
}

impl Report {
    /// Notes what of the plan a running engine could not take over, each at its place.
    pub fn refuse_fixed(&mut self, changed: &[Fixed], fixtures: &Fixtures) {
        for one in changed {
            let key = one.key();
            let spot = fixtures.get(one).cloned().unwrap_or(Spot { file: None, span: 0..0, key: key.into() });
            self.diagnostics.push(Diagnostic {
                code: "E1210",
                severity: Severity::Error,
                spot,
                problem: Text::new(
                    format!("{key} 不能在运行中更改，正在运行的方案保持不变"),
                    format!("{key} cannot change in a running engine, which keeps the plan it has"),
                ),
                effect: Some(one.effect()),
                remedy: Some(Text::new(
                    "改回原值再重载；要改它，请在来电少时重启引擎",
                    "put it back and reload; to change it, restart the engine when few call",
                )),
                nearest: None,
                related: None,
            });
        }
    }
}
