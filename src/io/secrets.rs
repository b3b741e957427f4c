//! Secrets that the plan refers to: read from the environment or a file, made on first run where missing.
//!
//! A [`Keyring`] holds those of one plan. The next plan's ring stands beside it, so that it is known which have
//! changed, and that one which somebody uses already is not made anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rand::Rng;
use rand::distr::Alphanumeric;
use secrecy::{ExposeSecret, SecretString};

use super::plan_files::{Marked, mark};
use crate::id::SeatId;
use crate::routing::plan::SecretRef;
use crate::sip::digest::{Algorithm, ha1};
use crate::sip::event::SeatAccount;

/// Letters and digits of a secret that is made: 190 bits. Read as base64 they are 24 bytes, the
/// least that a webhook's secret must have.
const MADE_CHARS: usize = 32;
/// Bytes of a key of recordings that is made, in hexadecimal digits.
const MADE_KEY_BYTES: usize = 32;

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
    /// The file is gone, and recordings were sealed with what it held.
    #[error(
        "录音密钥文件 {path} 不见了：自动生成新的，已有录音就再也打不开。请放回原文件（从备份），再重载 / \
         the key of recordings {path} is gone: with a new one in its place nobody could open those there are. Put the \
         file back (from its backup) and reload"
    )]
    KeyGone {
        /// Which.
        path: PathBuf,
    },
    /// The file is gone, and somebody uses what it held.
    #[error(
        "密钥文件 {path} 不见了，而 {owner} 正在使用它：自动生成新的会使其无法登录。请放回原文件，或写入新的密钥，再重载 / \
         secret file {path} is gone and {owner} uses it: a new one would lock it out. Put the file back, or write a \
         new secret into it, and reload"
    )]
    Gone {
        /// Which.
        path: PathBuf,
        /// Whose.
        owner: String,
    },
}

/// The secrets of one plan, each as it was read.
#[derive(Clone, Default)]
pub struct Keyring {
    data: PathBuf,
    read: BTreeMap<String, SecretString>,
    owners: BTreeSet<String>,
    files: Vec<Marked>,
    created: Vec<PathBuf>,
    /// Of the plan before: what was read, and whose it was.
    before: (BTreeMap<String, SecretString>, BTreeSet<String>),
    /// Nothing is made: only what would be.
    trial: bool,
    /// One that is in use is gone: a start would make it anew.
    lost: bool,
}

impl Keyring {
    /// Empty, of a house that opens; `data` is its directory.
    pub fn new(data: &Path) -> Self {
        Keyring { data: data.to_owned(), ..Keyring::default() }
    }

    /// Empty, for what is read anew beside this one.
    pub fn next(&self, trial: bool) -> Self {
        let before = (self.read.clone(), self.owners.clone());
        Keyring { before, trial, ..Keyring::new(&self.data) }
    }

    /// The house's data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The secret of `owner`; a file that does not exist is made, readable by its owner only. Not where it is in
    /// use already: then it was lost.
    pub fn resolve(&mut self, owner: &str, secret: &SecretRef) -> Result<String, SecretError> {
        self.resolve_or_make(owner, secret, password)
    }

    /// The same of the key that new recordings are sealed with: one that is made has 256 bits. Another file may take an
    /// earlier one's place, and is made as well.
    pub fn recordings_key(&mut self, secret: &SecretRef) -> Result<String, SecretError> {
        let owner = format!("recordings {}", self.name(secret));
        self.resolve_or_make(&owner, secret, key).map_err(|error| match error {
            SecretError::Gone { path, .. } => SecretError::KeyGone { path },
            other => other,
        })
    }

    fn resolve_or_make(
        &mut self,
        owner: &str,
        secret: &SecretRef,
        text: fn() -> String,
    ) -> Result<String, SecretError> {
        let name = self.name(secret);
        let found = match (self.begin(owner, secret), secret) {
            (Some(text), _) => return Ok(text),
            (None, SecretRef::File(_)) => match from_file(Path::new(&name)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => self.make(owner, &name, text)?,
                read => read.map_err(|error| SecretError::File { path: name.clone().into(), error })?,
            },
            (None, SecretRef::Env(_)) => given(secret, &self.data)?.expose_secret().to_owned(),
        };
        self.read.insert(name, found.clone().into());
        Ok(found)
    }

    /// The same of one that somebody else's program knows us by: one that is made just now must be told there.
    pub fn shared(&mut self, owner: &str, secret: &SecretRef) -> Result<String, SecretError> {
        let before = self.created.len();
        let found = self.resolve(owner, secret)?;
        for path in self.created.iter().skip(before).filter(|_| !self.trial) {
            let path = path.display();
            tracing::warn!(
                with = owner,
                "{path} 原来没有，已新建：把它告诉对方，或换成对方的 / {path} was not there and has been made: \
                 give it to the other side, or put theirs in its place"
            );
        }
        Ok(found)
    }

    /// The same of one that somebody else gave us: it cannot be made up.
    pub fn given(&mut self, owner: &str, secret: &SecretRef) -> Result<SecretString, SecretError> {
        if let Some(text) = self.begin(owner, secret) {
            return Ok(text.into());
        }
        let found = given(secret, &self.data)?;
        self.read.insert(self.name(secret), found.clone());
        Ok(found)
    }

    /// Of those that the plan before had too: what has changed, by the files' names.
    pub fn changed(&self) -> Vec<&str> {
        let other = |(name, text): &(&String, &SecretString)| {
            let before = self.before.0.get(*name);
            before.is_some_and(|before| before.expose_secret() != text.expose_secret())
        };
        self.read.iter().filter(other).map(|(name, _)| name.as_str()).collect()
    }

    /// What was made, or in a trial would be.
    pub fn created(&self) -> &[PathBuf] {
        &self.created
    }

    /// Whether one that is in use is gone: no reload makes it anew, and a start does.
    pub fn has_lost(&self) -> bool {
        self.lost
    }

    /// Files that were read, or were not to be read, and what each was known by.
    pub fn marks(&self) -> &[Marked] {
        &self.files
    }

    /// What was read already; notes whose it is, and by what its file is known before it is read.
    fn begin(&mut self, owner: &str, secret: &SecretRef) -> Option<String> {
        self.owners.insert(owner.to_owned());
        let name = self.name(secret);
        if let Some(read) = self.read.get(&name) {
            return Some(read.expose_secret().to_owned());
        }
        if let SecretRef::File(_) = secret {
            self.files.push((name.clone(), mark(Path::new(&name))));
        }
        None
    }

    fn make(&mut self, owner: &str, name: &str, text: fn() -> String) -> Result<String, SecretError> {
        let (known, owners) = &self.before;
        let path = PathBuf::from(name);
        if known.contains_key(name) || owners.contains(owner) {
            self.lost = true;
            return Err(SecretError::Gone { path, owner: owner.to_owned() });
        }
        let text = text();
        if !self.trial {
            write(&path, &text).map_err(|error| SecretError::File { path: path.clone(), error })?;
            if let Some(last) = self.files.last_mut() {
                last.1 = mark(&path);
            }
        }
        self.created.push(path);
        Ok(text)
    }

    /// By which people know it: its file, or its variable.
    fn name(&self, secret: &SecretRef) -> String {
        match secret {
            SecretRef::Env(name) => format!("env:{name}"),
            SecretRef::File(file) => self.data.join(file).to_string_lossy().into_owned(),
        }
    }
}

/// A secret that somebody else gave us: one that is not there cannot be made up.
pub fn given(secret: &SecretRef, data: &Path) -> Result<SecretString, SecretError> {
    match secret {
        SecretRef::Env(name) => match std::env::var(name) {
            Ok(text) if !text.is_empty() => Ok(text.into()),
            _ => Err(SecretError::NoVariable { name: name.clone() }),
        },
        SecretRef::File(file) => {
            let path = data.join(file);
            from_file(&path).map(SecretString::from).map_err(|error| SecretError::File { path, error })
        }
    }
}

fn password() -> String {
    rand::rng().sample_iter(Alphanumeric).take(MADE_CHARS).map(char::from).collect()
}

fn key() -> String {
    let bytes: [u8; MADE_KEY_BYTES] = rand::rng().random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_file(path: &Path) -> io::Result<String> {
    let text = fs::read_to_string(path)?;
    match text.trim() {
        "" => Err(io::Error::new(io::ErrorKind::InvalidData, "空文件 / empty")),
        text => Ok(text.to_owned()),
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

/// What signalling keeps of a seat's password: its digests (RFC 8760).
pub fn account(seat: &SeatId, realm: &str, password: &str) -> SeatAccount {
    let digest = |algorithm| ha1(algorithm, seat.as_str().as_bytes(), realm.as_bytes(), password.as_bytes());
    SeatAccount { seat: seat.clone(), ha1_md5: digest(Algorithm::Md5), ha1_sha256: digest(Algorithm::Sha256) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_says_what_has_changed_and_makes_nothing_anew_that_is_in_use() {
        let data = std::env::temp_dir().join(format!("hotline-ring-{}", std::process::id()));
        let _ = fs::remove_dir_all(&data);
        let file = |name: &str| SecretRef::File(format!("secrets/{name}"));
        let mut first = Keyring::new(&data);
        let made = first.resolve("seat 1001", &file("1001")).unwrap();
        assert_eq!(first.resolve("seat 1001", &file("1001")).unwrap(), made);
        assert_eq!((made.len(), first.created()), (MADE_CHARS, &[data.join("secrets/1001")][..]));
        first.resolve("seat 1002", &file("1002")).unwrap();
        assert_eq!(first.marks().len(), 2);
        let key = Keyring::new(&data).recordings_key(&file("recordings")).unwrap();
        assert!(
            key.len() == 2 * MADE_KEY_BYTES && key.bytes().all(|digit| digit.is_ascii_hexdigit()),
            "{key}"
        );
        assert!(first.marks().iter().all(|(name, seen)| *seen == mark(Path::new(name))), "as they were made");

        // One has changed, one is as it was, and one is new: in a trial nothing is made.
        fs::write(data.join("secrets/1001"), "another\n").unwrap();
        for trial in [true, false] {
            let mut next = first.next(trial);
            assert_eq!(next.resolve("seat 1001", &file("1001")).unwrap(), "another");
            next.resolve("seat 1002", &file("1002")).unwrap();
            next.resolve("seat 1003", &file("1003")).unwrap();
            assert_eq!(next.changed(), [data.join("secrets/1001").to_str().unwrap()]);
            assert_eq!(next.created(), [data.join("secrets/1003")]);
            assert_eq!(data.join("secrets/1003").exists(), !trial);
        }
        // Gone, or under another name for a seat that has one: refused, and nothing is made.
        fs::remove_file(data.join("secrets/1002")).unwrap();
        for name in ["1002", "elsewhere"] {
            let mut next = first.next(false);
            let refused = next.resolve("seat 1002", &file(name)).expect_err("it is in use").to_string();
            assert!(refused.contains("seat 1002") && refused.contains(name), "{refused}");
            assert!(!data.join("secrets").join(name).exists());
            assert_eq!(next.marks().len(), 1, "what is put back is seen");
        }
        // A key makes way for another, and is not made anew where it was.
        let mut sealing = Keyring::new(&data);
        sealing.recordings_key(&file("recordings")).unwrap();
        fs::remove_file(data.join("secrets/recordings")).unwrap();
        let mut next = sealing.next(false);
        next.recordings_key(&file("recordings-2")).unwrap();
        let refused = next.recordings_key(&file("recordings")).expect_err("it is in use");
        assert!(matches!(refused, SecretError::KeyGone { .. }), "{refused}");
        assert!(next.has_lost() && !data.join("secrets/recordings").exists());
        fs::remove_dir_all(&data).unwrap();
    }

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
