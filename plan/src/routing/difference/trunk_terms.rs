//! How a trunk is dealt with, in words.

use super::super::diagnostic::Text;
use super::super::trunk_terms::{Dtmf, Reliability, SessionTimer, TrunkTerms};
use super::super::written::duration;
use super::describe::Item;

pub(super) fn terms(item: Item, terms: &TrunkTerms) -> Item {
    let TrunkTerms { packet_time, dtmf, reliable, session_timer, session_expires } = terms;
    let dtmf = match dtmf {
        Dtmf::Auto => Text::new("自动", "auto"),
        Dtmf::Rfc4733 => Text::new("RFC 4733", "RFC 4733"),
        Dtmf::Inband => Text::new("带内音", "tones"),
        Dtmf::Info => Text::new("INFO", "INFO"),
    };
    let reliable = match reliable {
        Reliability::Supported => Text::new("支持", "supported"),
        Reliability::Required => Text::new("必须", "required"),
        Reliability::Off => Text::new("不用", "off"),
    };
    let timer = match session_timer {
        SessionTimer::Supported => Text::new("支持", "supported"),
        SessionTimer::Off => Text::new("不用", "off"),
    };
    item.with("包长", "packet time", packet_time.map_or_else(|| "-".to_owned(), duration))
        .with_text("按键", "keys", dtmf)
        .with_text("可靠临时应答", "reliable provisional answers", reliable)
        .with_text("会话定时器", "session timer", timer)
        .with("会话间隔", "session interval", session_expires.map_or_else(|| "-".to_owned(), duration))
}
