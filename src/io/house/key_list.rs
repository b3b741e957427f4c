//! All secrets that a plan names: which nobody has put there yet, and which others can read.

use std::path::Path;

use secrecy::ExposeSecret;

use super::{StartError, premises};
use crate::io::http::TOKEN_FILE;
use crate::io::recorder;
use crate::io::secrets::{self, SecretError};
use crate::routing::Plan;
use crate::routing::kb::KbKind;
use crate::routing::plan::{SecretRef, SinkKind};
use crate::routing::script::LookUpKind;

/// One secret.
struct Key {
    /// What it opens, in both languages.
    what: [String; 2],
    secret: SecretRef,
    /// Somebody else's: it cannot be made up.
    given: bool,
    /// Of recordings: its text is a key of 256 bits.
    seals: bool,
}

fn keys(plan: &Plan) -> Vec<Key> {
    let key = |[zh, en]: [&str; 2], name: &str, secret: &SecretRef| Key {
        what: [format!("{zh} {name}"), format!("{en} {name}")],
        secret: secret.clone(),
        given: false,
        seals: false,
    };
    let given = |what, name, secret| Key { given: true, ..key(what, name, secret) };
    let own = SecretRef::File(TOKEN_FILE.into());
    let mut keys = vec![key(["网页接口的总令牌", "the API's own token"], "", &own)];
    let tokens = plan.tokens.iter();
    keys.extend(tokens.map(|token| key(["网页接口令牌", "the API token"], &token.name, &token.secret)));
    let seats = plan.seats.values();
    let password = ["座席口令", "the password of seat"];
    keys.extend(seats.map(|seat| key(password, seat.id.as_str(), &seat.secret)));
    for sink in &plan.sinks {
        if let SinkKind::Http { secret, .. } = &sink.kind {
            let what = ["工单系统的签名密钥（base64）", "the signing secret (base64) of ticket_sink"];
            keys.push(key(what, &sink.name, secret));
        }
    }
    for feed in &plan.feeds {
        if let SinkKind::Http { secret, .. } = &feed.sink.kind {
            let what = ["推送的签名密钥（base64）", "the signing secret (base64) of feed"];
            keys.push(key(what, &feed.sink.name, secret));
        }
    }
    for source in plan.look_ups.values() {
        if let LookUpKind::Http { secret, .. } = &source.kind {
            let what = ["查询源的签名密钥（base64）", "the signing secret (base64) of look_up"];
            keys.push(key(what, source.id.as_str(), secret));
        }
    }
    if let Some(KbKind::Http { secret, .. }) = plan.kb.as_ref().map(|kb| &kb.kind) {
        keys.push(key(["知识库的签名密钥（base64）", "the signing secret (base64) of kb"], "", secret));
    }
    for trunk in plan.trunks.values() {
        if let Some(account) = &trunk.account {
            let what = [
                "运营商给的账号口令，中继",
                "the password that the carrier gave us for our account at trunk",
            ];
            keys.push(given(what, trunk.id.as_str(), &account.password));
        }
    }
    for bot in plan.bots.values() {
        if let Some(secret) = &bot.secret {
            let what = ["智能客服给的令牌，bot", "the token that the program gave us for bot"];
            keys.push(given(what, bot.id.as_str(), secret));
        }
    }
    let seals = |key| Key { seals: true, ..key };
    if let Some(secret) = &plan.recording.key {
        keys.push(seals(key(
            ["录音密钥（64 个十六进制数字）", "the key of recordings (64 hexadecimal digits)"],
            "",
            secret,
        )));
    }
    for secret in &plan.recording.old_keys {
        let what =
            ["以前的录音密钥（64 个十六进制数字）", "an earlier key of recordings (64 hexadecimal digits)"];
        keys.push(seals(given(what, "", secret)));
    }
    keys
}

/// All secrets that are not to be had and cannot be made, in one error, before any is made.
pub(super) fn look_over(plan: &Plan, data: &Path) -> Result<(), StartError> {
    let mut faults = Vec::new();
    for Key { what: [zh, en], secret, given, seals } in keys(plan) {
        let will_be_made = matches!(&secret, SecretRef::File(file) if !given && !data.join(file).exists());
        let found = secrets::given(&secret, data);
        if let (true, Ok(text)) = (seals, &found)
            && let Err(error) = recorder::Key::parse(text.expose_secret())
        {
            let place = match &secret {
                SecretRef::File(file) => data.join(file).display().to_string(),
                SecretRef::Env(name) => format!("${name}"),
            };
            faults.push(format!("{place}: {error}"));
        }
        let Some(error) = found.err().filter(|_| !will_be_made) else { continue };
        faults.push(match &error {
            SecretError::NoVariable { name } => format!(
                "环境变量 {name} 没有设置，其中应为：{zh} / set the environment variable {name}: {en}"
            ),
            SecretError::File { path, error } => {
                let path = path.display();
                format!(
                    "{path}（{error}），其中应为一行：{zh} / put into {path} (chmod 600), on one line: {en}"
                )
            }
            SecretError::Gone { .. } | SecretError::KeyGone { .. } => error.to_string(), // Of a house that runs.
        });
    }
    if faults.is_empty() {
        return Ok(());
    }
    let count = faults.len();
    let why =
        format!("{count} 个密钥没有或不能用 / {count} not there or of no use:\n  {}", faults.join("\n  "));
    Err(StartError::Outside { what: "secrets", why })
}

/// Warns of files of secrets that others can read.
pub(super) fn warn_of_open(plan: &Plan, data: &Path) {
    for key in keys(plan) {
        if let SecretRef::File(file) = &key.secret {
            premises::warn_if_open(&data.join(file));
        }
    }
}
