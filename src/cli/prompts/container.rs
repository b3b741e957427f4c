//! What is mended or named before a recording is decoded: lengths nobody knew, tags in front, kinds that are not read.

/// Kinds that people send and that are not read: where their mark is, the mark, what they are called.
const FOREIGN: [(usize, &[u8], &str); 7] = [
    (0, b"RF64", "RF64"),
    (0, b"BW64", "BW64"),
    (0, b"FORM", "AIFF"),
    (0, b".snd", "AU"),
    (4, b"ftyp", "M4A/MP4"),
    (28, b"OpusHead", "Opus"),
    (0, b"#!AMR", "AMR"),
];
/// From here on a length stands for one that nobody knew when the file began: no file that is taken is so long.
const UNKNOWN_FROM: u32 = 0x7FFF_0000;
/// A chunk's name and length.
const HEADER: usize = 8;

/// The name of a kind that is not read; `None` for others, known or not.
pub fn foreign(bytes: &[u8]) -> Option<&'static str> {
    let is =
        |(at, mark, _): &&(usize, &[u8], &str)| bytes.get(*at..).is_some_and(|own| own.starts_with(mark));
    FOREIGN.iter().find(is).map(|(_, _, name)| *name)
}

/// A WAV file that was streamed says 0 or some largest length: here it says its own. A length that could be
/// true stays, so that a file that was cut off is found out. Lists of tags are passed over, whatever is in them.
pub fn say_its_length(wav: &mut [u8]) {
    if !(wav.starts_with(b"RIFF") && wav.get(8..12) == Some(b"WAVE")) {
        return;
    }
    let Ok(length) = u32::try_from(wav.len() - HEADER) else { return };
    // What is consistent as a whole has an empty chunk where it says so.
    let is_unknown = |said: u32, whole: u32| said >= UNKNOWN_FROM || (said == 0 && whole != length);
    let whole = number(wav, 4).unwrap_or_default();
    let mut at = 12;
    while let Some(said) = number(wav, at + 4) {
        let behind = at + HEADER;
        match &wav[at..at + 4] {
            b"data" => {
                let rest = u32::try_from(wav.len() - behind).unwrap_or(length);
                let said = if is_unknown(said, whole) { rest } else { said };
                // The whole has room for its sound, even where that is cut off: so it is read until there.
                let whole = length.max(said.saturating_add(length - rest));
                wav[at + 4..behind].copy_from_slice(&said.to_le_bytes());
                wav[4..HEADER].copy_from_slice(&whole.to_le_bytes());
                return;
            }
            b"LIST" => wav[at..at + 4].copy_from_slice(b"JUNK"),
            _ => {}
        }
        // Chunks begin on even places.
        at += HEADER + (said as usize).saturating_add(1) / 2 * 2;
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// Behind the ID3v2 tags in front, which may hold a picture of any size (ID3v2.4 §3.1).
pub fn behind_tags(mut bytes: &[u8]) -> &[u8] {
    while let Some([b'I', b'D', b'3', _, _, flags, size @ ..]) = bytes.first_chunk::<10>() {
        // Seven bits a byte; a footer of ten bytes repeats the header.
        let size = size.iter().fold(0, |sum, byte| sum << 7 | usize::from(byte & 0x7F));
        let footer = if flags & 0x10 == 0 { 0 } else { 10 };
        let Some(rest) = bytes.get(10 + size + footer..) else { return bytes };
        bytes = rest;
    }
    bytes
}

/// Follows an MP3 stream frame by frame: a decoder passes over bytes that are no frame, and says nothing.
pub struct Frames<'b> {
    rest: &'b [u8],
    begun: bool,
    /// How many frames there are stands in the first one.
    pub counted: bool,
}

/// Longest frame of MPEG audio.
const FRAME_MAX: usize = 2_881;

impl<'b> Frames<'b> {
    /// From its first frame on.
    pub fn of(bytes: &'b [u8]) -> Frames<'b> {
        Frames { rest: bytes, begun: false, counted: false }
    }

    /// Whether this frame is the next one. In front of the first there may be one of figures, or the end of one.
    pub fn follows(&mut self, frame: &[u8]) -> bool {
        let passed = if self.begun { Some(0) } else { memchr::memmem::find(self.rest, frame) };
        let Some(passed) = passed.filter(|passed| *passed <= FRAME_MAX) else { return false };
        let head = &self.rest[..passed];
        self.counted |=
            [&b"Xing"[..], b"Info", b"VBRI"].iter().any(|mark| memchr::memmem::find(head, mark).is_some());
        self.begun = true;
        let rest = self.rest[passed..].strip_prefix(frame);
        self.rest = rest.unwrap_or_default();
        rest.is_some()
    }

    /// Whether nothing is left but tags or padding.
    pub fn is_over(&self) -> bool {
        let tags: [&[u8]; 4] = [b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"ID3"];
        tags.iter().any(|tag| self.rest.starts_with(tag)) || self.rest.iter().all(|byte| *byte == 0)
    }
}
