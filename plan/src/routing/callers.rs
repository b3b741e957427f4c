//! Callers who are known: lanes for some, rules for others, and who called before.

use std::borrow::Cow;
use std::time::Duration;

use super::by_number::ByNumber;
use super::digits::Digits;
use super::plan::{City, Line, Plan, Trunk};
use super::queueing::Known;
use crate::id::{LineId, TrunkId};
use crate::time::Timestamp;

/// `[[lane]]`: callers who go another way to a person: the elderly, enterprises, a language's speakers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// `elderly`.
    pub name: String,
    /// Whose calls: any of these is enough.
    pub lines: Vec<LineId>,
    /// Calls by these trunks; carriers mark some callers by a trunk of their own.
    pub trunks: Vec<TrunkId>,
    /// Callers' numbers.
    pub callers: ByCaller<()>,
    /// Added to the caller's priority.
    pub priority: i16,
    /// What the clerk must know beyond what the line asks.
    pub skills: Vec<Known>,
    /// Straight to a person: no greeting.
    pub straight: bool,
}

/// `[[caller_policy]]`: what is done about one caller, why, who said so, and until when (the notice,
/// 四(二): unreasonable repeats). A person is reached all the same: no policy refuses for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerPolicy {
    /// The number.
    pub caller: String,
    /// What.
    pub act: CallerAct,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub approver: String,
    /// Not in force from here on.
    pub until: Timestamp,
}

/// What a policy does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallerAct {
    /// Behind others: taken off the priority.
    Behind(i16),
    /// A clerk of these skills takes the calls.
    To(Vec<Known>),
    /// After a call, the next one within this time is answered with a word and a ticket instead of the
    /// queue; who says by key that it is urgent goes on to it.
    CoolDown(Duration),
    /// The number is shown to nobody, nor in any export.
    Confidential,
}

/// `[callers]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callers {
    /// A caller who called within this time is known; zero: nobody is.
    pub repeat_within: Duration,
    /// The key by which a caller says, anywhere before a clerk answers, that it is urgent.
    pub urgent_key: Option<char>,
    /// Priority of who said so.
    pub urgent_priority: i16,
    /// Priority of who comes by an emergency center's trunk.
    pub center_priority: i16,
    /// Lanes, the first that fits is taken.
    pub lanes: Vec<Lane>,
    /// Policies about callers.
    pub policies: ByCaller<CallerPolicy>,
}

/// What is known of callers, by the one form of their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByCaller<T>(ByNumber<T>);

impl<T> Default for ByCaller<T> {
    fn default() -> Self {
        ByCaller(ByNumber::default())
    }
}

impl<T> ByCaller<T> {
    /// Puts it there, in the place of what was known of this caller before.
    pub fn insert(&mut self, city: &City, caller: &str, what: T) {
        self.0.insert(city.caller_form(caller).as_str(), what);
    }

    /// What is known of this caller.
    #[inline]
    pub fn get(&self, caller: &CallerForm<'_>) -> Option<&T> {
        self.0.get(caller.as_str())
    }

    /// All of it, in the order in which it was put there.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.values()
    }

    /// Of so many callers.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Of nobody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl ByCaller<()> {
    /// That they are among these, and no more.
    pub fn among<'a>(city: &City, callers: impl IntoIterator<Item = &'a str>) -> Self {
        let mut these = ByCaller::default();
        callers.into_iter().for_each(|caller| these.insert(city, caller, ()));
        these
    }
}

/// A caller's number in one form, however the carrier or the plan writes it: with the country's code where it is
/// of this country, as it came where it is not, or no number at all.
#[derive(Clone, Copy)]
pub struct CallerForm<'a>(Form<'a>);

#[derive(Clone, Copy)]
enum Form<'a> {
    Ours(Digits),
    AsItCame(&'a str),
}

impl CallerForm<'_> {
    /// `+8613800000000`.
    #[inline]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Form::Ours(digits) => digits.as_str(),
            Form::AsItCame(text) => text,
        }
    }
}

impl Default for Callers {
    fn default() -> Self {
        Callers {
            repeat_within: Duration::ZERO,
            urgent_key: None,
            urgent_priority: 1_000,
            center_priority: 2_000,
            lanes: Vec::new(),
            policies: ByCaller::default(),
        }
    }
}

impl Plan {
    /// The lane of a caller: the first that fits, by any of its three; none where another platform hands the call over.
    pub fn lane_of(&self, line: &Line, trunk: &TrunkId, caller: &str) -> Option<&Lane> {
        let caller = self.city.caller_form(caller);
        let mut lanes = self.callers.lanes.iter().filter(|_| !self.is_platforms(trunk));
        lanes.find(|lane| {
            lane.lines.contains(&line.number)
                || lane.trunks.contains(trunk)
                || lane.callers.get(&caller).is_some()
        })
    }

    /// Whether a caller comes to a person without the words in front: from an emergency center, or by a lane.
    pub fn goes_straight(&self, line: &Line, trunk: &Trunk, caller: &str) -> bool {
        trunk.emergency_center || self.lane_of(line, &trunk.id, caller).is_some_and(|lane| lane.straight)
    }

    /// What a clerk must know for a caller: what the line asks for, and beyond it the caller's lane and policy, which say
    /// nothing where an emergency center calls.
    pub fn skills_asked(&self, line: &Line, trunk: &TrunkId, caller: &str, at: Timestamp) -> Vec<Known> {
        let mut skills = line.skills.clone();
        if self.trunks.get(trunk).is_some_and(|trunk| trunk.emergency_center) {
            return skills;
        }
        if let Some(lane) = self.lane_of(line, trunk, caller) {
            skills.extend(lane.skills.iter().cloned());
        }
        let policy = self.policy_of(caller).filter(|policy| at < policy.until);
        if let Some(CallerAct::To(more)) = policy.map(|policy| &policy.act) {
            skills.extend(more.iter().cloned());
        }
        skills
    }

    /// The caller's number as sub-centers, departments and whoever else a call is put through to get it: empty where
    /// the line, or a policy in force, has it shown to nobody. Emergency numbers get it all the same.
    pub fn shown_of<'c>(&self, line: &Line, trunk: &Trunk, caller: &'c str, at: Timestamp) -> &'c str {
        let policy = self.policy_of(caller).filter(|policy| at < policy.until);
        let by_policy = policy.is_some_and(|policy| policy.act == CallerAct::Confidential);
        let is_hidden = (line.is_confidential || by_policy) && !trunk.emergency_center;
        if is_hidden { "" } else { caller }
    }

    /// The policy about a caller, whether it still holds or not.
    #[inline]
    pub fn policy_of(&self, caller: &str) -> Option<&CallerPolicy> {
        self.callers.policies.get(&self.city.caller_form(caller))
    }
}

impl City {
    /// The forms in which a caller's number may come, as it came first: carriers write it with the country's
    /// code or without, with a zero in front or without.
    pub fn caller_forms<'a>(&self, caller: &'a str) -> Vec<Cow<'a, str>> {
        let (country, area) = (self.country_code.as_str(), self.area_code.trim_start_matches('0'));
        let mut forms = vec![Cow::Borrowed(caller)];
        let Some(national) = self.national(caller) else { return forms };
        let national = national.as_str();
        if let Some(local) =
            national.strip_prefix(area).filter(|local| (5..=LOCAL_MAX).contains(&local.len()))
        {
            forms.push(Cow::Owned(local.to_owned()));
        }
        forms.extend([
            Cow::Owned(format!("0{national}")),
            Cow::Owned(format!("+{country}{national}")),
            Cow::Owned(format!("00{country}{national}")),
            Cow::Owned(format!("{country}{national}")),
            Cow::Owned(national.to_owned()),
        ]);
        forms
    }

    /// A caller's number as it is looked for.
    #[inline]
    pub fn caller_form<'a>(&self, caller: &'a str) -> CallerForm<'a> {
        let whole = |national: Digits| Digits::of(&["+", &self.country_code, national.as_str()]);
        let ours = self.national(caller).and_then(whole);
        CallerForm(ours.map_or(Form::AsItCame(caller), Form::Ours))
    }

    /// The number within the country, with its area and without a zero; `None`: it is of another one, or none.
    /// Visual separators do not count, and a number that is too long for the country says the country's code
    /// even without a sign in front.
    #[inline]
    fn national(&self, caller: &str) -> Option<Digits> {
        let digits = Digits::without_separators(caller)?;
        let caller = digits.as_str();
        let country = self.country_code.as_str();
        let global = caller.strip_prefix('+').or_else(|| caller.strip_prefix("00"));
        let bare = || Some(caller).filter(|caller| caller.len() > NATIONAL_MAX)?.strip_prefix(country);
        let national = match global {
            Some(global) => global.strip_prefix(country)?,
            None => bare().unwrap_or_else(|| caller.strip_prefix('0').unwrap_or(caller)),
        };
        if national.is_empty() {
            return None;
        }
        let local = global.is_none() && !caller.starts_with('0') && national.len() <= LOCAL_MAX;
        let area = if local { self.area_code.trim_start_matches('0') } else { "" };
        Digits::of(&[area, national])
    }
}

/// Digits of the longest number without an area code.
const LOCAL_MAX: usize = 8;
/// And of the longest one within the country, without a zero in front: a mobile, or an area of three digits and
/// eight in it.
const NATIONAL_MAX: usize = 11;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_known_however_the_carrier_writes_the_number() {
        let city = City {
            name: String::new(),
            area_code: "0393".into(),
            country_code: "86".into(),
            org: None,
            time_zone: jiff::tz::TimeZone::UTC,
        };
        let known = |caller: &str, as_planned: &str| {
            let one = city.caller_form(caller).as_str() == city.caller_form(as_planned).as_str();
            let forms = city.caller_forms(caller);
            assert_eq!(forms.iter().any(|form| form.as_ref() == as_planned), one, "{caller}, {as_planned}");
            one
        };
        let mobile = ["13800000001", "+8613800000001", "013800000001", "008613800000001", "8613800000001"];
        let fixed = ["4420000", "03934420000", "+863934420000", "00863934420000", "863934420000"];
        for group in [mobile, fixed] {
            for (came, planned) in group.iter().flat_map(|came| group.iter().map(move |form| (came, form))) {
                assert!(known(came, planned), "{came} is {planned}");
            }
        }
        let plain = city.caller_form("13800000001");
        for dashed in ["138-0000-0001", "+86 13800000001".replace(' ', "-").as_str(), "(0)138.0000.0001"] {
            assert_eq!(city.caller_form(dashed).as_str(), plain.as_str(), "{dashed}");
        }
        for (came, planned) in [
            ("13800000001", "13800000002"),
            ("03714420000", "4420000"),
            ("+18613800000001", "13800000001"),
            ("110", "0110"),
            ("anonymous", "0anonymous"),
            ("", "0"),
        ] {
            assert!(!known(came, planned), "{came} is not {planned}");
        }
    }

    #[test]
    fn what_is_known_of_a_caller_is_found_by_any_form_and_what_comes_later_holds() {
        let city = City {
            name: String::new(),
            area_code: "0393".into(),
            country_code: "86".into(),
            org: None,
            time_zone: jiff::tz::TimeZone::UTC,
        };
        let mut known = ByCaller::default();
        known.insert(&city, "4420000", 1);
        known.insert(&city, "+13125550100", 2);
        known.insert(&city, "+863934420000", 3);
        let find = |caller: &str| known.get(&city.caller_form(caller)).copied();
        assert_eq!((find("03934420000"), find("+13125550100"), known.len()), (Some(3), Some(2), 2));
        let long = "1".repeat(60);
        for caller in ["03714420000", "13125550100", "anonymous", "", &long] {
            assert_eq!(find(caller), None, "{caller}");
        }
        let some = ByCaller::among(&city, ["13800000001", &long]);
        assert!(some.get(&city.caller_form("008613800000001")).is_some());
        assert!(some.get(&city.caller_form(&long)).is_some() && some.len() == 2);
    }
}
