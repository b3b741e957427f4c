//! One description: what is read is written and read again the same, and nothing in it is unbounded.

use hotline::sip::sdp::{FORMATS_MAX, MEDIA_MAX, Sdp};

pub fn check(data: &[u8]) {
    let Ok(sdp) = Sdp::parse(data) else { return };
    assert!(sdp.media.len() <= MEDIA_MAX);
    for media in &sdp.media {
        assert!(media.formats.len() <= FORMATS_MAX);
        assert!(media.rtpmap.len() <= FORMATS_MAX && media.fmtp.len() <= FORMATS_MAX);
        let _ = (sdp.address_of(media), sdp.direction_of(media));
        for format in &media.formats {
            if let Ok(number) = format.parse() {
                let _ = (media.encoding(number), media.parameters(number));
            }
        }
    }
    let written = sdp.write();
    // CR and LF end lines and stand nowhere else.
    assert!(written.split(|byte| *byte == b'\n').all(|line| line.is_empty() || line.ends_with(b"\r")));
    assert_eq!(Sdp::parse(&written).as_ref(), Ok(&sdp));
}
