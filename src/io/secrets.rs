//! Secrets that the plan refers to: read from the environment or a file, made on first run where missing.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rand::Rng;
use rand::distr::Alphanumeric;
use secrecy::SecretString;

use crate::id::SeatId;
use crate::routing::plan::SecretRef;
use crate::sip::digest::{Algorithm, ha1};
use crate::sip::event::SeatAccount;

/// Letters and digits of a secret that is made: 190 bits. Read as base64 they are 24 bytes, the
/// least that a webhook's secret must have.
const MADE_CHARS: usize = 32;

/// A secret, and where it was put if it was made just now.
pub struct Secret {
    /// The secret itself; never logged.
    pub text: String,
    /// Its new file.
    pub created: Option<PathBuf>,
}

/// Why a secret is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set, or empty.
    #[error("环境变量 {name} 未设置 / environment variable {name} is not set")]
    NoVariable {
        /// Its name.
        name: String,
    },
    /// The file cannot be read or made.
    #[error("密钥文件 {path} 无法使用 / secret file {path} is of no use: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// The secret that `secret` refers to; a file that does not exist is made, readable by its owner only.
pub fn resolve(secret: &SecretRef, data: &Path) -> Result<Secret, SecretError> {
    match secret {
        SecretRef::Env(name) => match std::env::var(name) {
            Ok(text) if !text.is_empty() => Ok(Secret { text, created: None }),
            _ => Err(SecretError::NoVariable { name: name.clone() }),
        },
        SecretRef::File(file) => {
            let path = data.join(file);
            let made = from_file(&path);
            made.map_err(|error| SecretError::File { path, error })
        }
    }
}

/// The secret that a program of somebody else's knows us by: one that is made just now must be told there.
pub fn shared(secret: &SecretRef, data: &Path, with: &str) -> Result<Secret, SecretError> {
    let secret = resolve(secret, data)?;
    if let Some(path) = &secret.created {
        let path = path.display();
        tracing::warn!(
            with,
            "{path} 原来没有，已新建：把它告诉对方，或换成对方的 / {path} was not there and has been made: \
             give it to the other side, or put theirs in its place"
        );
    }
    Ok(secret)
}

/// A secret that somebody else gave us: one that is not there cannot be made up.
pub fn given(secret: &SecretRef, data: &Path) -> Result<SecretString, SecretError> {
    match secret {
        SecretRef::Env(_) => resolve(secret, data).map(|secret| secret.text.into()),
        SecretRef::File(file) => {
            let path = data.join(file);
            match fs::read_to_string(&path) {
                Ok(text) if !text.trim().is_empty() => Ok(text.trim().into()),
                Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "empty")),
                Err(error) => Err(error),
            }
            .map_err(|error| SecretError::File { path, error })
        }
    }
}

fn from_file(path: &Path) -> io::Result<Secret> {
    match fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => Ok(Secret { text: text.trim().to_owned(), created: None }),
        Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "empty")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(parent) = path.parent() {
                fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
            }
            let text: String =
                rand::rng().sample_iter(Alphanumeric).take(MADE_CHARS).map(char::from).collect();
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            writeln!(file, "{text}")?;
            file.sync_all()?;
            Ok(Secret { text, created: Some(path.to_owned()) })
        }
        Err(error) => Err(error),
    }
}

/// What signalling keeps of a seat's password: its digests (RFC 8760).
pub fn account(seat: &SeatId, realm: &str, password: &str) -> SeatAccount {
    let digest = |algorithm| ha1(algorithm, seat.as_str().as_bytes(), realm.as_bytes(), password.as_bytes());
    SeatAccount { seat: seat.clone(), ha1_md5: digest(Algorithm::Md5), ha1_sha256: digest(Algorithm::Sha256) }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_password_that_somebody_gave_us_is_read_and_never_made_up() {
        let data = std::env::temp_dir().join(format!("hotline-given-{}", std::process::id()));
        fs::create_dir_all(&data).unwrap();
        let secret = SecretRef::File("carrier".into());
        let refused = given(&secret, &data).expect_err("nobody has put it there").to_string();
        assert!(refused.contains("carrier") && !data.join("carrier").exists(), "{refused}");
        fs::write(data.join("carrier"), " \n").unwrap();
        assert!(given(&secret, &data).is_err(), "empty");
        fs::write(data.join("carrier"), "geheim\n").unwrap();
        let found = given(&secret, &data).expect("it is there");
        assert_eq!(found.expose_secret(), "geheim");
        assert!(!format!("{found:?}").contains("geheim"));
        assert!(given(&SecretRef::Env("HOTLINE_NOT_SET_IN_ANY_TEST".into()), &data).is_err());
        fs::remove_dir_all(&data).unwrap();
    }
}
