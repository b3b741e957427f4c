//! What becomes of a call to a meeting's room: of one who may join, and of one who may not.

use super::super::diagnostic::Text;
use super::super::meeting::{Comer, Meeting, SEATS};
use super::super::number::Dialled;
use super::super::plan::Plan;
use super::deciding::Deciding;

impl Plan {
    /// In words, where the number is a room that this caller may not join.
    pub(super) fn closed_door(
        &self,
        comer: Comer<'_>,
        dialled: &Dialled,
        deciding: &mut Deciding<'_>,
    ) -> Option<Vec<Text>> {
        let (meeting, number, _) = self.room_dialled(comer, dialled)?;
        deciding.door(meeting);
        let (who, status) = match comer {
            Comer::Seat => (Text::new("座席", "seats"), 403),
            Comer::Trunk(trunk) => {
                (Text::new(format!("中继 {}", trunk.id), format!("the trunk {}", trunk.id)), 404)
            }
        };
        let open_to = meeting.open_to();
        Some(vec![Text::new(
            format!(
                "{number} 是会议 \"{}\" 的房间，只向 {open_to} 开放，不向{}开放: {status} 拒绝",
                meeting.name, who.zh
            ),
            format!(
                "{number} is a room of the meeting \"{}\", open to {open_to}, not to {}: refused with {status}",
                meeting.name, who.en
            ),
        )])
    }

    /// The step of joining.
    pub(super) fn meet_words(&self, room: u64) -> Text {
        let number = room.to_string();
        let Some(meeting) = self.meeting_of(&number) else { return Text::new("", "") };
        let (own, most) = (meeting.room(&number).unwrap_or_default(), meeting.members_max);
        Text::new(
            format!(
                "加入会议 \"{}\" 的房间 {own}，最多 {most} 人，满员时 486 拒绝；按 *6 静音或恢复",
                meeting.name
            ),
            format!(
                "joins the room {own} of the meeting \"{}\": {most} members at most, then refused with 486; *6 mutes and unmutes",
                meeting.name
            ),
        )
    }
}

impl Meeting {
    /// As the file has it.
    fn open_to(&self) -> String {
        let seats = self.seats.then_some(SEATS).into_iter();
        let names: Vec<&str> = seats.chain(self.trunks.iter().map(|trunk| trunk.as_str())).collect();
        names.join(", ")
    }
}
