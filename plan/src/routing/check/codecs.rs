//! Codecs and encryption of trunks and seats: what can be spoken, and where keys can be told.

use super::super::diagnostic::Spot;
use super::super::plan::{Listener, Transport};
use super::super::sound::{CODECS, CodecName, SoundTable, SrtpPolicy};
use super::super::source::{Problems, Said};
use super::super::tables::trunk::MemberTable;
use super::super::tables::{RoutingTable, TrunkTable};

/// Each list of codecs makes sense on its own, and in the city that it is for.
pub fn lists(table: &RoutingTable, problems: &mut Problems) {
    let recorded = table.recording.as_ref().is_some_and(|said| said.value);
    for trunk in &table.trunks {
        list(&trunk.sound, problems);
        if recorded {
            passed_on(
                &trunk.sound,
                "本市通话录音，录音须解码",
                "calls are recorded, which takes decoding",
                problems,
            );
        }
    }
    let seats = table.seats.iter().map(|seat| &seat.sound).chain(&table.seat_sound);
    for sound in seats {
        list(sound, problems);
        let (zh, en) = (
            "来电人先听提示音才轮到座席，提示音不能用它播放",
            "callers hear prompts before a clerk, and none can be spoken in it",
        );
        passed_on(sound, zh, en, problems);
    }
}

fn list(sound: &SoundTable, problems: &mut Problems) {
    let Some(codecs) = &sound.codecs else { return };
    for (index, codec) in codecs.value.iter().enumerate() {
        if let Some(first) = codecs.value[..index].iter().find(|first| first.value == codec.value) {
            problems
                .error("E0630", &codec.spot, "同一种编码写了两次", "a codec stands twice in the list")
                .effect("它的先后有两种说法", "its place in the order would be said twice")
                .remedy("只留一处", "keep it once")
                .related(&first.spot, "第一次", "first");
        }
        if codec.value == CodecName::Opus && !cfg!(feature = "opus") {
            problems
                .error(
                    "E0631",
                    &codec.spot,
                    "本版引擎编译时没有带 Opus",
                    "this engine was built without Opus",
                )
                .effect("协商成功却没有声音", "it would be agreed on, and there would be no sound")
                .remedy(
                    "删去 opus，或换用以 --features opus 编译的引擎",
                    "remove opus, or run an engine that was built with --features opus",
                );
        }
    }
    if codecs.value.iter().all(|codec| codec.value == CodecName::G729) {
        let empty = codecs.value.is_empty();
        let (zh, en) = match empty {
            true => ("codecs 是空的", "codecs is empty"),
            false => {
                ("只有 G729，没有引擎自己能用的编码", "G729 alone: no codec that the engine itself can speak")
            }
        };
        problems
            .error("E0632", &codecs.spot, zh, en)
            .effect(
                "提示音、排队音乐都播不出来，来电会被拒绝",
                "no prompt and no music could be heard, and calls would be refused",
            )
            .remedy("加上 \"PCMA\"", "add \"PCMA\"");
    }
}

/// G.729 is never decoded here, so where something has to be heard or kept it is not agreed on.
fn passed_on(sound: &SoundTable, zh: &str, en: &str, problems: &mut Problems) {
    let codecs = sound.codecs.iter().flat_map(|said| &said.value);
    if let Some(said) = codecs.into_iter().find(|codec| codec.value == CodecName::G729) {
        problems
            .warning(
                "W0108",
                &said.spot,
                format!("G729 在这里永远用不上：{zh}"),
                format!("G729 is never used here: {en}"),
            )
            .effect(
                "通话照常以列表里的其他编码进行",
                "calls go on in the other codecs of the list, as if it were not there",
            )
            .remedy("删去 \"G729\"", "remove \"G729\"");
    }
}

/// Keys are told in the description, in the clear: where encryption is required, signalling is over TLS.
pub fn encryption(table: &RoutingTable, problems: &mut Problems) {
    let listens = all_listeners(table).any(|listener| listener.transport == Transport::Tls);
    for trunk in &table.trunks {
        let Some(said) = required(&trunk.sound) else { continue };
        let targets = trunk.target.as_ref().map_or(&[][..], |said| &said.value.0);
        let comes_in = trunk.sources.as_ref().is_none_or(|said| !said.value.is_empty());
        if targets.iter().any(|target| !target.value.is_tls()) {
            in_the_clear(
                &said.spot,
                ("target 不都走 TLS", "not every target is reached over TLS"),
                (
                    "把 target 写成 \"sips:…\" 或 \"sip:…;transport=tls\"",
                    "write target as \"sips:…\" or \"sip:…;transport=tls\"",
                ),
                problems,
            );
        } else if comes_in && !listens {
            no_listener(&said.spot, problems);
        }
    }
    let seats = table.seats.iter().map(|seat| &seat.sound).chain(&table.seat_sound);
    for said in seats.filter_map(required).filter(|_| !listens) {
        no_listener(&said.spot, problems);
    }
}

fn required(sound: &SoundTable) -> Option<&Said<SrtpPolicy>> {
    sound.srtp.as_ref().filter(|said| said.value == SrtpPolicy::Required)
}

fn all_listeners(table: &RoutingTable) -> impl Iterator<Item = &Said<Listener>> {
    let listen = table.network.iter().filter_map(|network| network.listen.as_ref());
    listen.flat_map(|said| &said.value)
}

fn no_listener(spot: &Spot, problems: &mut Problems) {
    in_the_clear(
        spot,
        ("没有 tls 监听", "there is no tls listener"),
        (
            "在 listen 里加 \"tls:…\"，并在 [tls] 下写证书",
            "add \"tls:…\" to listen, and a certificate under [tls]",
        ),
        problems,
    );
}

fn in_the_clear(spot: &Spot, why: (&str, &str), remedy: (&str, &str), problems: &mut Problems) {
    problems
        .error(
            "E0633",
            spot,
            format!("要求加密语音，信令却可能不加密：{}", why.0),
            format!("encrypted sound is required where signalling may be in the clear: {}", why.1),
        )
        .effect(
            "密钥写在信令里，明文传送等于没有加密，所以这些呼叫一律会被拒绝（488）",
            "keys stand in the signalling, and told in the clear they protect nothing: these calls would all be refused (488)",
        )
        .remedy(format!("{}；或写 srtp = \"offered\"", remedy.0), format!("{}, or write srtp = \"offered\"", remedy.1));
}

/// One offer goes to each member of a group that is tried: it has to suit them all.
pub fn groups(table: &RoutingTable, problems: &mut Problems) {
    for members in table.groups.iter().filter_map(|group| group.trunks.as_ref()) {
        let member = |said: &Said<MemberTable>| -> Option<&TrunkTable> {
            let name = said.value.trunk.as_ref()?;
            table.trunks.iter().find(|own| own.name.as_ref().is_some_and(|own| own.value == name.value))
        };
        let trunks: Vec<&TrunkTable> = members.value.iter().filter_map(member).collect();
        let Some(first) = trunks.first() else { continue };
        let policy = |trunk: &TrunkTable| {
            trunk.sound.srtp.as_ref().map_or_else(SrtpPolicy::default, |said| said.value)
        };
        if trunks.iter().any(|trunk| policy(trunk) != policy(first)) {
            problems
                .error(
                    "E0634",
                    &members.spot,
                    "组里各中继的 srtp 不一致",
                    "the trunks of the group differ in srtp",
                )
                .effect(
                    "一次呼叫依次试各条中继，同一份媒体描述不能既加密又不加密",
                    "a call tries one after the other with the same description, which cannot be both encrypted and not",
                )
                .remedy("各中继写成一样，或分成两组", "let them say the same, or make two groups");
        }
        let has = |trunk: &TrunkTable, codec: CodecName| match &trunk.sound.codecs {
            Some(said) => said.value.iter().any(|own| own.value == codec),
            None => CODECS.contains(&codec),
        };
        let spoken = [CodecName::Pcma, CodecName::Pcmu, CodecName::G722, CodecName::L16, CodecName::Opus];
        if !spoken.into_iter().any(|codec| trunks.iter().all(|trunk| has(trunk, codec))) {
            problems
                .error(
                    "E0635",
                    &members.spot,
                    "组里各中继没有共同的编码",
                    "the trunks of the group have no codec in common",
                )
                .effect("转往那里的来电全部失败", "every call that is put through to it would fail")
                .remedy("给每条中继的 codecs 加上 \"PCMA\"", "add \"PCMA\" to the codecs of each of them");
        }
    }
}
