//! Other platforms of the hotline: county and township nodes, other cities' 12345. Whom clerks hand calls over to,
//! and who hands calls over to us.
//!
//! Each platform is known by its organisation code: the administrative division's (GB/T 2260: six digits; nine and
//! twelve of the statistical bureau's for townships and villages). A call that goes from platform to platform says by
//! whom it was handed on, and how often; [`Peers::refuses_to`]
//! and [`Peers::refuses_from`] judge by that, and nothing else does.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::plan::{Peer, Plan};
use crate::id::{LineId, TrunkId};

/// Lengths of an organisation code, digits.
const ORG_DIGITS: [usize; 3] = [6, 9, 12];

/// Whether a text is an organisation code: digits, as many as a division, a township or a village has.
pub fn is_org(text: &str) -> bool {
    ORG_DIGITS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `[[peer]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// What clerks dial to reach it.
    pub number: LineId,
    /// Its name: 濮阳县 12345.
    pub name: String,
    /// Its organisation code.
    pub org: String,
    /// That of the platform above it; `None`: a neighbour, of another tree.
    pub parent: Option<String>,
    /// The way there.
    pub peer: Peer,
    /// Whether calls that come by its trunk are handed over by it.
    pub hands_over: bool,
    /// Points of priority of those.
    pub priority: i16,
    /// How often a call may be handed on between platforms, from the first to the last; see [`Peers::hops_max`].
    pub hops_max: u8,
}

/// All of them, by their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peers(BTreeMap<LineId, Arc<Platform>>);

/// Why a call is not handed to a platform, or not taken from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It has been there, or here, before (RFC 3261 §21.4.20).
    #[error("it has been at that platform already")]
    Loop,
    /// It was handed on as often as it may be (RFC 3261 §21.4.21).
    #[error("it was handed on {0} times already")]
    TooManyHops(usize),
}

impl Refused {
    /// SIP status: 482 Loop Detected, 483 Too Many Hops.
    pub fn status(self) -> u16 {
        match self {
            Refused::Loop => 482,
            Refused::TooManyHops(_) => 483,
        }
    }
}

/// What a call says of the platforms that it came by.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trail<'a> {
    /// The platform that handed it to us.
    pub from: Option<&'a str>,
    /// Codes of those that handed it on, oldest first; empty for one that did not say its own.
    pub handed_on_by: &'a [String],
}

impl Peers {
    /// Of these.
    pub fn new(platforms: impl IntoIterator<Item = Platform>) -> Self {
        Peers(platforms.into_iter().map(|own| (own.number.clone(), Arc::new(own))).collect())
    }

    /// Each, in the order of numbers.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Platform>> {
        self.0.values()
    }

    /// By what clerks dial.
    pub fn get(&self, number: &str) -> Option<&Arc<Platform>> {
        self.0.get(number)
    }

    /// Whose way this is.
    pub fn of_way(&self, peer: &Peer) -> Option<&Arc<Platform>> {
        self.iter().find(|own| own.peer == *peer)
    }

    /// How often a call may be handed on where it goes to or comes from this platform: no more often than any above it
    /// says.
    pub fn hops_max(&self, own: &Platform) -> u8 {
        let above = |org: &str| self.iter().find(|one| one.org == org).map(Arc::as_ref);
        let up = std::iter::successors(Some(own), |own| above(own.parent.as_deref()?));
        // A circle is an error of the file; none is walked round here, either.
        up.take(self.0.len() + 1).map(|own| own.hops_max).min().unwrap_or(own.hops_max)
    }

    /// Whether a call with this trail is not to be handed on to `to`: back to who handed it over, to a platform that
    /// handed it on before, or once more than it may be. Hand-overs out of its subtree count as all others do.
    pub fn refuses_to(&self, to: &Platform, trail: Trail<'_>) -> Option<Refused> {
        let was_there = trail.handed_on_by.contains(&to.org);
        if trail.from == Some(to.org.as_str()) || was_there {
            return Some(Refused::Loop);
        }
        let often = trail.often();
        (often >= usize::from(self.hops_max(to))).then_some(Refused::TooManyHops(often))
    }

    /// Whether a call that `from` hands over is not taken: one that our own platform (`own`) handed on before, or that
    /// was handed on more often than it may be.
    pub fn refuses_from(&self, from: &Platform, own: Option<&str>, trail: Trail<'_>) -> Option<Refused> {
        if own.is_some_and(|own| trail.handed_on_by.iter().any(|org| org == own)) {
            return Some(Refused::Loop);
        }
        let often = trail.often();
        (often > usize::from(self.hops_max(from))).then_some(Refused::TooManyHops(often))
    }
}

impl Trail<'_> {
    /// How often it was handed on: at least once where a platform handed it to us, whatever it says.
    pub fn often(self) -> usize {
        self.handed_on_by.len().max(usize::from(self.from.is_some()))
    }
}

impl Plan {
    /// The platform that hands over a call that came by this trunk. Where several are behind it, the one whose code
    /// the call says (`Organization`); who says none, or another, is none of them.
    pub fn handed_over_by(&self, trunk: &TrunkId, org: Option<&str>) -> Option<&Arc<Platform>> {
        let behind = || self.peers.iter().filter(|own| own.hands_over && self.leads(&own.peer.trunk, trunk));
        match behind().count() {
            1 => behind().next(),
            _ => behind().find(|own| Some(own.org.as_str()) == org),
        }
    }

    /// Who is called by this trunk, or the group that it is of, and this number.
    pub fn platform_at(&self, trunk: &TrunkId, number: &str) -> Option<&Arc<Platform>> {
        self.peers.iter().find(|own| own.peer.number == number && self.leads(&own.peer.trunk, trunk))
    }

    /// Whether calls that come by this trunk are other platforms'.
    pub fn is_platforms(&self, trunk: &TrunkId) -> bool {
        self.peers.iter().any(|own| own.hands_over && self.leads(&own.peer.trunk, trunk))
    }

    /// Whether calls by a trunk, or by a group of them, may go by this one.
    pub fn leads(&self, by: &TrunkId, trunk: &TrunkId) -> bool {
        let group = self.groups.get(by);
        by == trunk || group.is_some_and(|group| group.members.iter().any(|member| member.trunk == *trunk))
    }

    /// Departments, and peers by their ways: whom clerks ask by a number of their own.
    pub fn consulted(&self) -> impl Iterator<Item = (&LineId, &Peer)> {
        let peers = self.peers.iter().map(|own| (&own.number, &own.peer));
        self.departments.iter().chain(peers)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::people::Hours;
    use super::*;

    fn platform(number: &str, org: &str, parent: Option<&str>) -> Platform {
        Platform {
            number: number.into(),
            name: number.to_owned(),
            org: org.to_owned(),
            parent: parent.map(str::to_owned),
            peer: Peer {
                trunk: number.into(),
                number: number.to_owned(),
                ring: Duration::from_secs(25),
                drill: false,
                hours: Hours::default(),
            },
            hands_over: true,
            priority: 0,
            hops_max: 2,
        }
    }

    fn city() -> Peers {
        Peers::new([
            platform("8001", "410922", Some("410900")),
            platform("8002", "410922100", Some("410922")),
            platform("8003", "410923", Some("410900")),
            platform("8011", "410500", None),
        ])
    }

    #[test]
    fn an_organisation_code_has_six_nine_or_twelve_digits() {
        for (text, wanted) in [
            ("410900", true),
            ("410922100", true),
            ("410922100001", true),
            ("41090", false),
            ("4109221", false),
            ("41O900", false),
            ("４１０９００", false),
            ("", false),
        ] {
            assert_eq!(is_org(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_platform_is_bound_by_those_above_it() {
        let mut city = city();
        let narrow = Platform { hops_max: 1, ..platform("8001", "410922", Some("410900")) };
        city.0.insert("8001".into(), Arc::new(narrow));
        let of = |number: &str| city.hops_max(city.get(number).expect("a platform"));
        assert_eq!([of("8001"), of("8002"), of("8003"), of("8011")], [1, 1, 2, 2]);
    }

    /// RFC 3261 §21.4.20 and §21.4.21, by who handed a call on.
    #[test]
    fn whom_a_call_may_be_handed_on_to_row_by_row() {
        let city = city();
        type Row<'a> = (&'a str, Option<&'a str>, &'a [&'a str], Option<u16>);
        let rows: [Row<'_>; 8] = [
            ("8001", None, &[], None),
            ("8001", Some("410922"), &["410922"], Some(482)),
            ("8001", Some("410922"), &[], Some(482)),
            ("8011", Some("410922"), &["410922"], None),
            ("8011", Some("410922"), &["410922100", "410922"], Some(483)),
            ("8011", Some("410922"), &["410500", "410922"], Some(482)),
            ("8001", Some("410922100"), &["410922100"], None),
            ("8003", Some("410500"), &["", "410500"], Some(483)),
        ];
        for (to, from, by, wanted) in rows {
            let by: Vec<String> = by.iter().map(|org| (*org).to_owned()).collect();
            let trail = Trail { from, handed_on_by: &by };
            let found = city.refuses_to(city.get(to).expect("a platform"), trail);
            assert_eq!(found.map(Refused::status), wanted, "{to} {from:?} {by:?}");
        }
    }

    #[test]
    fn which_calls_are_taken_from_a_platform_row_by_row() {
        let city = city();
        let from = city.get("8001").expect("a platform");
        let rows: [(&[&str], Option<u16>); 5] = [
            (&[], None),
            (&["410922"], None),
            (&["410922100", "410922"], None),
            (&["410922100", "410500", "410922"], Some(483)),
            (&["410900", "410922"], Some(482)),
        ];
        for (by, wanted) in rows {
            let by: Vec<String> = by.iter().map(|org| (*org).to_owned()).collect();
            let trail = Trail { from: Some("410922"), handed_on_by: &by };
            let found = city.refuses_from(from, Some("410900"), trail);
            assert_eq!(found.map(Refused::status), wanted, "{by:?}");
        }
    }
}
