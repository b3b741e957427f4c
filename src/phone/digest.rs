//! Digest authentication, the client's half (RFC 2617, RFC 7616, RFC 8760): a challenge in, an
//! `Authorization` value out.
//!
//! When to answer a challenge, and how often, is for those who send requests.

use md5::Md5;
use sha2::{Digest, Sha256};

use crate::id::Dice;

/// A hash for digest authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `MD5`, also meant where no algorithm is named.
    Md5,
    /// `SHA-256`.
    Sha256,
}

impl Algorithm {
    /// The name in `algorithm=`.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    fn hash(self, text: &str) -> String {
        match self {
            Algorithm::Md5 => hex(&Md5::digest(text)),
            Algorithm::Sha256 => hex(&Sha256::digest(text)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // Writing to a String cannot fail.
        text
    })
}

/// One `WWW-Authenticate` or `Proxy-Authenticate` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The protection space.
    pub realm: String,
    /// The server's nonce.
    pub nonce: String,
    /// To be returned as it is.
    pub opaque: Option<String>,
    /// The hash.
    pub algorithm: Algorithm,
    /// `qop` lists `auth`; without it the old form of RFC 2069 is used.
    pub qop_auth: bool,
    /// The credentials were right, but the nonce was too old.
    pub stale: bool,
}

impl Challenge {
    /// Reads a challenge; `None` for another scheme, an unknown algorithm, or `qop` without `auth`.
    pub fn parse(value: &str) -> Option<Self> {
        let (scheme, rest) = value.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let params = params(rest);
        let find = |name: &str| {
            params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
        };
        let algorithm = match find("algorithm") {
            None => Algorithm::Md5,
            Some(name) => *[Algorithm::Md5, Algorithm::Sha256]
                .iter()
                .find(|known| known.name().eq_ignore_ascii_case(name))?,
        };
        let qop_auth =
            find("qop").map(|list| list.split(',').any(|qop| qop.trim().eq_ignore_ascii_case("auth")));
        if qop_auth == Some(false) {
            return None; // auth-int only: not spoken here.
        }
        Some(Challenge {
            realm: find("realm")?.to_owned(),
            nonce: find("nonce")?.to_owned(),
            opaque: find("opaque").map(str::to_owned),
            algorithm,
            qop_auth: qop_auth.is_some(),
            stale: find("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }
}

/// Splits `a=b, c="d, e"` into pairs, quotes and backslashes taken off.
fn params(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        let name: String = std::iter::from_fn(|| chars.next_if(|c| *c != '=')).collect();
        if chars.next().is_none() {
            return pairs;
        }
        let mut value = String::new();
        if chars.next_if_eq(&'"').is_some() {
            while let Some(c) = chars.next() {
                match c {
                    '"' => break,
                    '\\' => value.extend(chars.next()),
                    c => value.push(c),
                }
            }
            while chars.next_if(|c| *c != ',').is_some() {}
        } else {
            value.extend(std::iter::from_fn(|| chars.next_if(|c| *c != ',')));
        }
        chars.next();
        pairs.push((name.trim().to_owned(), value.trim().to_owned()));
    }
}

/// The challenge that we like best: in the order of `accepted`, then of the headers.
pub fn choose(challenges: &[Challenge], accepted: &[Algorithm]) -> Option<Challenge> {
    accepted
        .iter()
        .find_map(|algorithm| challenges.iter().find(|challenge| challenge.algorithm == *algorithm))
        .cloned()
}

/// The `response` of RFC 7616 §3.4.1 for `qop=auth` (`nc` and `cnonce` given) or the form without.
pub fn response(
    challenge: &Challenge,
    user: &str,
    password: &str,
    method: &str,
    uri: &str,
    auth: Option<(u32, &str)>,
) -> String {
    let hash = |text: String| challenge.algorithm.hash(&text);
    let ha1 = hash(format!("{user}:{}:{password}", challenge.realm));
    let ha2 = hash(format!("{method}:{uri}"));
    let nonce = &challenge.nonce;
    match auth {
        Some((nc, cnonce)) => hash(format!("{ha1}:{nonce}:{nc:08x}:{cnonce}:auth:{ha2}")),
        None => hash(format!("{ha1}:{nonce}:{ha2}")),
    }
}

/// The nonce in use against one server, and how often it was used.
#[derive(Clone, Debug)]
pub struct Keys {
    challenge: Challenge,
    used: u32,
}

impl Keys {
    /// Keys for a fresh challenge.
    pub fn new(challenge: Challenge) -> Self {
        Keys { challenge, used: 0 }
    }

    /// The value of an `Authorization` header for one more request.
    pub fn authorization(
        &mut self,
        user: &str,
        password: &str,
        method: &str,
        uri: &str,
        dice: &mut Dice,
    ) -> String {
        self.used += 1;
        let cnonce = dice.hex(16);
        let challenge = &self.challenge;
        let auth = challenge.qop_auth.then_some((self.used, cnonce.as_str()));
        let response = response(challenge, user, password, method, uri, auth);
        let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let mut value = format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{uri}\", response=\"{response}\", algorithm={}",
            quote(user),
            quote(&challenge.realm),
            quote(&challenge.nonce),
            challenge.algorithm.name()
        );
        if let Some(opaque) = &challenge.opaque {
            value.push_str(&format!(", opaque=\"{}\"", quote(opaque)));
        }
        if let Some((nc, cnonce)) = auth {
            value.push_str(&format!(", qop=auth, nc={nc:08x}, cnonce=\"{cnonce}\""));
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(algorithm: Algorithm, realm: &str, nonce: &str) -> Challenge {
        Challenge {
            realm: realm.into(),
            nonce: nonce.into(),
            opaque: None,
            algorithm,
            qop_auth: true,
            stale: false,
        }
    }

    #[test]
    fn the_example_of_rfc_2617() {
        let challenge = challenge(Algorithm::Md5, "testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093");
        let auth = Some((1, "0a4f113b"));
        let answer = response(&challenge, "Mufasa", "Circle Of Life", "GET", "/dir/index.html", auth);
        assert_eq!(answer, "6629fae49393a05397450978507c4ef1");
        // The form without qop, as RFC 2069 had it.
        let answer = response(&challenge, "Mufasa", "Circle Of Life", "GET", "/dir/index.html", None);
        assert_eq!(answer, "670fd8c2df070c60b045671b8b24ff02");
    }

    #[test]
    fn the_examples_of_rfc_7616() {
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let auth = Some((1, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"));
        for (algorithm, expected) in [
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let challenge = challenge(algorithm, "http-auth@example.org", nonce);
            assert_eq!(
                response(&challenge, "Mufasa", "Circle of Life", "GET", "/dir/index.html", auth),
                expected
            );
        }
    }

    #[test]
    fn of_two_challenges_sha_256_is_taken_first_as_rfc_8760_wants() {
        let md5 =
            Challenge::parse(r#"Digest realm="city", nonce="a, b", qop="auth,auth-int", algorithm=MD5"#)
                .unwrap();
        let sha =
            Challenge::parse(r#"digest nonce="c\"d",realm="city",algorithm=SHA-256,stale=TRUE,opaque="" "#)
                .unwrap();
        assert_eq!((md5.nonce.as_str(), md5.qop_auth, md5.stale), ("a, b", true, false));
        assert_eq!((sha.nonce.as_str(), sha.qop_auth, sha.stale), ("c\"d", false, true));
        assert_eq!(sha.opaque.as_deref(), Some(""));
        let both = [md5.clone(), sha.clone()];
        assert_eq!(choose(&both, &[Algorithm::Sha256, Algorithm::Md5]), Some(sha));
        assert_eq!(choose(&both, &[Algorithm::Md5]), Some(md5));
        assert_eq!(choose(&both, &[]), None);
    }

    #[test]
    fn what_we_cannot_answer_is_no_challenge() {
        for value in [
            "Basic realm=\"x\"",
            "Digest realm=\"x\", nonce=\"n\", algorithm=MD5-sess",
            "Digest realm=\"x\", nonce=\"n\", qop=\"auth-int\"",
            "Digest realm=\"x\"",
            "Digest",
            "",
        ] {
            assert_eq!(Challenge::parse(value), None, "{value}");
        }
    }

    #[test]
    fn the_nonce_count_rises_with_each_use() {
        let mut keys = Keys::new(challenge(Algorithm::Sha256, "r", "n"));
        let mut dice = Dice::seeded(1);
        let first = keys.authorization("u", "p", "REGISTER", "sip:r", &mut dice);
        let second = keys.authorization("u", "p", "REGISTER", "sip:r", &mut dice);
        assert!(first.contains("nc=00000001,") && second.contains("nc=00000002,"), "{first}\n{second}");
        assert!(first.contains("algorithm=SHA-256") && first.contains("qop=auth,"));
    }
}
