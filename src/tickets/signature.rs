//! Signed webhooks after Standard Webhooks 1.0: three headers by which a receiver knows that an
//! event is ours, whole, and fresh.
//!
//! The symmetric scheme only (`v1`, HMAC-SHA256). Where secrets are kept is for `io`.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The event's id: the same on every retry, so it is the receiver's idempotency key.
pub const ID_HEADER: &str = "webhook-id";
/// Seconds since 1970-01-01 UTC, when this try was signed.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// `v1,<base64>`; several, separated by spaces, while a secret is being changed.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// How far a receiver's clock and ours may be apart.
pub const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// What a secret may begin with, to be told from other strings.
const SECRET_PREFIX: &str = "whsec_";

/// Shortest secret, bytes: below it a signature can be guessed at leisure.
const SECRET_MIN: usize = 24;

/// A shared secret. It never shows itself.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a text is not a secret. The text is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Not base64.
    #[error("the secret is not base64, with or without \"whsec_\" before it")]
    NotBase64,
    /// Below [`SECRET_MIN`] bytes.
    #[error("the secret has {0} bytes; at least {SECRET_MIN} are needed")]
    TooShort(usize),
}

/// Why a receiver must not believe an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The timestamp is not a number.
    #[error("webhook-timestamp is not a number of seconds")]
    Timestamp,
    /// Outside [`TOLERANCE`].
    #[error("webhook-timestamp is {0} s away from this clock")]
    Stale(u64),
    /// No signature in the header fits.
    #[error("no signature fits the event")]
    Mismatch,
}

impl Secret {
    /// Reads base64, with or without `whsec_` before it; blanks and line ends around it are not part of it.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        let key = STANDARD
            .decode(text.strip_prefix(SECRET_PREFIX).unwrap_or(text))
            .map_err(|_| SecretError::NotBase64)?;
        if key.len() < SECRET_MIN {
            return Err(SecretError::TooShort(key.len()));
        }
        Ok(Secret(key))
    }

    /// Writes `key` as [`Secret::parse`] reads it: for secrets created on first run.
    pub fn text_of(key: &[u8]) -> String {
        format!("{SECRET_PREFIX}{}", STANDARD.encode(key))
    }

    /// The three headers for one try at `unix_s`, seconds since 1970-01-01 UTC.
    pub fn headers(&self, id: &str, unix_s: i64, body: &[u8]) -> [(&'static str, String); 3] {
        let timestamp = unix_s.to_string();
        let mac = self.mac(id, &timestamp, body).finalize().into_bytes();
        let signature = format!("v1,{}", STANDARD.encode(mac));
        [(ID_HEADER, id.to_owned()), (TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, signature)]
    }

    /// Judges what a receiver was sent, by its clock `unix_s`; the comparison takes equally long
    /// wherever a signature differs.
    pub fn verify(
        &self,
        id: &str,
        timestamp: &str,
        signatures: &str,
        body: &[u8],
        unix_s: i64,
    ) -> Result<(), SignatureError> {
        let signed_at: i64 = timestamp.parse().map_err(|_| SignatureError::Timestamp)?;
        let apart = signed_at.abs_diff(unix_s);
        if apart > TOLERANCE.as_secs() {
            return Err(SignatureError::Stale(apart));
        }
        let mac = self.mac(id, timestamp, body);
        signatures
            .split(' ')
            .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
            .find(|signature| mac.clone().verify_slice(signature).is_ok())
            .map(|_| ())
            .ok_or(SignatureError::Mismatch)
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that Standard Webhooks' reference libraries test themselves with.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn the_published_example_is_signed_as_published() {
        let secret = Secret::parse(SECRET).unwrap();
        let [id, timestamp, signature] = secret.headers(ID, AT, BODY);
        assert_eq!(id, ("webhook-id", ID.to_owned()));
        assert_eq!(timestamp, ("webhook-timestamp", AT.to_string()));
        assert_eq!(signature, ("webhook-signature", SIGNATURE.to_owned()));
        let bare = Secret::parse(&SECRET["whsec_".len()..]).unwrap();
        assert_eq!(bare.headers(ID, AT, BODY)[2].1, SIGNATURE);
    }

    #[test]
    fn a_receiver_believes_the_right_event_for_five_minutes() {
        let secret = Secret::parse(SECRET).unwrap();
        let at = AT.to_string();
        let judge = |signatures: &str, body: &[u8], now| secret.verify(ID, &at, signatures, body, now);
        assert_eq!(judge(SIGNATURE, BODY, AT + 300), Ok(()));
        assert_eq!(judge(SIGNATURE, BODY, AT - 300), Ok(()));
        assert_eq!(judge(SIGNATURE, BODY, AT + 301), Err(SignatureError::Stale(301)));
        assert_eq!(judge(SIGNATURE, b"{}", AT), Err(SignatureError::Mismatch));
        let two = format!("v1,AAAA v2,xyz {SIGNATURE}");
        assert_eq!(judge(&two, BODY, AT), Ok(()), "secrets are being changed");
        assert_eq!(judge("", BODY, AT), Err(SignatureError::Mismatch));
        assert_eq!(secret.verify(ID, "soon", SIGNATURE, BODY, AT), Err(SignatureError::Timestamp));
    }

    #[test]
    fn a_weak_or_garbled_secret_is_refused_and_none_shows_itself() {
        assert_eq!(Secret::parse("whsec_!").unwrap_err(), SecretError::NotBase64);
        assert_eq!(Secret::parse("AAAA").unwrap_err(), SecretError::TooShort(3));
        let made = Secret::parse(&Secret::text_of(&[7; 32])).unwrap();
        assert_eq!(made.0, [7; 32]);
        assert_eq!(format!("{made:?}"), "Secret(…)");
    }
}
