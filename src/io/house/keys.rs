//! What the secrets of a plan open: accounts, tokens, adapters. All of it is read at the start and, whether the
//! plan has changed or not, at each reload.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::start::{StartResult, outside};
use super::{House, StartError};
use crate::id::{SeatId, TrunkId};
use crate::io::http::tokens::Tokens;
use crate::io::kb::Kb;
use crate::io::look_up::Sources;
use crate::io::recorder::{Key, SealKeys};
use crate::io::secrets::{self, Keyring};
use crate::io::store::Desk;
use crate::io::ticket_sink::{self, TicketSink};
use crate::io::{bot, http};
use crate::routing::Plan;
use crate::routing::diagnostic::Text;
use crate::routing::plan::{SecretRef, SinkKind};
use crate::sip::event::SeatAccount;
use crate::switchboard::trunks::TrunkPasswords;

/// A token of the API with fewer characters may be guessed.
const TOKEN_CHARS_MIN: usize = 16;

/// See the module's own words.
pub(super) struct Keys {
    pub(super) ring: Keyring,
    tokens: Tokens,
    look_ups: Sources,
    kb: Option<Arc<Kb>>,
    /// In the order of the plan's; `None`: it has no secret.
    sinks: Vec<Option<Arc<dyn TicketSink>>>,
    pub(super) accounts: Vec<SeatAccount>,
    pub(super) trunk_passwords: TrunkPasswords,
    seal: Arc<SealKeys>,
}

impl Keys {
    /// Of this plan. `ring` says what was read, also where one is not to be had.
    pub(super) fn read(
        plan: &Plan,
        ring: &mut Keyring,
        [desk, feed_desk]: [&Desk; 2],
        before: &Sources,
    ) -> StartResult<Self> {
        let (tokens, accounts) = (tokens(plan, ring)?, accounts(plan, ring)?);
        let trunk_passwords = trunk_passwords(plan, ring)?;
        let seal = seal_keys(plan, ring)?;
        bot::check(plan, ring).map_err(outside("bot"))?;
        let look_ups = Sources::open(plan, ring, desk, before).map_err(outside("look_up"))?;
        let kb = Kb::open(plan, ring).map_err(outside("kb"))?.map(Arc::new);
        let mut sinks = Vec::new();
        for sink in &plan.sinks {
            sinks.push(match sink.kind {
                SinkKind::Http { .. } => ticket_sink::open(sink, ring).map_err(outside("ticket_sink"))?,
                SinkKind::Sqlite | SinkKind::Jsonl { .. } => None,
            });
        }
        for feed in &plan.feeds {
            sinks.push(match feed.sink.kind {
                SinkKind::Http { .. } => {
                    ticket_sink::open_feed(feed, ring, feed_desk).map_err(outside("feed"))?
                }
                SinkKind::Sqlite | SinkKind::Jsonl { .. } => None,
            });
        }
        Ok(Keys { ring: ring.clone(), tokens, look_ups, kb, sinks, accounts, trunk_passwords, seal })
    }
}

impl House {
    /// Those of the plan of this digest. Takes over all but accounts and passwords, which signalling takes over with a plan or by themselves.
    pub(super) fn take_keys(&mut self, digest: &str, keys: Keys) -> (Vec<SeatAccount>, TrunkPasswords) {
        let Keys { ring, tokens, look_ups, kb, sinks, accounts, trunk_passwords, seal } = keys;
        self.tokens.send_replace(tokens);
        let was = self.seal_keys.borrow().for_new().map(Key::id);
        if let Some(id) = was.filter(|id| seal.find(*id).is_none()) {
            tracing::error!(
                key = %id,
                "录音密钥已更换，原密钥不在 old_keys 里：以前的录音打不开，请把它写进 [recording] old_keys / the key of recordings \
                 was exchanged, and the one before is not among old_keys: earlier recordings cannot be opened until it is"
            );
        }
        self.archive.set_keys(Arc::clone(&seal));
        self.seal_keys.send_replace(seal);
        self.look_ups.take(digest, look_ups);
        self.kb.send_replace(kb);
        for (own, new) in self.sinks.iter_mut().zip(sinks) {
            if new.is_some() {
                *own = new; // What is on its way goes by the old one.
            }
        }
        self.ring = ring;
        (accounts, trunk_passwords)
    }
}

/// What is new about secrets, in words; none of their text.
pub(super) fn news(ring: &Keyring, trial: bool) -> Vec<Text> {
    let created: Vec<_> = ring.created().iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let changed: Vec<_> = ring.changed().into_iter().map(str::to_owned).collect();
    let words = [
        (created, ["新建了密钥", "将新建密钥"], ["secrets were made", "secrets would be made"]),
        (
            changed,
            ["重新读取了密钥", "将重新读取密钥"],
            ["secrets were read anew", "secrets would be read anew"],
        ),
    ];
    let told = words.into_iter().filter(|(names, ..)| !names.is_empty());
    told.map(|(names, zh, en)| {
        let nth = usize::from(trial);
        Text::new(format!("{}：{}", zh[nth], names.join("、")), format!("{}: {}", en[nth], names.join(", ")))
    })
    .collect()
}

/// The seats' accounts; passwords that do not exist yet are made.
pub(super) fn accounts(plan: &Plan, ring: &mut Keyring) -> StartResult<Vec<SeatAccount>> {
    let mut account = |id: &SeatId, secret| {
        let password = ring.resolve(&format!("seat {id}"), secret).map_err(outside("secrets"))?;
        Ok(secrets::account(id, &plan.network.domain, &password))
    };
    plan.seats.values().map(|seat| account(&seat.id, &seat.secret)).collect()
}

/// Tokens of the API, of which those that do not exist yet are made: the house's own, then the plan's.
pub(super) fn tokens(plan: &Plan, ring: &mut Keyring) -> StartResult<Tokens> {
    let own = ring.resolve("API", &SecretRef::File(http::TOKEN_FILE.into())).map_err(outside("secrets"))?;
    let mut tokens = Tokens::new(&own);
    tokens.keep_metrics(plan.admin.metrics);
    tokens.keep_guesses(plan.security);
    let mut known = BTreeMap::from([(own, http::TOKEN_FILE)]);
    for token in &plan.tokens {
        let value =
            ring.resolve(&format!("token {}", token.name), &token.secret).map_err(outside("secrets"))?;
        tokens.add(token, &value);
        if let Some(other) = known.insert(value, &token.name) {
            return Err(alike(other, &token.name));
        }
    }
    for (_, name) in known.iter().filter(|(value, _)| value.chars().count() < TOKEN_CHARS_MIN) {
        tracing::warn!(
            "网页接口令牌 {name} 不足 {TOKEN_CHARS_MIN} 个字符，可能被猜中：换成随机的长令牌 / the API token {name} has \
             fewer than {TOKEN_CHARS_MIN} characters and may be guessed: use a long one of chance"
        );
    }
    Ok(tokens)
}

/// Whoever shows it would be either of two people.
fn alike(one: &str, other: &str) -> StartError {
    StartError::Outside {
        what: "api_token",
        why: format!(
            "网页接口令牌 {one} 与 {other} 的内容相同，分不清是谁\n\
             给每个人换成各自的令牌（删去其中一个文件，引擎会新建）\n\
             the API tokens {one} and {other} are the same: nobody could tell who asks\n\
             give each their own (remove one of the files, and the engine makes a new one)"
        ),
    }
}

/// Passwords that carriers gave us for our accounts there.
pub(super) fn trunk_passwords(plan: &Plan, ring: &mut Keyring) -> StartResult<TrunkPasswords> {
    let mut password = |id: &TrunkId, secret| {
        let found = ring.given(&format!("trunk {id}"), secret).map_err(outside("secrets"))?;
        Ok((id.clone(), found))
    };
    let accounts = plan.trunks.values().filter_map(|trunk| Some((&trunk.id, trunk.account.as_ref()?)));
    accounts.map(|(id, account)| password(id, &account.password)).collect()
}

/// Keys of recordings: the new one is made where it does not exist yet, those of before are not.
pub(super) fn seal_keys(plan: &Plan, ring: &mut Keyring) -> StartResult<Arc<SealKeys>> {
    let parse = |secret: &SecretRef, text: &str| {
        Key::parse(text).map_err(|error| StartError::Outside {
            what: "recording",
            why: match secret {
                SecretRef::File(name) => format!("{name}: {error}"),
                SecretRef::Env(name) => format!("${name}: {error}"),
            },
        })
    };
    let new = match &plan.recording.key {
        Some(secret) => Some(parse(secret, &ring.recordings_key(secret).map_err(outside("secrets"))?)?),
        None => None,
    };
    let mut old = Vec::new();
    for secret in &plan.recording.old_keys {
        let text = ring.given("earlier recordings", secret).map_err(outside("secrets"))?;
        old.push(parse(secret, secrecy::ExposeSecret::expose_secret(&text))?);
    }
    Ok(Arc::new(SealKeys::new(new, old)))
}
