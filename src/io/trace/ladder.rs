//! A trace as a ladder for the terminal: one column a party, one line a message.

use std::fmt::Write as _;

use super::read::{Message, Trace};
use super::show::time;

/// Cells between two columns.
const RUNG: usize = 40;
/// Cells before the first column: the time.
const MARGIN: usize = 24;

impl Trace {
    /// Our own column comes second, after whoever called; further parties follow to the right.
    pub fn to_ladder(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "通话 / call {}", self.call);
        let Some(first) = self.messages.first() else {
            out.push_str("没有信令记录：已过保存期，或未启用 [trace] / no messages: too old by now, or [trace] is off\n");
            return out;
        };
        let _ = writeln!(out, "起始 / begins {}", time(first.at_us));
        let mut names: Vec<(String, String)> =
            self.parties.iter().map(|party| (party.label(), party.at.to_string())).collect();
        let at = names.len().min(1);
        names.insert(at, ("hotline".into(), first.local.to_string()));
        for line in [
            names.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            names.iter().map(|(_, at)| at.as_str()).collect(),
        ] {
            out.push_str(&heads(&line));
        }
        for message in &self.messages {
            self.rung(&mut out, message, first.at_us, names.len());
        }
        if self.left_out > 0 {
            let more = self.left_out;
            let _ = writeln!(out, "另有 {more} 条未显示 / {more} more are not shown");
        }
        out
    }

    fn rung(&self, out: &mut String, message: &Message, began_us: i64, columns: usize) {
        let (ours, theirs) = (1, if message.party == 0 { 0 } else { message.party + 1 });
        let (left, right) = (ours.min(theirs), ours.max(theirs));
        let to_right = message.sent == (theirs > ours);
        let words = message.words();
        let mut label = words.what;
        for (before, part, after) in [(" (", words.cseq.as_str(), ")"), (" ", words.sdp, "")] {
            if !part.is_empty() {
                let _ = write!(label, "{before}{part}{after}");
            }
        }
        if message.again {
            label.push_str(" 重发/again");
        }
        let span = (right - left) * RUNG - 1;
        let label = cut(&label, span - 6);
        let rest = span - 4 - width(&label);
        let arrow = match to_right {
            true => format!("── {label} {}▶", "─".repeat(rest - 1)),
            false => format!("◀─ {label} {}", "─".repeat(rest)),
        };
        let millis = (message.at_us - began_us) as f64 / 1_000.0;
        let mut line = format!("{:>width$} ms ", format!("+{millis:.1}"), width = MARGIN - 4);
        for column in 0..columns {
            // The arrow runs over the columns in between.
            if column <= left || column >= right {
                line.push('│');
            }
            if column == left {
                line.push_str(&arrow);
            } else if (column < left || column >= right) && column + 1 < columns {
                line.push_str(&" ".repeat(RUNG - 1));
            }
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// One line of the head: each text in the middle over its column.
fn heads(texts: &[&str]) -> String {
    let mut line = String::new();
    for (column, text) in texts.iter().enumerate() {
        let text = cut(text, RUNG - 2);
        let from = (MARGIN + column * RUNG).saturating_sub(width(&text) / 2);
        line.push_str(&" ".repeat(from.saturating_sub(width(&line))));
        line.push_str(&text);
    }
    line.push('\n');
    line
}

/// Cells that a text takes on a terminal: two for each letter of Chinese.
fn width(text: &str) -> usize {
    text.chars().map(cells).sum()
}

fn cells(letter: char) -> usize {
    match letter {
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}' => 2,
        _ => 1,
    }
}

/// The beginning of a text that is too wide.
fn cut(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let mut left = most.saturating_sub(1);
    let mut out: String = text
        .chars()
        .take_while(|letter| {
            let fits = cells(*letter) <= left;
            left = left.saturating_sub(cells(*letter));
            fits
        })
        .collect();
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{CallId, Dice};
    use crate::io::trace::Party;
    use crate::sip::Transport;
    use crate::sip::event::Origin;

    #[test]
    fn a_ladder_has_a_column_for_each_party_and_an_arrow_for_each_message() {
        let at = |text: &str| text.parse().unwrap();
        let party = |name: Origin, text: &str| Party { name: Some(name), at: at(text) };
        let message = |at_us: i64, party: usize, sent: bool, again: bool, text: &str| Message {
            at_us,
            sent,
            transport: Transport::Udp,
            local: at("192.0.2.1:5060"),
            party,
            again,
            bytes: text.replace('\n', "\r\n").into_bytes().into(),
        };
        let head = "\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\nTo: <sip:c@d>\nCall-ID: i\n";
        let sdp = "Content-Type: application/sdp\nContent-Length: 5\n\nv=0\n";
        let trace = Trace {
            call: CallId::draw(0, &mut Dice::seeded(1)),
            parties: vec![
                party(Origin::Trunk("运营商".into()), "192.0.2.7:5060"),
                party(Origin::Seat("1001".into()), "198.51.100.9:5062"),
            ],
            messages: vec![
                message(
                    0,
                    0,
                    false,
                    false,
                    &format!("INVITE sip:12345@x SIP/2.0{head}CSeq: 1 INVITE\n{sdp}"),
                ),
                message(700, 0, true, true, &format!("SIP/2.0 100 Trying{head}CSeq: 1 INVITE\n\n")),
                message(
                    1_500_250,
                    1,
                    true,
                    false,
                    &format!("INVITE sip:1001@x SIP/2.0{head}CSeq: 1 INVITE\n\n"),
                ),
                message(1_600_000, 1, false, false, "nothing known"),
            ],
            left_out: 2,
        };
        let ladder = trace.to_ladder();
        let mut lines = ladder.lines().skip(2);
        for wanted in [
            "                中继 trunk 运营商                            hotline                             座席 seat 1001",
            "                 192.0.2.7:5060                          192.0.2.1:5060                         198.51.100.9:5062",
            "                +0.0 ms │── INVITE 12345 (1 INVITE) SDP ───────▶│                                       │",
            "                +0.7 ms │◀─ 100 Trying (1 INVITE) 重发/again ───│                                       │",
            "             +1500.2 ms │                                       │── INVITE 1001 (1 INVITE) ────────────▶│",
            "             +1600.0 ms │                                       │◀─ nothing known ──────────────────────│",
            "另有 2 条未显示 / 2 more are not shown",
        ] {
            assert_eq!(lines.next(), Some(wanted), "\n{ladder}");
        }
    }
}
