//! One entry of the ledger, and the bytes that its hash is taken over.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::id::CallId;
use crate::time::Timestamp;

/// `previous` of the first entry.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Somebody did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// 1 for the first, without holes.
    pub number: u64,
    /// Wall clock.
    pub at: Timestamp,
    /// Who: `operator:<user>`, `system:<part>`.
    pub actor: String,
    /// What.
    pub action: Action,
    /// To what.
    pub subject: String,
    /// Why, in the actor's words.
    pub reason: String,
    /// `hash` of the entry before, [`GENESIS`] for the first.
    pub previous: String,
    /// Lower-case hexadecimal SHA-256 of the entry without this field, in canonical JSON.
    pub hash: String,
}

/// Lines of a change of plan that its entry holds; the plan's own files, which are kept, say the rest.
pub const CHANGES_MAX: usize = 40;

/// What brings a plan into force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The engine started.
    Start,
    /// SIGHUP.
    Signal,
    /// A file was seen to have changed.
    Watch,
    /// Somebody asked by HTTP.
    Api,
    /// Somebody wanted an earlier plan back.
    Rollback,
}

impl Trigger {
    /// In metrics and logs, as it serialises.
    pub fn word(self) -> &'static str {
        match self {
            Trigger::Start => "start",
            Trigger::Signal => "signal",
            Trigger::Watch => "watch",
            Trigger::Api => "api",
            Trigger::Rollback => "rollback",
        }
    }
}

/// What can be done. Fields of each are in alphabetical order: see [`Entry::canonical`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// A plan took over.
    PlanChanged {
        /// What was changed, a line each, in the operator's language; at most [`CHANGES_MAX`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        changes: Vec<String>,
        /// Of the plan in force from now on.
        digest: String,
        /// Its number. Entries of earlier engines have none, and are hashed without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<u64>,
        /// Of the plan before; `None` at start.
        previous_digest: Option<String>,
        /// The earlier plan that it is again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rolled_back_to: Option<u64>,
        /// What brought it about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trigger: Option<Trigger>,
    },
    /// A plan took over in which a cancelled number is in use again, by somebody's decision: the entry's reason.
    NumberRestored {
        /// Which.
        number: String,
    },
    /// Somebody listened to a call under way.
    CallWatched {
        /// Whose.
        call: CallId,
    },
    /// Somebody looked at what a call's signalling said.
    TraceRead {
        /// Whose.
        call: CallId,
    },
    /// Somebody had a recording hold silence from then on.
    RecordingPaused {
        /// Whose.
        call: CallId,
    },
    /// Somebody had it hold sound again.
    RecordingResumed {
        /// Whose.
        call: CallId,
    },
    /// A recording's term was over, and its files were removed.
    RecordingRemoved {
        /// Whose.
        call: CallId,
        /// The class whose term was over; none: that of all others.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<String>,
    },
    /// Somebody had a recording kept, whatever its term.
    RecordingHeld {
        /// Whose.
        call: CallId,
    },
    /// Somebody had its term count again.
    RecordingReleased {
        /// Whose.
        call: CallId,
    },
    /// Somebody listened to a recording.
    RecordingPlayed {
        /// Whose.
        call: CallId,
    },
    /// Somebody had a recording written to a file of theirs, in the clear.
    RecordingExported {
        /// Whose.
        call: CallId,
    },
    /// Somebody said how far an office is with a ticket.
    TicketMoved {
        /// As it was.
        from: String,
        /// As it is.
        to: String,
    },
    /// Somebody had events sent again that a ticket office or a department had refused.
    LettersResent {
        /// How many.
        events: u64,
    },
    /// Somebody had callers told something, for a while.
    NoticeAdded {
        /// Number of the notice.
        notice: u64,
        /// Lower-case hexadecimal SHA-256 of its sound: 16-bit samples at 8 kHz, little-endian.
        sha256: String,
    },
    /// Somebody found an article of the knowledge base wrong: the entry's reason says how.
    ArticleFaulty {
        /// Which.
        article: String,
        /// The call in which it was found; `None`: in none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<CallId>,
        /// Which wording of it.
        version: String,
    },
    /// Somebody had it told no more.
    NoticeEnded {
        /// Number of the notice.
        notice: u64,
    },
}

/// An entry without its hash; fields in alphabetical order.
#[derive(Serialize)]
struct Sealed<'a> {
    action: &'a Action,
    actor: &'a str,
    at: &'a Timestamp,
    number: u64,
    previous: &'a str,
    reason: &'a str,
    subject: &'a str,
}

impl Entry {
    /// The bytes that are hashed: the entry without `hash` as JSON after RFC 8785 (keys in
    /// alphabetical order, no blanks, UTF-8 unescaped), so that anybody can compute them anew.
    pub fn canonical(&self) -> Vec<u8> {
        let sealed = Sealed {
            action: &self.action,
            actor: &self.actor,
            at: &self.at,
            number: self.number,
            previous: &self.previous,
            reason: &self.reason,
            subject: &self.subject,
        };
        serde_json::to_vec(&sealed).expect("strings and whole numbers are always JSON")
    }

    /// The hash that the entry ought to have.
    pub fn computed_hash(&self) -> String {
        let digest = Sha256::digest(self.canonical());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_form_is_sorted_and_bare() {
        let entry = Entry {
            number: 1,
            at: "2021-09-01T01:00:00Z".parse().unwrap(),
            actor: "operator:root".into(),
            action: changed("ab"),
            subject: "routing.toml".into(),
            reason: "换班 \"A\"\n".into(),
            previous: GENESIS.into(),
            hash: String::new(),
        };
        let expected = format!(
            "{{\"action\":{{\"kind\":\"plan_changed\",\"of\":{{\"digest\":\"ab\",\
             \"previous_digest\":null}}}},\"actor\":\"operator:root\",\
             \"at\":\"2021-09-01T01:00:00Z\",\"number\":1,\"previous\":\"{GENESIS}\",\
             \"reason\":\"换班 \\\"A\\\"\\n\",\"subject\":\"routing.toml\"}}"
        );
        assert_eq!(String::from_utf8(entry.canonical()).unwrap(), expected);
    }

    fn changed(digest: &str) -> Action {
        Action::PlanChanged {
            changes: Vec::new(),
            digest: digest.into(),
            number: None,
            previous_digest: None,
            rolled_back_to: None,
            trigger: None,
        }
    }

    /// As engines before this one wrote it, and as this one does.
    #[test]
    fn a_change_of_plan_reads_as_it_was_written_whichever_engine_wrote_it() {
        let old = r#"{"kind":"plan_changed","of":{"digest":"ab","previous_digest":null}}"#;
        assert_eq!(serde_json::from_str::<Action>(old).unwrap(), changed("ab"));
        assert_eq!(serde_json::to_string(&changed("ab")).unwrap(), old);
        let new = r#"{"kind":"plan_changed","of":{"changes":["队列 main"],"digest":"ab","number":7,"previous_digest":"cd","rolled_back_to":5,"trigger":"rollback"}}"#;
        let read: Action = serde_json::from_str(new).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), new, "sorted: RFC 8785");
        for trigger in [Trigger::Start, Trigger::Signal, Trigger::Watch, Trigger::Api, Trigger::Rollback] {
            assert_eq!(serde_json::to_value(trigger).unwrap(), trigger.word());
        }
    }

    #[test]
    fn an_entry_survives_being_kept() {
        let json = r#"{"number":1,"at":"2021-09-01T01:00:00Z","actor":"a","action":{"kind":
            "recording_played","of":{"call":"017bb000-0000-7000-8000-000000000000"}},
            "subject":"s","reason":"r","previous":"p","hash":"h"}"#;
        let entry: Entry = serde_json::from_str(json).unwrap();
        let again = serde_json::to_string(&entry).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&again).unwrap(), entry);
        let more = json.replace("\"hash\"", "\"note\":1,\"hash\"");
        assert!(serde_json::from_str::<Entry>(&more).is_err(), "a field outside the hash could be forged");
    }
}
