//! Session-ID: the two UUIDs by which a call is followed through every box on its way (RFC 7989).

use super::message::Message;
use super::scan;

/// One UUID as it stands in the header: 32 lower-case hexadecimal digits.
pub type Uuid = [u8; 16];

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Two UUIDs and `;remote=`.
const VALUE_LEN: usize = 72;

/// Stands for an end that is not known yet (RFC 7989 §5).
pub const NULL: Uuid = [0; 16];

/// Both ends of a session, as seen from our side of a dialog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uuids {
    /// Whom the peer talks with: a UUID of ours, or the far end's of the leg that we join it to.
    pub local: Uuid,
    /// The peer's own; [`NULL`] until it told.
    pub remote: Uuid,
}

impl Uuids {
    /// The header's value. It stands in each message of a call, so it costs no memory of its own.
    pub fn value(&self) -> [u8; VALUE_LEN] {
        let mut value = [0; VALUE_LEN];
        let (local, rest) = value.split_at_mut(32);
        let (param, remote) = rest.split_at_mut(8);
        write_hex(&self.local, local);
        param.copy_from_slice(b";remote=");
        write_hex(&self.remote, remote);
        value
    }

    /// As an INVITE of ours says them.
    pub fn of_own(invite: &Message) -> Uuids {
        Uuids { local: local_of(invite).unwrap_or_default(), remote: NULL }
    }

    /// Takes over what the peer calls itself (RFC 7989 §6). It may change within a dialog, as the far
    /// end does when it is transferred.
    pub fn learn(&mut self, message: &Message) {
        if let Some(theirs) = local_of(message) {
            self.remote = theirs;
        }
    }
}

/// The value in a response without memory: we know of no far end (RFC 7989 §7).
pub fn echo(request: &Message) -> Option<[u8; VALUE_LEN]> {
    local_of(request).map(|remote| Uuids { local: NULL, remote }.value())
}

/// A UUID of version 4 from bits that were drawn (RFC 4122 §4.4).
pub fn drawn(high: u64, low: u64) -> Uuid {
    let mut uuid = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
    uuid[6] = uuid[6] & 0x0f | 0x40;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    uuid
}

fn write_hex(uuid: &Uuid, into: &mut [u8]) {
    for (byte, digits) in uuid.iter().zip(into.chunks_exact_mut(2)) {
        digits[0] = DIGITS[usize::from(byte >> 4)];
        digits[1] = DIGITS[usize::from(byte & 15)];
    }
}

/// What the sender of a message calls itself; `None` where it does not, or by the null UUID. The old
/// header without `remote` counts too (RFC 7989 §11).
fn local_of(message: &Message) -> Option<Uuid> {
    let value = message.header_named("Session-ID")?;
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    parse(scan::trim_end(&value[..end])).filter(|uuid| *uuid != NULL)
}

fn parse(text: &[u8]) -> Option<Uuid> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() == 32)?;
    let good = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    good.then(|| u128::from_str_radix(text, 16).ok()).flatten().map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::super::tags::hex;
    use super::*;

    #[test]
    fn a_session_id_is_32_hexadecimal_digits_or_nothing() {
        let theirs = "ab30317f1a784dc48ff824d0d3715d86";
        for (value, known) in [
            (theirs.to_owned(), true),
            (format!("{theirs};remote=47755a9de7794ba387653f2099600ef2"), true),
            (format!("{} ; x", theirs.to_ascii_uppercase()), true),
            (format!("{};remote={theirs}", "0".repeat(32)), false),
            (theirs[1..].to_owned(), false),
            (format!("+{}", &theirs[1..]), false),
            (format!("\"{theirs}\""), false),
            (String::new(), false),
        ] {
            let text = format!("BYE sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nSession-ID: {value}\r\n\r\n");
            let message = Message::parse(text.into()).unwrap();
            let mut uuids = Uuids::default();
            uuids.learn(&message);
            assert_eq!(hex(&uuids.remote) == theirs, known, "{value}");
            assert_eq!(echo(&message).is_some(), known, "{value}");
        }
    }

    #[test]
    fn a_uuid_of_ours_says_that_it_was_drawn() {
        let text = Uuids { local: drawn(u64::MAX, u64::MAX), remote: NULL }.value();
        assert_eq!(&text, b"ffffffffffff4fffbfffffffffffffff;remote=00000000000000000000000000000000");
    }
}
