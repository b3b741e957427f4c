//! What a trace must not hold: answers to digest challenges, keys of sound, keys that people press (a pick-up
//! code, a ticket's number), and numbers of people where they are not asked for. Every blank has the length of what it covers, so that lengths that a
//! message states stay true.

/// Headers whose values prove who somebody is (RFC 3261 §20.7, §20.28; RFC 8760; RFC 7615).
const SECRET: [&[u8]; 4] =
    [b"Authorization", b"Proxy-Authorization", b"Authentication-Info", b"Proxy-Authentication-Info"];
/// Headers that say people's numbers, long and compact names.
const NUMBERED: [&[u8]; 16] = [
    b"From",
    b"f",
    b"To",
    b"t",
    b"Contact",
    b"m",
    b"P-Asserted-Identity",
    b"P-Preferred-Identity",
    b"P-Called-Party-ID",
    b"Remote-Party-ID",
    b"Diversion",
    b"History-Info",
    b"Refer-To",
    b"r",
    b"Referred-By",
    b"b",
];
/// How types of bodies begin that tell keys: `application/dtmf`, `application/dtmf-relay`.
const KEYS: &[u8] = b"application/dtmf";
/// Shorter runs of digits are numbers of services and seats, not of people.
const PERSONAL_FROM: usize = 7;
/// Of numbers from this length on, the first three and last two digits show.
const SHOWN_FROM: usize = 9;

/// Covers the values of credentials, SRTP keys in SDP (RFC 4568 §6.1), and keys that are told by INFO.
pub(super) fn secrets(bytes: &mut [u8]) {
    let mut covered = false;
    let (mut is_first, mut tells_keys) = (true, false);
    each_line(bytes, |line, is_head| {
        if !is_head {
            if tells_keys {
                return cover_keys(line);
            }
            if line.starts_with(b"a=crypto:")
                // Its case does not count (RFC 5234 §2.3).
                && let Some(at) = line.windows(7).position(|part| part.eq_ignore_ascii_case(b"inline:"))
            {
                cover(&mut line[at + 7..]);
            }
            return;
        }
        // A line that begins with a blank goes on with the header before it.
        if line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
            if covered {
                cover(line);
            }
            return;
        }
        covered = false;
        if std::mem::take(&mut is_first) {
            // Whatever is in one, and whichever type it says: older gateways have their own.
            tells_keys = line.starts_with(b"INFO ");
        } else if matches!(line.first(), Some(b'C' | b'c'))
            && let Some((name, value)) = parts(line)
            && [&b"Content-Type"[..], b"c"].iter().any(|known| name.eq_ignore_ascii_case(known))
        {
            let kind = &line[value];
            tells_keys |= kind.get(..KEYS.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(KEYS));
        }
        // A look at one letter spares most lines the rest.
        if matches!(line.first(), Some(b'A' | b'a' | b'P' | b'p'))
            && let Some((name, value)) = parts(line)
            && SECRET.iter().any(|secret| name.eq_ignore_ascii_case(secret))
        {
            covered = true;
            let value = value.clone();
            let scheme = line[value.clone()].iter().position(|byte| *byte == b' ').map_or(0, |at| at + 1);
            // The scheme alone shows; a value of one word is covered whole.
            let from = if line[value.clone()].len() > scheme { scheme } else { 0 };
            cover(&mut line[value.start + from..]);
        }
    });
}

/// Covers the middle of people's numbers in the start line and in headers that name people.
pub(super) fn numbers(bytes: &mut [u8]) {
    let mut first = true;
    let mut named = false;
    each_line(bytes, |line, is_head| {
        if !is_head {
            return;
        }
        if std::mem::take(&mut first) {
            if !line.starts_with(b"SIP/") {
                cover_numbers(line);
            }
            return;
        }
        if !line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
            named = parts(line)
                .is_some_and(|(name, _)| NUMBERED.iter().any(|header| name.eq_ignore_ascii_case(header)));
        }
        if named {
            cover_numbers(line);
        }
    });
}

/// A header's name, and where its value stands in the line.
fn parts(line: &[u8]) -> Option<(&[u8], std::ops::Range<usize>)> {
    let colon = memchr::memchr(b':', line)?;
    let blanks = line[colon + 1..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    Some((line[..colon].trim_ascii_end(), colon + 1 + blanks..line.len()))
}

/// Covers what a line of an INFO says of keys: everything but the names of its fields, and how long a key was
/// held. Not by stars, which are keys.
fn cover_keys(line: &mut [u8]) {
    let equals = memchr::memchr(b'=', line);
    let name = equals.map_or(&[][..], |at| line[..at].trim_ascii());
    let is_one_line = memchr::memchr(b'\r', line).is_none();
    if is_one_line && name.eq_ignore_ascii_case(b"duration") {
        return;
    }
    let from = equals.filter(|_| name.eq_ignore_ascii_case(b"signal")).map_or(0, |at| at + 1);
    for byte in line[from..].iter_mut().filter(|byte| !byte.is_ascii_whitespace()) {
        *byte = b'x';
    }
}

/// Each line without its end, and whether it belongs to the head. Line ends before the start line are
/// none of the message's own (RFC 3261 §7.5).
fn each_line(bytes: &mut [u8], mut act: impl FnMut(&mut [u8], bool)) {
    let start = bytes.len() - bytes.trim_ascii_start().len();
    let (mut rest, mut is_head) = (&mut bytes[start..], true);
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (line, further) = rest.split_at_mut(end);
        let whole = line.strip_suffix(b"\n").unwrap_or(line);
        let length = whole.strip_suffix(b"\r").unwrap_or(whole).len();
        // A line of blanks goes on with the header before it: it does not end the head.
        is_head &= length > 0;
        act(&mut line[..length], is_head);
        rest = further;
    }
}

fn cover(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| !byte.is_ascii_whitespace()) {
        *byte = b'*';
    }
}

/// Covers runs of digits that stand alone: a tag, a port or part of an address is none.
fn cover_numbers(line: &mut [u8]) {
    let mut at = 0;
    while at < line.len() {
        let length = line[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let joins = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'=');
        let around = [at.checked_sub(1), Some(at + length)].into_iter().flatten();
        let alone = !around.filter_map(|place| line.get(place).copied()).any(joins);
        if length >= PERSONAL_FROM && alone {
            let run = &mut line[at..at + length];
            let shown = if length >= SHOWN_FROM { 3..length - 2 } else { 0..length };
            cover(&mut run[shown]);
        }
        at += length.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blanked(text: &str, act: fn(&mut [u8])) -> String {
        let mut bytes = text.as_bytes().to_vec();
        act(&mut bytes);
        assert_eq!(bytes.len(), text.len());
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn credentials_and_keys_are_covered_on_every_line_that_they_take() {
        let text = "REGISTER sip:h SIP/2.0\r\nauthorization : Digest username=\"1\",\r\n response=\"ab\"\r\n\
            Allow: BYE\r\nProxy-Authorization: secret\r\nAuthentication-Info:\r\n rspauth=\"cd\"\r\n\
            WWW-Authenticate: Digest nonce=\"n\"\r\n\r\na=crypto:1 AES inline:KEY|2^20\r\nAuthorization: a b\r\n";
        let expected = "REGISTER sip:h SIP/2.0\r\nauthorization : Digest *************\r\n *************\r\n\
            Allow: BYE\r\nProxy-Authorization: ******\r\nAuthentication-Info:\r\n ************\r\n\
            WWW-Authenticate: Digest nonce=\"n\"\r\n\r\na=crypto:1 AES inline:********\r\nAuthorization: a b\r\n";
        assert_eq!(blanked(text, secrets), expected);
        assert_eq!(blanked(&format!("\r\n\r\n{text}"), secrets), format!("\r\n\r\n{expected}"));
        let shouted = blanked("BYE x SIP/2.0\r\n\r\na=crypto:1 AES INLINE:KEY\r\n", secrets);
        assert!(shouted.ends_with("a=crypto:1 AES INLINE:***\r\n"), "{shouted}");
        let behind_blanks = "BYE x SIP/2.0\r\nVia: a\r\n \t\r\nAuthorization: Digest b\n\n";
        assert!(blanked(behind_blanks, secrets).ends_with("Authorization: Digest *\n\n"));
    }

    #[test]
    fn keys_that_are_told_by_info_are_covered_whatever_their_form() {
        let relay = "Content-Type: application/dtmf-relay";
        for (head, body, expected) in [
            (relay, "Signal=5\r\nDuration=160\r\n", "Signal=x\r\nDuration=160\r\n"),
            (relay, "signal = 11\nDuration= 160", "signal = xx\nDuration= 160"),
            (relay, "Duration=160\rSignal=5", "xxxxxxxxxxxx\rxxxxxxxx"),
            ("c:application/DTMF", "7\r\n", "x\r\n"),
            ("Content-Type:\r\n application/dtmf", "*", "x"),
            ("Content-Type: application/vnd.nortelnetworks.digits", "d=7", "xxx"),
            ("X: y", "Signal=5=6", "Signal=xxx"),
        ] {
            let text = format!("INFO sip:12345@h SIP/2.0\r\n{head}\r\nContent-Length: 9\r\n\r\n{body}");
            let covered = blanked(&text, secrets);
            let (head_left, left) = covered.split_once("\r\n\r\n").unwrap();
            assert_eq!((left, text.starts_with(head_left)), (expected, true), "{head} {body:?}");
            assert_eq!(blanked(&format!("\r\n{text}"), secrets), format!("\r\n{covered}"));
        }
        let other = "NOTIFY sip:h SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=5\r\n";
        assert!(blanked(other, secrets).ends_with("Signal=x\r\n"));
        let plain = "INVITE sip:h SIP/2.0\r\nContent-Type: application/sdp\r\n\r\nv=0\r\ns=Signal=5\r\n";
        assert_eq!(blanked(plain, secrets), plain);
    }

    #[test]
    fn numbers_of_people_are_covered_and_those_of_services_and_addresses_are_not() {
        for (line, expected) in [
            ("From: <sip:13800000042@h>;tag=1234567", "From: <sip:138******42@h>;tag=1234567"),
            ("f: tel:+8613800000042", "f: tel:+861********42"),
            ("To: <sip:12345@127.0.0.1:50600>", "To: <sip:12345@127.0.0.1:50600>"),
            ("P-Asserted-Identity: \"4420000\" <sip:a@h>", "P-Asserted-Identity: \"*******\" <sip:a@h>"),
            ("Call-ID: 13800000042", "Call-ID: 13800000042"),
        ] {
            let text = format!("INVITE sip:13800000042@h SIP/2.0\r\n{line}\r\n\r\nFrom: 13800000042\r\n");
            let expected =
                format!("INVITE sip:138******42@h SIP/2.0\r\n{expected}\r\n\r\nFrom: 13800000042\r\n");
            assert_eq!(blanked(&text, numbers), expected);
            assert_eq!(blanked(&format!("\r\n{text}"), numbers), format!("\r\n{expected}"));
        }
        let folded = "SIP/2.0 200 OK\r\nTo:\r\n <sip:13800000042@h>\r\n\r\n";
        assert!(blanked(folded, numbers).contains("138******42"));
    }

    #[test]
    fn whatever_bytes_come_they_are_blanked_without_a_fault() {
        for odd in
            ["", "\n", "Authorization", "Authorization:", "x\r\nAuthorization: \r\n", "\r\n\r\n 1234567"]
        {
            blanked(odd, secrets);
            blanked(odd, numbers);
        }
    }
}
