//! Keys that recordings are encrypted with: that there is one, and that each is one thing in one place.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use super::super::diagnostic::{Diagnostic, Report, Severity, Spot, Text};
use super::super::plan::SecretRef;
use super::super::source::{Problems, Said};
use super::super::tables::RoutingTable;
use super::accounts::{Place, accounts, place};

/// Keys of before that are read; one a year for a working life.
const OLD_KEYS_MAX: usize = 32;

/// The first is the one that new recordings get.
fn keys(table: &RoutingTable) -> impl Iterator<Item = &Said<SecretRef>> {
    table.recording_key.iter().chain(table.recording_old_keys.iter().flat_map(|said| &said.value))
}

/// Recordings of a live house are encrypted.
pub fn recordings_are_sealed(table: &RoutingTable, problems: &mut Problems) {
    let on = table.recording.as_ref().filter(|said| said.value && table.is_live());
    let Some(on) = on.filter(|_| table.recording_key.is_none()) else { return };
    problems
        .warning(
            "W1410",
            &on.spot,
            "录音没有加密存放",
            "recordings lie in the clear",
        )
        .effect(
            "拿到硬盘或备份的人，就能听到市民的全部通话",
            "whoever gets at the disk or a backup hears every call of every citizen",
        )
        .remedy(
            "写 key = { file = \"secrets/recordings\" }：密钥在首次启动时自动生成，请另行备份",
            "write key = { file = \"secrets/recordings\" }: the key is made at the first start; back it up somewhere else",
        );
}

/// No key is named twice, and there are not too many.
pub fn keys_are_single(table: &RoutingTable, problems: &mut Problems) {
    let mut seen: BTreeMap<Place, &Spot> = BTreeMap::new();
    for said in keys(table) {
        let Some(first) = seen.insert(place(&said.value), &said.spot) else { continue };
        problems
            .error("E1410", &said.spot, "同一个录音密钥写了两次", "a key of recordings is named twice")
            .effect(
                "更换密钥时写错了一个：以前的录音会打不开",
                "one of them is a slip of an exchange of keys: earlier recordings could not be opened",
            )
            .remedy(
                "key 写新密钥的文件，old_keys 写换下来的各个文件",
                "let key name the new key's file, and old_keys the files of those it took the place of",
            )
            .related(first, "第一次", "first");
    }
    if let Some(old) = table.recording_old_keys.as_ref().filter(|said| said.value.len() > OLD_KEYS_MAX) {
        let count = old.value.len();
        problems
            .error(
                "E1411",
                &old.spot,
                format!("old_keys 有 {count} 个密钥，最多 {OLD_KEYS_MAX} 个"),
                format!("old_keys has {count} keys, and {OLD_KEYS_MAX} are the most"),
            )
            .effect(
                "方案不能启用：再多的密钥没有人管得过来",
                "the plan cannot be used: nobody minds so many keys",
            )
            .remedy(
                "删去已没有录音使用的密钥；hotline records verify 会说出还缺哪个",
                "remove those that no recording is sealed with any more; `hotline records verify` names one that is missing",
            );
    }
}

/// No key lies with what it opens, and none is a password as well.
pub fn keys_lie_apart(table: &RoutingTable, problems: &mut Problems) {
    let known: BTreeMap<Place, &Spot> =
        accounts(table).map(|said| (place(&said.value), &said.spot)).collect();
    for said in keys(table) {
        if is_with_recordings(&said.value) {
            problems
                .error("E1412", &said.spot, "录音密钥和录音放在一起", "a key lies with the recordings that it opens")
                .effect(
                    "拿到录音或其备份的人也就拿到了密钥，加密形同虚设",
                    "whoever gets the recordings, or their backup, gets the key with them: they might as well be in the clear",
                )
                .remedy(
                    "放到别的目录，如 { file = \"secrets/recordings\" }",
                    "put it elsewhere, like { file = \"secrets/recordings\" }",
                );
        }
        if let Some(other) = known.get(&place(&said.value)) {
            problems
                .error(
                    "E1413",
                    &said.spot,
                    "录音密钥同时是别人的口令",
                    "a key of recordings is somebody's password as well",
                )
                .effect(
                    "知道这个口令的人能解开全部录音；口令一换，录音就打不开",
                    "who knows the password opens every recording, and once it is changed nobody does",
                )
                .remedy(
                    "给录音单独一个文件，如 { file = \"secrets/recordings\" }",
                    "give recordings a file of their own, like { file = \"secrets/recordings\" }",
                )
                .related(other, "口令在这里", "the password is here");
        }
    }
}

impl Report {
    /// Notes that what `place`, a file or a variable that is at hand, holds is no key. `key`: `recording.key`, or
    /// `recording.old_keys`. Who looks at files says so; the plan itself knows their names only.
    pub fn refuse_key(&mut self, key: &str, place: &str) {
        self.diagnostics.push(Diagnostic {
            code: "E1414",
            severity: Severity::Error,
            spot: Spot { file: None, span: 0..0, key: key.to_owned() },
            problem: Text::new(
                format!("{place} 里的不是录音密钥：应为 64 个十六进制数字，或 44 个字符的 base64"),
                format!("{place} holds no key of recordings: 64 hexadecimal digits, or 44 characters of base64"),
            ),
            effect: Some(Text::new(
                "引擎不能启动，也不能重载",
                "the engine would neither start nor reload",
            )),
            remedy: Some(Text::new(
                "从备份恢复这个文件；没有用过的，删去它，引擎会新建",
                "put the file back from its backup; one that was never used may be removed, and the engine makes another",
            )),
            nearest: None,
            related: None,
        });
    }
}

/// Whether its file is in the directory of recordings, under the data directory.
fn is_with_recordings(key: &SecretRef) -> bool {
    let SecretRef::File(file) = key else { return false };
    let mut parts = Path::new(file).components().filter(|part| *part != Component::CurDir);
    parts.next() == Some(Component::Normal("recordings".as_ref())) && parts.next().is_some()
}
