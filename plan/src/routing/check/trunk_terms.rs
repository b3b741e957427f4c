//! How a trunk is dealt with: figures that RTP and RFC 4028 know, and no wish that another one undoes.

use super::super::sound::CodecName;
use super::super::source::Problems;
use super::super::tables::RoutingTable;
use super::super::tables::trunk::{GroupTable, TrunkTable};
use super::super::trunk_terms::{Dtmf, PACKET_MAX, PACKET_STEP, Reliability, SessionTimer};
use super::super::values::out_of_range;
use super::network::{SESSION_EXPIRES_MAX, SESSION_EXPIRES_MIN};
use super::references::{members_of, trunks_of};

/// Each trunk by itself.
pub fn terms(table: &RoutingTable, problems: &mut Problems) {
    for trunk in &table.trunks {
        packets(trunk, problems);
        timer(trunk, problems);
        keys(trunk, problems);
        reliable(table, trunk, problems);
    }
    for group in &table.groups {
        told(table, group, problems);
    }
}

fn packets(trunk: &TrunkTable, problems: &mut Problems) {
    let Some(said) = &trunk.terms.packet_time else { return };
    let steps = said.value.as_nanos() % PACKET_STEP.as_nanos() == 0;
    if steps && (PACKET_STEP..=PACKET_MAX).contains(&said.value) {
        return;
    }
    problems
        .error(
            "E1902",
            &said.spot,
            "packet_time 不是 10 到 60 毫秒之间的整十毫秒",
            "packet_time is no multiple of 10 ms from 10 ms to 60 ms",
        )
        .effect(
            "编码器没有这样的包长，对端收不到声音",
            "no codec has such packets: the other side would hear nothing",
        )
        .remedy("写 \"20ms\" 之类；不写则随另一方，否则 20 毫秒", "write one like \"20ms\", or leave it out");
}

fn timer(trunk: &TrunkTable, problems: &mut Problems) {
    let Some(said) = &trunk.terms.session_expires else { return };
    let range = SESSION_EXPIRES_MIN..=SESSION_EXPIRES_MAX;
    if !range.contains(&said.value) || said.value.subsec_nanos() > 0 {
        out_of_range(&said.spot, "\"90s\"–\"24h\"", problems);
    }
    let off = trunk.terms.session_timer.as_ref().filter(|said| said.value == SessionTimer::Off);
    let Some(off) = off else { return };
    problems
        .error(
            "E1901",
            &said.spot,
            "session_timer = \"off\" 时没有会话定时器，session_expires 不起作用",
            "with session_timer = \"off\" there is no timer whose interval session_expires could be",
        )
        .effect(
            "对端断电后，通话不会在这个时限内被发现并释放",
            "calls whose far side lost its power would not be found and released within that time",
        )
        .remedy("删去其中一行", "remove one of the two")
        .related(&off.spot, "这里关闭了定时器", "the timer is off here");
}

/// Coders of speech do not keep tones as they were.
fn keys(trunk: &TrunkTable, problems: &mut Problems) {
    let inband = trunk.terms.dtmf.as_ref().filter(|said| said.value == Dtmf::Inband);
    let (Some(inband), Some(codecs)) = (inband, &trunk.sound.codecs) else { return };
    let spoils = |codec: &CodecName| matches!(codec, CodecName::G729 | CodecName::Opus);
    let Some(spoilt) = codecs.value.iter().find(|codec| spoils(&codec.value)) else { return };
    problems
        .warning(
            "W1903",
            &inband.spot,
            "带内按键音经 G729 或 opus 压缩后听不准",
            "tones of keys do not survive G729 or opus",
        )
        .effect("来电人按键常常不起作用", "keys that callers press would often be missed")
        .remedy(
            "codecs 里只留 PCMA、PCMU、G722、L16，或写 dtmf = \"rfc4733\"",
            "leave PCMA, PCMU, G722 and L16 in codecs, or write dtmf = \"rfc4733\"",
        )
        .related(&spoilt.spot, "这个编码", "this codec");
}

/// One offer goes to all trunks of a group, before it is known which of them takes the call.
fn told(table: &RoutingTable, group: &GroupTable, problems: &mut Problems) {
    let named = |member: &str| {
        table.trunks.iter().find(|trunk| trunk.name.as_ref().is_some_and(|said| said.value == member))
    };
    let members: Vec<&TrunkTable> = members_of(group).filter_map(named).collect();
    let word = |trunk: &TrunkTable| trunk.terms.dtmf.as_ref().map(|said| said.value).unwrap_or_default();
    let mut said = members.iter().filter_map(|trunk| trunk.terms.dtmf.as_ref());
    let Some(info) = said.find(|said| said.value == Dtmf::Info) else { return };
    if members.iter().all(|trunk| word(trunk) == Dtmf::Info) {
        return;
    }
    problems
        .warning(
            "W1905",
            &info.spot,
            "中继组里有的中继用 INFO 传按键，有的不用",
            "a group of trunks of which some take keys by INFO and others do not",
        )
        .effect(
            "经该组呼出时不用 INFO，只认 INFO 的语音菜单收不到按键",
            "calls by the group press no keys by INFO: a menu that takes no others would hear none",
        )
        .remedy(
            "组内各中继写同样的 dtmf，或分成两组",
            "give all trunks of the group the same dtmf, or make two groups",
        );
}

/// Nobody in danger is refused for an option tag.
fn reliable(table: &RoutingTable, trunk: &TrunkTable, problems: &mut Problems) {
    let required = trunk.terms.reliable.as_ref().filter(|said| said.value == Reliability::Required);
    let Some(required) = required else { return };
    let center = trunk.emergency_center.as_ref().is_some_and(|said| said.value);
    let name = trunk.name.as_ref().map(|said| said.value.as_str());
    let mut ways = table.emergencies.iter().filter_map(|peer| peer.trunk.as_ref());
    let leads = name.is_some_and(|name| ways.any(|way| trunks_of(table, &way.value).contains(&name)));
    if !center && !leads {
        return;
    }
    problems
        .warning(
            "W1904",
            &required.spot,
            "通往紧急热线的中继要求 100rel",
            "a trunk to those who help in an emergency requires 100rel",
        )
        .effect(
            "对端不支持 100rel 时，紧急呼叫被拒绝",
            "calls for help would be refused wherever the other side has no 100rel",
        )
        .remedy("写 reliable = \"supported\"，或不写", "write reliable = \"supported\", or leave it out");
}
