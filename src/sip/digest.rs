//! Digest authentication: challenges, credentials, and the sum that proves them (RFC 8760, RFC 7616).
//!
//! Which nonce is good, and who may do what, is for the endpoint. Passwords come in only where a
//! trunk wants us to register; seats are known by HA1.

use std::borrow::Cow;

use md5::Md5;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use super::method::Method;
use super::scan::{self, Items};

/// Hash of a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// RFC 2617; what most telephones know.
    Md5,
    /// RFC 8760.
    Sha256,
}

impl Algorithm {
    /// The name as it goes on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    fn of(name: &[u8]) -> Option<Algorithm> {
        [Algorithm::Md5, Algorithm::Sha256]
            .into_iter()
            .find(|algorithm| algorithm.as_str().as_bytes().eq_ignore_ascii_case(name))
    }

    /// Lower-case hex of the hash of `parts`, joined by colons.
    fn hash(self, parts: &[&[u8]]) -> String {
        let joined = parts.join(&b':');
        match self {
            Algorithm::Md5 => hex(&Md5::digest(&joined)),
            Algorithm::Sha256 => hex(&Sha256::digest(&joined)),
        }
    }
}

/// Why a digest header is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// Basic, or something nobody knows: as if the header were not there.
    #[error("not the Digest scheme")]
    Scheme,
    /// A field that must be there is not.
    #[error("digest has no {field}")]
    Missing {
        /// Which one.
        field: &'static str,
    },
    /// A field that cannot be read, or is there twice.
    #[error("digest has a bad {field}")]
    Bad {
        /// Which one.
        field: &'static str,
    },
    /// `MD5-sess`, or another that we do not compute.
    #[error("digest algorithm is not supported")]
    Algorithm,
    /// A qop other than `auth`.
    #[error("digest qop is not supported")]
    Qop,
}

/// What Authorization or Proxy-Authorization says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials<'a> {
    /// Who claims to be calling.
    pub username: Cow<'a, [u8]>,
    /// Realm of the challenge.
    pub realm: Cow<'a, [u8]>,
    /// Nonce of the challenge.
    pub nonce: Cow<'a, [u8]>,
    /// The URI that was hashed.
    pub uri: Cow<'a, [u8]>,
    /// The proof, hex.
    pub response: Cow<'a, [u8]>,
    /// MD5 where it is not told.
    pub algorithm: Algorithm,
    /// `None`: the old form without qop (RFC 2069).
    pub qop: Option<Qop<'a>>,
    /// Given back as it came.
    pub opaque: Option<Cow<'a, [u8]>>,
}

/// What goes with `qop=auth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qop<'a> {
    /// How often this nonce was used, eight hex digits on the wire.
    pub nc: u32,
    /// The client's nonce.
    pub cnonce: Cow<'a, [u8]>,
}

/// What WWW-Authenticate or Proxy-Authenticate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// Whose password is wanted.
    pub realm: Cow<'a, [u8]>,
    /// To be hashed with.
    pub nonce: Cow<'a, [u8]>,
    /// To be given back as it came.
    pub opaque: Option<Cow<'a, [u8]>>,
    /// MD5 where it is not told.
    pub algorithm: Algorithm,
    /// Whether `qop` offers `auth`; without any qop the old form is wanted.
    pub qop_auth: bool,
    /// The old nonce was right but too old: ask nobody for a password again.
    pub stale: bool,
}

impl<'a> Credentials<'a> {
    /// Reads one header value. A scheme other than Digest is told apart from a faulty Digest.
    pub fn parse(value: &'a [u8]) -> Result<Credentials<'a>, DigestError> {
        let fields = Fields::read(value)?;
        let qop = match fields.find("qop") {
            None => None,
            Some(qop) if qop.eq_ignore_ascii_case(b"auth") => {
                Some(Qop { nc: read_nc(&fields.need("nc")?)?, cnonce: fields.need("cnonce")? })
            }
            Some(_) => return Err(DigestError::Qop),
        };
        Ok(Credentials {
            username: fields.need("username")?,
            realm: fields.need("realm")?,
            nonce: fields.need("nonce")?,
            uri: fields.need("uri")?,
            response: fields.need("response")?,
            algorithm: fields.algorithm()?,
            qop,
            opaque: fields.find("opaque"),
        })
    }

    /// Whether the proof is right for `ha1_hex`, the hash that belongs to the claimed user and to
    /// [`Credentials::algorithm`]. Takes the same time wherever the two differ.
    pub fn verify(&self, ha1_hex: &str, method: &Method) -> bool {
        let wanted = response(self.algorithm, ha1_hex, method, &self.uri, &self.nonce, self.qop.as_ref());
        let given = self.response.to_ascii_lowercase();
        wanted.as_bytes().ct_eq(&given).into()
    }

    /// As a header value, for our own registrations.
    pub fn to_value(&self) -> Vec<u8> {
        let mut out = b"Digest ".to_vec();
        quote(&mut out, "username", &self.username);
        quote(&mut out, ", realm", &self.realm);
        quote(&mut out, ", nonce", &self.nonce);
        quote(&mut out, ", uri", &self.uri);
        quote(&mut out, ", response", &self.response);
        out.extend_from_slice(b", algorithm=");
        out.extend_from_slice(self.algorithm.as_str().as_bytes());
        if let Some(qop) = &self.qop {
            quote(&mut out, ", cnonce", &qop.cnonce);
            out.extend_from_slice(format!(", qop=auth, nc={:08x}", qop.nc).as_bytes());
        }
        if let Some(opaque) = &self.opaque {
            quote(&mut out, ", opaque", opaque);
        }
        out
    }
}

impl<'a> Challenge<'a> {
    /// Reads one header value.
    pub fn parse(value: &'a [u8]) -> Result<Challenge<'a>, DigestError> {
        let fields = Fields::read(value)?;
        let qop_auth = match fields.find("qop") {
            None => false,
            Some(offers) => {
                if !Items::of(&offers).any(|offer| offer.eq_ignore_ascii_case(b"auth")) {
                    return Err(DigestError::Qop);
                }
                true
            }
        };
        Ok(Challenge {
            realm: fields.need("realm")?,
            nonce: fields.need("nonce")?,
            opaque: fields.find("opaque"),
            algorithm: fields.algorithm()?,
            qop_auth,
            stale: fields.find("stale").is_some_and(|stale| stale.eq_ignore_ascii_case(b"true")),
        })
    }

    /// As a header value.
    pub fn to_value(&self) -> Vec<u8> {
        let mut out = b"Digest ".to_vec();
        quote(&mut out, "realm", &self.realm);
        quote(&mut out, ", nonce", &self.nonce);
        if let Some(opaque) = &self.opaque {
            quote(&mut out, ", opaque", opaque);
        }
        out.extend_from_slice(b", algorithm=");
        out.extend_from_slice(self.algorithm.as_str().as_bytes());
        if self.qop_auth {
            out.extend_from_slice(b", qop=\"auth\"");
        }
        if self.stale {
            out.extend_from_slice(b", stale=true");
        }
        out
    }
}

/// HA1, lower-case hex: the hash of `user:realm:password`.
pub fn ha1(algorithm: Algorithm, user: &[u8], realm: &[u8], password: &[u8]) -> String {
    algorithm.hash(&[user, realm, password])
}

/// The proof, lower-case hex (RFC 7616 §3.4.1).
pub fn response(
    algorithm: Algorithm,
    ha1_hex: &str,
    method: &Method,
    uri: &[u8],
    nonce: &[u8],
    qop: Option<&Qop<'_>>,
) -> String {
    let ha1 = ha1_hex.as_bytes();
    let ha2 = algorithm.hash(&[method.as_bytes(), uri]);
    match qop {
        None => algorithm.hash(&[ha1, nonce, ha2.as_bytes()]),
        Some(qop) => {
            let nc = format!("{:08x}", qop.nc);
            let parts = [ha1, nonce, nc.as_bytes(), &qop.cnonce, b"auth", ha2.as_bytes()];
            algorithm.hash(&parts)
        }
    }
}

/// Eight hex digits.
fn read_nc(text: &[u8]) -> Result<u32, DigestError> {
    let bad = DigestError::Bad { field: "nc" };
    if text.len() != 8 || !text.iter().all(u8::is_ascii_hexdigit) {
        return Err(bad);
    }
    let text = std::str::from_utf8(text).map_err(|_| bad)?;
    u32::from_str_radix(text, 16).map_err(|_| bad)
}

/// The `name=value` fields of a Digest header.
struct Fields<'a>(Vec<(&'a [u8], &'a [u8])>);

/// Most fields that a digest header may have.
const FIELDS_MAX: usize = 32;

impl<'a> Fields<'a> {
    fn read(value: &'a [u8]) -> Result<Fields<'a>, DigestError> {
        let value = scan::trim(value);
        let end = value.iter().position(|&byte| scan::is_blank(byte)).unwrap_or(value.len());
        if !value[..end].eq_ignore_ascii_case(b"Digest") {
            return Err(DigestError::Scheme);
        }
        let mut fields: Vec<(&[u8], &[u8])> = Vec::with_capacity(12);
        for item in Items::of(&value[end..]) {
            let bad = DigestError::Bad { field: "field" };
            let equals = memchr::memchr(b'=', item).ok_or(bad)?;
            let name = scan::trim_end(&item[..equals]);
            let twice = fields.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
            if twice || fields.len() == FIELDS_MAX {
                return Err(bad);
            }
            let text = scan::trim_start(&item[equals + 1..]);
            if text.first() == Some(&b'"') && scan::quoted_len(text) != Some(text.len()) {
                return Err(bad);
            }
            fields.push((name, text));
        }
        Ok(Fields(fields))
    }

    fn find(&self, name: &str) -> Option<Cow<'a, [u8]>> {
        self.0
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| scan::unquote(value))
    }

    fn need(&self, field: &'static str) -> Result<Cow<'a, [u8]>, DigestError> {
        self.find(field).ok_or(DigestError::Missing { field })
    }

    fn algorithm(&self) -> Result<Algorithm, DigestError> {
        match self.find("algorithm") {
            None => Ok(Algorithm::Md5),
            Some(name) => Algorithm::of(&name).ok_or(DigestError::Algorithm),
        }
    }
}

fn quote(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    for &byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| DIGITS[nibble as usize] as char)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &[u8] = b"/dir/index.html";

    /// The example of RFC 7616 §3.9.1 as a client would send it.
    fn example(algorithm: &str, response: &str) -> String {
        format!(
            "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", \
             algorithm={algorithm}, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
             nc=00000001, cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, \
             response=\"{response}\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        )
    }

    #[test]
    fn the_examples_of_rfc_7616_are_proven() {
        let get = Method::of(b"GET");
        for (name, algorithm, proof) in [
            ("MD5", Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (
                "SHA-256",
                Algorithm::Sha256,
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
        ] {
            let text = example(name, proof);
            let credentials = Credentials::parse(text.as_bytes()).unwrap();
            let ha1 = ha1(algorithm, b"Mufasa", b"http-auth@example.org", b"Circle of Life");
            assert_eq!(credentials.algorithm, algorithm);
            assert!(credentials.verify(&ha1, &get));
            assert!(!credentials.verify(&ha1, &Method::Register));
            assert!(!credentials.verify("", &get));
            let short = example(name, &proof[1..]);
            assert!(!Credentials::parse(short.as_bytes()).unwrap().verify(&ha1, &get));
            let loud = example(name, &proof.to_ascii_uppercase());
            assert!(Credentials::parse(loud.as_bytes()).unwrap().verify(&ha1, &get));
        }
    }

    #[test]
    fn the_old_form_without_qop_is_proven() {
        let ha1 = ha1(Algorithm::Md5, b"Mufasa", b"testrealm@host.com", b"CircleOfLife");
        let nonce = b"dcd98b7102dd2f0e8b11d0f600bfb0c093";
        assert_eq!(
            response(Algorithm::Md5, &ha1, &Method::of(b"GET"), URI, nonce, None),
            "1949323746fe6a43ef61f9606e7febea"
        );
    }

    #[test]
    fn what_is_written_is_read_the_same() {
        let challenge = Challenge {
            realm: Cow::Borrowed(b"a \"b\\c\", d"),
            nonce: Cow::Borrowed(b"n0"),
            opaque: Some(Cow::Borrowed(b"")),
            algorithm: Algorithm::Sha256,
            qop_auth: true,
            stale: true,
        };
        assert_eq!(Challenge::parse(&challenge.to_value()), Ok(challenge));
        let text = example("MD5", "8ca523f5e9506fed4657c9700eebdbec");
        let credentials = Credentials::parse(text.as_bytes()).unwrap();
        assert_eq!(Credentials::parse(&credentials.to_value()), Ok(credentials.clone()));
        assert_eq!(credentials.qop.unwrap().nc, 1);
    }

    #[test]
    fn qop_lists_are_searched_for_auth_and_defaults_hold() {
        let parsed = Challenge::parse(b"digest realm=\"r\",nonce=\"n\",qop=\"auth-int, auth\"").unwrap();
        assert!(parsed.qop_auth);
        assert_eq!((parsed.algorithm, parsed.stale), (Algorithm::Md5, false));
        let old = Challenge::parse(b"Digest realm=\"r\", nonce=\"n\"").unwrap();
        assert!(!old.qop_auth);
    }

    #[test]
    fn useless_headers_say_why() {
        let common = "username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:h\", response=\"00\"";
        for (text, error) in [
            ("NoOneKnowsThisScheme opaque-data=here".to_owned(), DigestError::Scheme),
            ("Basic QWxhZGRpbg==".to_owned(), DigestError::Scheme),
            ("Digest".to_owned(), DigestError::Missing { field: "username" }),
            (format!("Digest {common}, algorithm=MD5-sess"), DigestError::Algorithm),
            (format!("Digest {common}, qop=auth-int"), DigestError::Qop),
            (format!("Digest {common}, qop=auth, cnonce=\"c\""), DigestError::Missing { field: "nc" }),
            (format!("Digest {common}, qop=auth, nc=1, cnonce=\"c\""), DigestError::Bad { field: "nc" }),
            (
                format!("Digest {common}, qop=auth, nc=+0000001, cnonce=\"c\""),
                DigestError::Bad { field: "nc" },
            ),
            (format!("Digest {common}, nonce=\"other\""), DigestError::Bad { field: "field" }),
            (format!("Digest {common}, opaque=\"open"), DigestError::Bad { field: "field" }),
        ] {
            assert_eq!(Credentials::parse(text.as_bytes()), Err(error), "{text}");
        }
    }
}
