//! What a recording's files are called: `recordings/YYYY-MM-DD/<call>.wav`, and `<call>-<leg>.wav`
//! for the sound of one leg; `.flac` once they are compressed, `.wav.sealed` or `.flac.sealed` once they are encrypted.

use std::path::Path;

use jiff::tz::TimeZone;

use crate::id::CallId;
use crate::time::Timestamp;

/// The directory of all recordings, under the data directory.
pub const DIRECTORY: &str = "recordings";
/// While it grows, a file has this after its name; [`super::repair`] looks for it.
pub const UNFINISHED: &str = "part";
/// An encrypted file has this after its name.
pub const SEALED: &str = "sealed";
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

    /// By the name of a file, sealed or not.
    pub fn of(file: &str) -> Option<Format> {
        let file = clear_name(file);
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
    /// Whether it is encrypted.
    pub sealed: bool,
}

impl FileName {
    /// Of a recording that begins.
    pub fn new(call: CallId, track: Option<u16>) -> Self {
        FileName { call, track, format: Format::Wav, sealed: false }
    }

    /// Whose file this is; `None`: none of ours.
    pub fn parse(name: &str) -> Option<Self> {
        let format = Format::of(name)?;
        let stem = clear_name(name).strip_suffix(format.extension())?.strip_suffix('.')?;
        let (id, rest) = stem.split_at_checked(ID_LETTERS)?;
        let track = match rest.strip_prefix('-') {
            None if rest.is_empty() => None,
            None => return None,
            Some(leg) => Some(leg.parse().ok()?),
        };
        let name_ = FileName { call: CallId::parse(id)?, track, format, sealed: is_sealed(name) };
        (name_.text() == name).then_some(name_)
    }

    /// The name.
    pub fn text(&self) -> String {
        let (call, extension) = (self.call, self.format.extension());
        let clear = match self.track {
            None => format!("{call}.{extension}"),
            Some(leg) => format!("{call}-{leg}.{extension}"),
        };
        if self.sealed { sealed_name(&clear) } else { clear }
    }

    /// With its day, under the data directory.
    pub fn on(&self, day: &str) -> String {
        format!("{DIRECTORY}/{day}/{}", self.text())
    }
}

/// The file of one leg's sound, beside `file` of both sides; without a leg, `file` itself.
pub fn of_track(file: &str, call: CallId, track: Option<u16>) -> String {
    match file.rsplit_once('/') {
        Some((directory, _)) if track.is_some() => {
            format!("{directory}/{}", FileName::new(call, track).text())
        }
        _ => file.to_owned(),
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
    let stem = clear_name(file).strip_suffix(format.extension())?;
    // The WAV file first, then what else is in the clear: each goes only when what is made of it is there.
    let forms = [(Format::Wav, false), (Format::Flac, false), (Format::Flac, true), (Format::Wav, true)];
    forms.into_iter().find_map(|(format, sealed)| {
        let clear = format!("{stem}{}", format.extension());
        let file = if sealed { sealed_name(&clear) } else { clear };
        stands(&file).then_some((file, format))
    })
}

/// Whether there is an encrypted recording under `data`. Looks no further than the first, newest day first.
pub fn has_sealed(data: &Path) -> bool {
    let names = super::repair::names;
    let directory = data.join(DIRECTORY);
    names(&directory).iter().rev().any(|day| names(&directory.join(day)).iter().any(|name| is_sealed(name)))
}

/// Whether a file of this name is encrypted.
pub fn is_sealed(file: &str) -> bool {
    clear_name(file).len() < file.len()
}

/// The name of a file without what says that it is sealed.
pub fn clear_name(file: &str) -> &str {
    file.strip_suffix(SEALED).and_then(|rest| rest.strip_suffix('.')).unwrap_or(file)
}

/// What `clear` is called once it is encrypted.
pub fn sealed_name(clear: &str) -> String {
    format!("{clear}.{SEALED}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Dice;

    #[test]
    fn a_track_lies_beside_the_recording_of_both_sides() {
        let call = CallId::draw(1_630_427_400_000, &mut Dice::seeded(11));
        let both = FileName::new(call, None).on("2021-09-01");
        assert_eq!(of_track(&both, call, None), both);
        assert_eq!(of_track(&both, call, Some(2)), FileName::new(call, Some(2)).on("2021-09-01"));
    }

    #[test]
    fn names_are_read_as_they_are_written_and_others_are_none_of_ours() {
        let call = CallId::draw(1_630_427_400_000, &mut Dice::seeded(11));
        for track in [None, Some(0), Some(65_535)] {
            for (format, sealed) in
                [(Format::Wav, false), (Format::Flac, false), (Format::Wav, true), (Format::Flac, true)]
            {
                let name = FileName { call, track, format, sealed };
                assert_eq!(FileName::parse(&name.text()), Some(name));
                assert_eq!((Format::of(&name.text()), is_sealed(&name.text())), (Some(format), sealed));
            }
        }
        for strange in [
            "notes.txt".to_owned(),
            "é".repeat(40) + ".wav",
            format!("{call}"),
            format!("{call}wav"),
            format!("{call}.wav.part"),
            format!("{call}.wav.sealed.part"),
            format!("{call}.wav.sealed.sealed"),
            format!("{call}.sealed"),
            format!("{call}.wavsealed"),
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
