//! What a recording's files are called: `recordings/YYYY-MM-DD/<call>.wav`, and `<call>-<leg>.wav`
//! for the sound of one leg; `.flac` once they are compressed.

use std::path::Path;

use jiff::tz::TimeZone;

use crate::id::CallId;
use crate::time::Timestamp;

/// The directory of all recordings, under the data directory.
pub const DIRECTORY: &str = "recordings";
/// While it grows, a file has this after its name; [`super::repair`] looks for it.
pub const UNFINISHED: &str = "part";
/// Letters of a call's id in text.
const ID_LETTERS: usize = 36;

/// How a file holds its sound.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Format {
    /// Linear, 16 bit.
    Wav,
    /// RFC 9639, the same samples.
    Flac,
}

impl Format {
    /// As in a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Wav => "wav",
            Format::Flac => "flac",
        }
    }

    /// For HTTP.
    pub fn media_type(self) -> &'static str {
        match self {
            Format::Wav => "audio/wav",
            Format::Flac => "audio/flac",
        }
    }

    /// By the name of a file.
    pub fn of(file: &str) -> Option<Format> {
        [Format::Wav, Format::Flac]
            .into_iter()
            .find(|format| file.strip_suffix(format.extension()).is_some_and(|rest| rest.ends_with('.')))
    }
}

/// The name of one file, without its day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct FileName {
    /// Whose.
    pub call: CallId,
    /// Index of the leg whose sound alone it holds; `None`: both sides.
    pub track: Option<u16>,
    /// As what.
    pub format: Format,
}

impl FileName {
    /// Of a recording that begins.
    pub fn new(call: CallId, track: Option<u16>) -> Self {
        FileName { call, track, format: Format::Wav }
    }

    /// Whose file this is; `None`: none of ours.
    pub fn parse(name: &str) -> Option<Self> {
        let format = Format::of(name)?;
        let stem = name.strip_suffix(format.extension())?.strip_suffix('.')?;
        let (id, rest) = stem.split_at_checked(ID_LETTERS)?;
        let track = match rest.strip_prefix('-') {
            None if rest.is_empty() => None,
            None => return None,
            Some(leg) => Some(leg.parse().ok()?),
        };
        let name_ = FileName { call: CallId::parse(id)?, track, format };
        (name_.text() == name).then_some(name_)
    }

    /// The name.
    pub fn text(&self) -> String {
        let (call, extension) = (self.call, self.format.extension());
        match self.track {
            None => format!("{call}.{extension}"),
            Some(leg) => format!("{call}-{leg}.{extension}"),
        }
    }

    /// With its day, under the data directory.
    pub fn on(&self, day: &str) -> String {
        format!("{DIRECTORY}/{day}/{}", self.text())
    }
}

/// The day that a recording is filed under.
pub fn day_of(begun: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(begun).date().to_string()
}

/// A recording's file as it is now: `file`, as its record names it, or what became of it.
pub fn kept(data: &Path, file: &str) -> Option<(String, Format)> {
    let stands = |file: &str| data.join(file).symlink_metadata().is_ok_and(|found| found.is_file());
    let format = Format::of(file)?;
    let stem = file.strip_suffix(format.extension())?;
    // The WAV file first: it goes only when the other is there.
    [Format::Wav, Format::Flac].into_iter().find_map(|format| {
        let file = format!("{stem}{}", format.extension());
        stands(&file).then_some((file, format))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Dice;

    #[test]
    fn names_are_read_as_they_are_written_and_others_are_none_of_ours() {
        let call = CallId::draw(1_630_427_400_000, &mut Dice::seeded(11));
        for track in [None, Some(0), Some(65_535)] {
            for format in [Format::Wav, Format::Flac] {
                let name = FileName { call, track, format };
                assert_eq!(FileName::parse(&name.text()), Some(name));
            }
        }
        for strange in [
            "notes.txt".to_owned(),
            "é".repeat(40) + ".wav",
            format!("{call}"),
            format!("{call}wav"),
            format!("{call}.wav.part"),
            format!("{call}-.wav"),
            format!("{call}-01.wav"),
            format!("{call}-65536.wav"),
            format!("{call}x.wav"),
            format!("{}.wav", call.to_string().to_uppercase()),
        ] {
            assert_eq!(FileName::parse(&strange), None, "{strange}");
        }
    }
}
