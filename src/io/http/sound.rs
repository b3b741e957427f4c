//! A recording's sound as an answer: all of it, or the part that is asked for (RFC 9110 §14), read piece by piece as it
//! is taken, so that the longest recording needs no more memory than a short one.

use std::io::{self, Read, Seek, SeekFrom};

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;

use super::problem::{self, Problem};
use crate::io::recorder::SoundFile;

/// Bytes of one piece.
const PIECE_BYTES: u64 = 1 << 16;

/// What a `Range` asks of so many bytes.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// All, as where the header is not there, or says what is not served: several parts, another unit.
    Whole,
    /// From, until and with.
    Span(u64, u64),
    /// None of it is there.
    Beyond,
}

/// One part, in bytes (RFC 9110 §14.1.2); anything else is passed over, as a server may (§14.2).
fn part(range: Option<&HeaderValue>, length: u64) -> Part {
    let span = range.and_then(|range| range.to_str().ok()?.trim().strip_prefix("bytes="));
    let Some((from, until)) = span.and_then(|span| span.trim().split_once('-')) else { return Part::Whole };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // One too large for us is beyond any file's end.
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let end = length.saturating_sub(1);
    match (number(from), number(until)) {
        (Some(from), Some(until)) if until < from => Part::Whole, // Not a range at all.
        (None, Some(0)) if from.is_empty() => Part::Beyond,
        (Some(from), to) if to.is_some() || until.is_empty() => match from < length {
            true => Part::Span(from, to.unwrap_or(end).min(end)),
            false => Part::Beyond,
        },
        (None, Some(count)) if from.is_empty() && length > 0 => Part::Span(length.saturating_sub(count), end),
        (None, Some(_)) if from.is_empty() => Part::Beyond,
        _ => Part::Whole,
    }
}

/// The answer. A chunk that is not as it was written ends it before its length: nobody hears what is not there.
pub(super) fn answer(
    mut sound: SoundFile,
    media_type: &'static str,
    range: Option<&HeaderValue>,
) -> Response {
    let length = sound.len();
    let (status, from, count) = match part(range, length) {
        Part::Whole => (StatusCode::OK, 0, length),
        Part::Span(from, until) => (StatusCode::PARTIAL_CONTENT, from, until - from + 1),
        Part::Beyond => {
            let span = format!("bytes */{length}");
            return ([(header::CONTENT_RANGE, span)], Problem::from(problem::NO_SUCH_RANGE)).into_response();
        }
    };
    if let Err(error) = sound.seek(SeekFrom::Start(from)) {
        tracing::error!(%error, "a recording cannot be played");
        return Problem::from(problem::BROKEN_RECORDING).into_response();
    }
    let body = Body::from_stream(stream::try_unfold((sound, count), |(sound, left)| next(sound, left)));
    let head = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_LENGTH, count.to_string()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
    ];
    let mut response = (status, head, body).into_response();
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(span) = HeaderValue::try_from(format!("bytes {from}-{}/{length}", from + count - 1))
    {
        response.headers_mut().insert(header::CONTENT_RANGE, span);
    }
    response
}

type Rest = (SoundFile, u64);

/// The next piece and what is behind it. Reads on a thread that may wait.
async fn next(mut sound: SoundFile, left: u64) -> io::Result<Option<(Bytes, Rest)>> {
    if left == 0 {
        return Ok(None);
    }
    let reading = tokio::task::spawn_blocking(move || {
        let mut piece = vec![0; left.min(PIECE_BYTES) as usize];
        sound.read_exact(&mut piece).map(|()| (piece, sound))
    });
    let read = reading.await.map_err(io::Error::other)?;
    let (piece, sound) =
        read.inspect_err(|error| tracing::error!(%error, "a recording cannot be played on"))?;
    let left = left - piece.len() as u64;
    Ok(Some((piece.into(), (sound, left))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_is_served_and_what_is_no_part_is_passed_over() {
        for (range, wanted) in [
            ("bytes=0-0", Part::Span(0, 0)),
            ("bytes=10-", Part::Span(10, 99)),
            ("bytes=10-19", Part::Span(10, 19)),
            ("bytes=90-4711", Part::Span(90, 99)),
            ("bytes=-5", Part::Span(95, 99)),
            ("bytes=-500", Part::Span(0, 99)),
            ("bytes=0-99999999999999999999999", Part::Span(0, 99)),
            ("bytes=100-", Part::Beyond),
            ("bytes=99999999999999999999999-", Part::Beyond),
            ("bytes=-0", Part::Beyond),
            ("bytes=19-10", Part::Whole),
            ("bytes=0-1,5-6", Part::Whole),
            ("bytes=a-5", Part::Whole),
            ("bytes=5-a", Part::Whole),
            ("bytes=+5-6", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=", Part::Whole),
            ("samples=0-1", Part::Whole),
        ] {
            assert_eq!(part(Some(&HeaderValue::from_static(range)), 100), wanted, "{range}");
        }
        assert_eq!(part(None, 100), Part::Whole);
        assert_eq!(part(Some(&HeaderValue::from_static("bytes=0-")), 0), Part::Beyond);
        assert_eq!(part(Some(&HeaderValue::from_static("bytes=-1")), 0), Part::Beyond);
    }
}
