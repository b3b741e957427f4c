//! The header lines of a message: where each begins and ends (RFC 3261 §7.3).
//!
//! Which header it is, is decided here; what it says is for the readers in `header`.

use bytes::{Bytes, BytesMut};

use super::fault::Fault;
use super::message::TOO_LARGE;
use super::name::Name;
use super::scan::{self, Span};

/// Most header lines: a request with more earns 513.
pub const HEADERS_MAX: usize = 256;

/// So many header lines have their room in the message's own allocation.
const HEADERS_USUAL: usize = 24;

/// One header line, continuations included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) name: Name,
    pub(super) label: Span,
    pub(super) value: Span,
}

/// The header lines in order.
#[derive(Debug)]
pub(super) struct Lines {
    few: [Line; HEADERS_USUAL],
    /// How many of `few` are lines, while `many` is empty.
    len: usize,
    /// All of them, once they are more than `few` holds.
    many: Vec<Line>,
}

impl Lines {
    pub(super) fn as_slice(&self) -> &[Line] {
        if self.many.is_empty() { &self.few[..self.len] } else { &self.many }
    }

    fn push(&mut self, line: Line) {
        if let Some(room) = self.few.get_mut(self.len) {
            *room = line;
            self.len += 1;
            return;
        }
        if self.many.is_empty() {
            self.many.reserve(4 * HEADERS_USUAL);
            self.many.extend_from_slice(&self.few);
        }
        self.many.push(line);
    }

    fn last_mut(&mut self) -> Option<&mut Line> {
        if self.many.is_empty() { self.few[..self.len].last_mut() } else { self.many.last_mut() }
    }
}

impl Default for Lines {
    fn default() -> Self {
        let none = Line { name: Name::Other, label: Span { at: 0, end: 0 }, value: Span { at: 0, end: 0 } };
        Lines { few: [none; HEADERS_USUAL], len: 0, many: Vec::new() }
    }
}

/// What a walk over the header lines found beside the lines.
#[derive(Debug)]
pub(super) struct Head {
    /// Where the body begins.
    pub(super) end: usize,
    /// A value goes on over a line's end.
    pub(super) folded: bool,
    pub(super) fault: Option<Fault>,
}

/// Walks the header lines of `raw` from `at` to the empty line.
pub(super) fn read_head(raw: &[u8], at: usize, lines: &mut Lines) -> Head {
    let mut walk = Walk { raw, lines, folded: false, fault: None };
    let end = walk.reach_the_empty_line(at);
    Head { end, folded: walk.folded, fault: walk.fault }
}

struct Walk<'a> {
    raw: &'a [u8],
    lines: &'a mut Lines,
    folded: bool,
    fault: Option<Fault>,
}

impl Walk<'_> {
    fn reach_the_empty_line(&mut self, first: usize) -> usize {
        let raw = self.raw;
        let (mut at, mut line_ends) = (first, 0);
        loop {
            let Some(line_len) = memchr::memchr(b'\n', &raw[at..]) else {
                self.fault.get_or_insert(Fault::bad_request("Header Has No End"));
                return raw.len();
            };
            let line = &raw[at..at + line_len];
            line_ends += usize::from(line.last() == Some(&b'\r'));
            match line {
                [] | [b'\r'] => {
                    let end = at + line_len + 1;
                    // A CR alone ends a line for some who may read what we pass on.
                    if memchr::memchr_iter(b'\r', &raw[first..end]).count() != line_ends {
                        self.fault.get_or_insert(Fault::bad_request("Bare CR In Header"));
                    }
                    return end;
                }
                [b' ' | b'\t', ..] => self.continue_line(line),
                _ if self.lines.as_slice().len() == HEADERS_MAX => self.fault = Some(TOO_LARGE),
                _ => self.add_line(line),
            }
            at += line_len + 1;
        }
    }
    fn add_line(&mut self, line: &[u8]) {
        let raw = self.raw;
        // Names are short: one plain walk beats setting up a vector search.
        let label = &line[..scan::token_len(line)];
        let blanks = line[label.len()..].iter().take_while(|byte| scan::is_blank(**byte)).count();
        let colon = label.len() + blanks;
        if label.is_empty() || line.get(colon) != Some(&b':') {
            // It stays in place under no name, so that its continuations go with it.
            self.fault.get_or_insert(Fault::bad_request("Bad Header Line"));
            self.lines.push(Line {
                name: Name::Other,
                label: Span::default(),
                value: Span::of(raw, scan::trim(line)),
            });
            return;
        }
        self.lines.push(Line {
            name: Name::of(label),
            label: Span::of(raw, label),
            value: Span::of(raw, scan::trim(&line[colon + 1..])),
        });
    }

    fn continue_line(&mut self, line: &[u8]) {
        let more = scan::trim(line);
        let Some(last) = self.lines.last_mut() else {
            self.fault.get_or_insert(Fault::bad_request("Bad Header Line"));
            return;
        };
        if more.is_empty() || self.fault == Some(TOO_LARGE) {
            return;
        }
        let more = Span::of(self.raw, more);
        if last.value.at == last.value.end {
            last.value = more;
        } else {
            last.value.end = more.end;
            self.folded = true;
        }
    }
}

/// A copy of the head of `raw`, which ends at `end`, with CR and LF inside header values blanked
/// (RFC 3261 §7.3.1).
pub(super) fn unfold(raw: &[u8], end: usize, lines: &Lines) -> Bytes {
    let mut text = BytesMut::from(&raw[..end]);
    for line in lines.as_slice() {
        for byte in &mut text[line.value.range()] {
            if matches!(*byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
    }
    text.freeze()
}
