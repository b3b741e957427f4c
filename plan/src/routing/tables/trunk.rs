//! `[[trunk]]` and `[[trunk_group]]` as they are written, and what stands in for what is not said.

use std::time::Duration;

use super::Field;
use super::reading::{secs, unnamed};
use crate::routing::diagnostic::{Spot, Text};
use crate::routing::plan::{DialledFrom, ForwardedIn, IpNet, SecretRef};
use crate::routing::read::Reader;
use crate::routing::rewrite::{Length, Pattern};
use crate::routing::sound::SoundTable;
use crate::routing::source::Said;
use crate::routing::trunk_terms::TrunkTermsTable;
use crate::routing::trunk_values::{Host, Number, Targets};

/// `[[trunk]]`.
#[derive(Debug)]
pub struct TrunkTable {
    /// The table.
    pub spot: Spot,
    /// `name`.
    pub name: Field<String>,
    /// `sources`.
    pub sources: Field<Vec<Said<IpNet>>>,
    /// `target`, one or several.
    pub target: Field<Targets>,
    /// `domain`.
    pub domain: Field<Host>,
    /// `account`.
    pub account: Option<AccountTable>,
    /// `register`.
    pub register: Field<Duration>,
    /// `probe`.
    pub probe: Field<ProbeSaid>,
    /// `dialled_from`.
    pub dialled_from: Field<Vec<Said<DialledFrom>>>,
    /// `trust_identity`.
    pub trust_identity: Field<bool>,
    /// `certificate`.
    pub certificate: Field<String>,
    /// `forwarded_in`.
    pub forwarded_in: Field<Vec<Said<ForwardedIn>>>,
    /// `connect_timeout`.
    pub connect_timeout: Field<Duration>,
    /// `calls_max`.
    pub calls_max: Field<u32>,
    /// `calls_per_second`.
    pub calls_per_second: Field<u32>,
    /// `priority`.
    pub priority: Field<u16>,
    /// `weight`.
    pub weight: Field<u16>,
    /// `drill`.
    pub drill: Field<bool>,
    /// `emergency_center`.
    pub emergency_center: Field<bool>,
    /// `codecs` and `srtp`.
    pub sound: SoundTable,
    /// `packet_time`, `dtmf`, `reliable`, `session_timer` and `session_expires`.
    pub terms: TrunkTermsTable,
    /// `rewrite`.
    pub rewrite: Option<RewriteTable>,
}

/// `account` of a trunk.
#[derive(Debug)]
pub struct AccountTable {
    /// The table.
    pub spot: Spot,
    /// `user`.
    pub user: Field<String>,
    /// `password`.
    pub password: Field<SecretRef>,
    /// `realm`.
    pub realm: Field<String>,
}

/// `probe` of a trunk.
#[derive(Debug)]
pub enum ProbeSaid {
    /// `true`, as the engine does it; `false`, not at all.
    Switch(bool),
    /// With figures.
    Table(ProbeTable),
}

/// `probe = { … }`.
#[derive(Debug)]
pub struct ProbeTable {
    /// `every`.
    pub every: Field<Duration>,
    /// `down_after`.
    pub down_after: Field<u32>,
    /// `up_after`.
    pub up_after: Field<u32>,
}

/// `rewrite` of a trunk: lists of rules.
#[derive(Debug)]
pub struct RewriteTable {
    /// `called`: numbers that go out.
    pub called: Vec<RuleTable>,
    /// `caller`: callers' numbers that go out.
    pub caller: Vec<RuleTable>,
    /// `called_inward`: dialled numbers that come in.
    pub called_inward: Vec<RuleTable>,
    /// `caller_inward`: callers' numbers that come in.
    pub caller_inward: Vec<RuleTable>,
}

/// One rule.
#[derive(Debug)]
pub struct RuleTable {
    /// The table.
    pub spot: Spot,
    /// Whether it says what to do, rightly or wrongly.
    pub acts: bool,
    /// `when`.
    pub when: Field<Pattern>,
    /// `length`.
    pub length: Field<Length>,
    /// `keep`.
    pub keep: Field<bool>,
    /// `to`.
    pub to: Field<Number>,
    /// `strip`.
    pub strip: Field<u8>,
    /// `add`.
    pub add: Field<Number>,
    /// `examples`.
    pub examples: Vec<ExampleTable>,
}

/// `{ from = "…", to = "…" }`.
#[derive(Debug)]
pub struct ExampleTable {
    /// `from`.
    pub from: Field<Number>,
    /// `to`.
    pub to: Field<Number>,
}

/// `[[trunk_group]]`.
#[derive(Debug)]
pub struct GroupTable {
    /// `name`.
    pub name: Field<String>,
    /// `trunks`.
    pub trunks: Field<Vec<Said<MemberTable>>>,
}

/// `"name"` or `{ trunk = "…", priority = 1, weight = 1 }`.
#[derive(Debug)]
pub struct MemberTable {
    /// `trunk`.
    pub trunk: Field<String>,
    /// `priority`; without it the trunk's own.
    pub priority: Field<u16>,
    /// `weight`; without it the trunk's own.
    pub weight: Field<u16>,
}

impl TrunkTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let at_first = vec![Said { value: DialledFrom::RequestUri, spot: reader.spot.clone() }];
        TrunkTable {
            spot: reader.spot.clone(),
            name: reader.required("name", unnamed()),
            sources: reader.or("sources", Vec::new()),
            target: reader.optional("target"),
            domain: reader.optional("domain"),
            account: reader.section("account", AccountTable::read),
            register: reader.optional("register"),
            probe: reader.optional("probe"),
            dialled_from: reader.or("dialled_from", at_first),
            trust_identity: reader.or("trust_identity", false),
            certificate: reader.optional("certificate"),
            forwarded_in: reader.or("forwarded_in", Vec::new()),
            connect_timeout: reader.or("connect_timeout", secs(4)),
            calls_max: reader.or("calls_max", 1_200),
            calls_per_second: reader.optional("calls_per_second"),
            priority: reader.or("priority", 1),
            weight: reader.or("weight", 1),
            drill: reader.or("drill", false),
            emergency_center: reader.or("emergency_center", false),
            sound: SoundTable::read(reader),
            terms: TrunkTermsTable::read(reader),
            rewrite: reader.section("rewrite", RewriteTable::read),
        }
    }
}

impl AccountTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let refused = || Text::new("运营商会拒绝每一个呼叫", "the carrier would refuse every call");
        AccountTable {
            spot: reader.spot.clone(),
            user: reader.required("user", refused()),
            password: reader.required("password", refused()),
            realm: reader.optional("realm"),
        }
    }
}

impl ProbeTable {
    /// What the table leaves out is as the engine does it.
    pub fn read(reader: &mut Reader<'_, '_>) -> Self {
        let usual = crate::routing::trunk::Probing::default();
        ProbeTable {
            every: reader.or("every", usual.every),
            down_after: reader.or("down_after", usual.down_after),
            up_after: reader.or("up_after", usual.up_after),
        }
    }
}

impl RewriteTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        RewriteTable {
            called: reader.sections("called", RuleTable::read),
            caller: reader.sections("caller", RuleTable::read),
            called_inward: reader.sections("called_inward", RuleTable::read),
            caller_inward: reader.sections("caller_inward", RuleTable::read),
        }
    }

    /// The four lists.
    pub fn lists(&self) -> [&[RuleTable]; 4] {
        [&self.called, &self.caller, &self.called_inward, &self.caller_inward]
    }
}

impl RuleTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let idle = Text::new("这条规则永远不会用上", "the rule would never apply");
        RuleTable {
            spot: reader.spot.clone(),
            acts: ["keep", "to", "strip", "add"].into_iter().any(|name| reader.has(name)),
            when: reader.required("when", idle),
            length: reader.optional("length"),
            keep: reader.optional("keep"),
            to: reader.optional("to"),
            strip: reader.optional("strip"),
            add: reader.optional("add"),
            examples: reader.sections("examples", ExampleTable::read),
        }
    }
}

impl ExampleTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let idle = || Text::new("没有这个例子，规则就无从核对", "without it nobody could check the rule");
        ExampleTable { from: reader.required("from", idle()), to: reader.required("to", idle()) }
    }
}

impl GroupTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let nowhere = Text::new("转往那里的来电全部失败", "every call that is put through to it would fail");
        GroupTable { name: reader.required("name", unnamed()), trunks: reader.required("trunks", nowhere) }
    }
}
