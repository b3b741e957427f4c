//! `[[peer]]` as it is written, and all whom clerks ask by a number of their own: departments and peers.

use super::super::diagnostic::Text;
use super::super::read::Reader;
use super::calendar::HoursTable;
use super::people::DepartmentTable;
use super::reading::PEER_RING;
use super::{Field, RoutingTable};

/// `[[peer]]`.
#[derive(Debug)]
pub struct PeerTable {
    /// `number`, `name`, `trunk`, `dial`, `ring` and `hours`: as of a department.
    pub way: DepartmentTable,
    /// `org`.
    pub org: Field<String>,
    /// `parent`: the org above it.
    pub parent: Field<String>,
    /// `hands_over`: whether it hands calls over by its trunk.
    pub hands_over: Field<bool>,
    /// `priority` of those.
    pub priority: Field<i16>,
    /// `hops_max`.
    pub hops_max: Field<u8>,
}

impl PeerTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let unreachable = || Text::new("座席呼不到这个平台", "clerks could not call this platform");
        let unknown = Text::new(
            "不知道来电是哪个平台转来的，也认不出兜圈子的转接",
            "nobody could say which platform handed a call over, or that it goes round in a circle",
        );
        let unnamed = Text::new("报表里看不出是哪个平台", "reports would not show which platform it is");
        PeerTable {
            way: DepartmentTable {
                number: reader.required("number", unreachable()),
                name: reader.required("name", unnamed),
                trunk: reader.required("trunk", unreachable()),
                dial: reader.optional("dial"),
                ring: reader.or("ring", PEER_RING),
                hours: HoursTable::read(reader),
            },
            org: reader.required("org", unknown),
            parent: reader.optional("parent"),
            hands_over: reader.or("hands_over", true),
            priority: reader.or("priority", 0),
            hops_max: reader.or("hops_max", 3),
        }
    }
}

impl RoutingTable {
    /// Departments, and peers by what they have in common with them: a number by which clerks ask, a way, hours.
    pub fn asked(&self) -> impl Iterator<Item = &DepartmentTable> + Clone {
        self.departments.iter().chain(self.peers.iter().map(|peer| &peer.way))
    }
}
