//! Bearer tokens (RFC 6750): who asks by HTTP, and as what.

use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use crate::routing::admin::Access;
use crate::routing::people::{ApiToken, Role};
use crate::routing::security::Security;
use crate::switchboard::request::Asker;

/// The name of who holds the house's own token and gives no other.
const OWNER: &str = "admin";

/// Whose token it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bearer {
    /// Who asks.
    pub(super) asker: Asker,
    /// By the house's own token, with which a person names themselves (`by`).
    pub(super) is_owner: bool,
    /// See [`Tokens::stands`].
    pub(super) digest: [u8; 32],
}

/// All tokens, as digests: a digest compares in the same time whatever was shown. And what is read without one, and how
/// often one may be wrong.
pub struct Tokens {
    known: Vec<Bearer>,
    /// See [`Access`].
    pub(super) metrics: Access,
    pub(super) security: Security,
}

impl Tokens {
    /// Of the house's own token alone, which is an administrator's.
    /// Figures are for anybody until it is [said](Tokens::keep_metrics) otherwise.
    pub fn new(own: &str) -> Self {
        let asker = Asker { name: OWNER.into(), role: Role::Admin, seat: None };
        let known = vec![Bearer { asker, is_owner: true, digest: digest(own) }];
        Tokens { known, metrics: Access::Open, security: Security::default() }
    }

    /// Who may read `/metrics`.
    pub fn keep_metrics(&mut self, access: Access) {
        self.metrics = access;
    }

    /// How many wrong ones are looked at.
    pub fn keep_guesses(&mut self, security: Security) {
        self.security = security;
    }

    /// And one of the plan's.
    pub fn add(&mut self, token: &ApiToken, text: &str) {
        let asker = Asker { name: token.name.clone(), role: token.role, seat: token.seat.clone() };
        self.known.push(Bearer { asker, is_owner: false, digest: digest(text) });
    }

    /// Whose token this is. Every token is compared, whichever it is.
    pub(super) fn find(&self, shown: &str) -> Option<&Bearer> {
        let shown = digest(shown);
        let mut found = u64::MAX;
        for (place, bearer) in (0_u64..).zip(&self.known) {
            let same: Choice = bearer.digest.ct_eq(&shown);
            found = u64::conditional_select(&found, &place, same);
        }
        self.known.get(usize::try_from(found).ok()?)
    }

    /// Whether a token that was found before still is one of the same person.
    pub(super) fn stands(&self, bearer: &Bearer) -> bool {
        self.known.iter().any(|known| {
            known.digest == bearer.digest
                && known.asker.role == bearer.asker.role
                && known.asker.seat == bearer.asker.seat
        })
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::plan::SecretRef;

    #[test]
    fn a_token_is_its_holders_and_nothing_like_it_is() {
        let clerk = ApiToken {
            name: "desk-1001".into(),
            role: Role::Clerk,
            seat: Some("1001".into()),
            secret: SecretRef::Env("X".into()),
        };
        let mut tokens = Tokens::new("own");
        tokens.add(&clerk, "theirs");
        let role = |shown| tokens.find(shown).map(|bearer| (bearer.asker.role, bearer.is_owner));
        assert_eq!(role("own"), Some((Role::Admin, true)));
        assert_eq!(role("theirs"), Some((Role::Clerk, false)));
        for wrong in ["", "ow", "own ", "Own", "theirs\0"] {
            assert_eq!(role(wrong), None, "{wrong:?}");
        }
        let bearer = tokens.find("theirs").unwrap();
        assert!(tokens.stands(bearer));
        assert!(!Tokens::new("own").stands(bearer));
    }
}
