//! `[[meeting]]` as it is written.

use super::super::diagnostic::{Spot, Text};
use super::super::meeting::{MEMBERS_MAX, SEATS};
use super::super::read::Reader;
use super::super::source::Said;
use super::Field;

/// `[[meeting]]`.
#[derive(Debug)]
pub struct MeetingTable {
    /// The table.
    pub spot: Spot,
    /// `name`.
    pub name: Field<String>,
    /// `prefix`.
    pub prefix: Field<String>,
    /// `digits`.
    pub digits: Field<u8>,
    /// `members_max`.
    pub members_max: Field<u32>,
    /// `prompt`.
    pub prompt: Field<String>,
    /// `record`.
    pub record: Field<bool>,
    /// `from`: `seats`, and names of trunks.
    pub from: Field<Vec<Said<String>>>,
}

impl MeetingTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let unreachable = Text::new("没有号码通向会议室", "no number would lead to the rooms of the meeting");
        MeetingTable {
            spot: reader.spot.clone(),
            name: reader.required("name", super::reading::unnamed()),
            prefix: reader.required("prefix", unreachable.clone()),
            digits: reader.required("digits", unreachable),
            members_max: reader.or("members_max", MEMBERS_MAX),
            prompt: reader.optional("prompt"),
            record: reader.or("record", false),
            from: Self::from(reader),
        }
    }

    /// Seats only, where nothing is said.
    fn from(reader: &mut Reader<'_, '_>) -> Field<Vec<Said<String>>> {
        let seats = Said { value: SEATS.to_owned(), spot: reader.spot_of("from") };
        reader.or("from", vec![seats])
    }
}
