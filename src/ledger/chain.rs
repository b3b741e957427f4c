//! The chain: appends entries and finds the first place where a kept one was tampered with.
//!
//! A chain proves that nothing inside it was changed, taken out or put in. That its end was not
//! cut off is proved by a [`Head`] that was noted elsewhere.

use crate::time::Timestamp;

use super::entry::{Action, Entry, GENESIS};

/// The last entry of a chain, for comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0 where the chain is empty.
    pub number: u64,
    /// Its hash; [`GENESIS`] where the chain is empty.
    pub hash: String,
}

/// The growing end of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    head: Head,
}

impl Chain {
    /// An empty chain.
    pub fn begin() -> Self {
        Chain { head: Head { number: 0, hash: GENESIS.to_owned() } }
    }

    /// Goes on after the last entry that was kept.
    pub fn resume(last: &Entry) -> Self {
        Chain { head: Head { number: last.number, hash: last.hash.clone() } }
    }

    /// The end of the chain.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Makes the next entry. It is part of the chain from now on, so it must be kept.
    pub fn append(
        &mut self,
        at: Timestamp,
        actor: impl Into<String>,
        action: Action,
        subject: impl Into<String>,
        reason: impl Into<String>,
    ) -> Entry {
        let mut entry = Entry {
            number: self.head.number + 1,
            at,
            actor: actor.into(),
            action,
            subject: subject.into(),
            reason: reason.into(),
            previous: self.head.hash.clone(),
            hash: String::new(),
        };
        entry.hash = entry.computed_hash();
        self.head = Head { number: entry.number, hash: entry.hash.clone() };
        entry
    }
}

/// The first place where a chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ledger entry {number}: {fault}")]
pub struct Broken {
    /// The number that the entry there ought to have.
    pub number: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Entries are missing, doubled or out of order.
    #[error("has number {found}")]
    Number {
        /// What it has instead.
        found: u64,
    },
    /// The entry before is not the one that this was appended to.
    #[error("does not follow the entry before it")]
    Previous,
    /// Its content is not what was hashed.
    #[error("was changed after it was written")]
    Hash,
}

/// Walks a whole chain from its first entry, and tells its end.
pub fn verify<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<Head, Broken> {
    let mut head = Chain::begin().head;
    for entry in entries {
        let number = head.number + 1;
        let broken = |fault| Broken { number, fault };
        if entry.number != number {
            return Err(broken(Fault::Number { found: entry.number }));
        }
        if entry.previous != head.hash {
            return Err(broken(Fault::Previous));
        }
        if entry.hash != entry.computed_hash() {
            return Err(broken(Fault::Hash));
        }
        head = Head { number, hash: entry.hash.clone() };
    }
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{CallId, Dice};

    fn changed(digest: String, previous_digest: Option<String>) -> Action {
        Action::PlanChanged {
            changes: Vec::new(),
            digest,
            number: None,
            previous_digest,
            rolled_back_to: None,
            trigger: None,
        }
    }

    fn chain() -> Vec<Entry> {
        let mut chain = Chain::begin();
        let mut dice = Dice::seeded(1);
        (1..=5)
            .map(|n| {
                let action = if n % 2 == 0 {
                    Action::RecordingPlayed { call: CallId::draw(n, &mut dice) }
                } else {
                    changed(format!("{n:064x}"), (n > 1).then(|| format!("{:064x}", n - 2)))
                };
                let at = Timestamp::from_second(1_630_000_000 + n as i64).unwrap();
                chain.append(at, "operator:root", action, "subject", "审计抽查")
            })
            .collect()
    }

    #[test]
    fn an_untouched_chain_holds_and_goes_on_after_a_restart() {
        let mut entries = chain();
        let head = verify(&entries).unwrap();
        assert_eq!((head.number, &head.hash), (5, &entries[4].hash));
        let mut resumed = Chain::resume(&entries[4]);
        assert_eq!(resumed.head(), &head);
        let action = entries[0].action.clone();
        entries.push(resumed.append(Timestamp::UNIX_EPOCH, "a", action, "s", "r"));
        assert_eq!(verify(&entries).unwrap().number, 6);
        assert_eq!(verify(&[]).unwrap(), Chain::begin().head);
    }

    /// Every field of every entry: changed, it is found at that entry.
    #[test]
    fn every_change_is_found_where_it_was_made() {
        type Tamper = fn(&mut Entry);
        let tampers: [(&str, Tamper, Fault); 8] = [
            ("actor", |entry| entry.actor.push('x'), Fault::Hash),
            ("subject", |entry| entry.subject.clear(), Fault::Hash),
            ("reason", |entry| entry.reason.push(' '), Fault::Hash),
            ("at", |entry| entry.at = Timestamp::UNIX_EPOCH, Fault::Hash),
            (
                "action",
                |entry| {
                    entry.action = changed("other".into(), None);
                },
                Fault::Hash,
            ),
            ("previous", |entry| entry.previous = "0".into(), Fault::Previous),
            ("hash", |entry| entry.hash = GENESIS.into(), Fault::Hash),
            ("number", |entry| entry.number = 77, Fault::Number { found: 77 }),
        ];
        for index in 0..5 {
            for (field, tamper, fault) in &tampers {
                let mut entries = chain();
                tamper(&mut entries[index]);
                let number = index as u64 + 1;
                let fault = fault.clone();
                assert_eq!(verify(&entries), Err(Broken { number, fault }), "{field}");
            }
        }
    }

    #[test]
    fn an_entry_hashed_anew_after_a_change_breaks_the_next_one() {
        let mut entries = chain();
        entries[2].reason = "forged".into();
        entries[2].hash = entries[2].computed_hash();
        let fault = Fault::Previous;
        assert_eq!(verify(&entries), Err(Broken { number: 4, fault }));
    }

    #[test]
    fn entries_taken_out_doubled_or_swapped_are_found_and_a_cut_end_shows_in_the_head() {
        let mut taken = chain();
        taken.remove(1);
        assert_eq!(verify(&taken).unwrap_err().number, 2);
        let mut doubled = chain();
        doubled.insert(3, doubled[2].clone());
        assert_eq!(verify(&doubled).unwrap_err().number, 4);
        let mut swapped = chain();
        swapped.swap(0, 1);
        assert_eq!(verify(&swapped).unwrap_err().number, 1);
        let whole = verify(&chain()).unwrap();
        assert_ne!(verify(&chain()[..4]).unwrap(), whole);
    }
}
