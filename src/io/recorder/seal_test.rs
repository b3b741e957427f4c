//! The format pinned by vectors that another implementation made, and what becomes of every kind of damage.

use std::io::Cursor;

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;

fn key() -> Key {
    Key::new(std::array::from_fn(|at| at as u8))
}

fn keys() -> SealKeys {
    SealKeys::new(Some(key()), Vec::new())
}

fn sealed(sound: &[u8]) -> Vec<u8> {
    let salt = std::array::from_fn(|at| 32 + at as u8);
    let mut out = Vec::new();
    seal(&mut &sound[..], &mut out, &key(), &salt, &|| true).unwrap();
    out
}

fn opened(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut sound = Vec::new();
    SealedFile::open(Cursor::new(bytes), &keys())?.read_to_end(&mut sound)?;
    Ok(sound)
}

fn sound(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| ((at * 7 + at / 256) % 256) as u8).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As `contract/recording.md` has them; made with Python's `cryptography`.
#[test]
fn files_are_as_the_contract_has_them() {
    let short = "484c5345414c0001630dcd2966c43366202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f\
                 ce2190aea729daa897aba0151df1baa8a63fd1d8ae";
    assert_eq!(hex(&sealed(b"12345")), short);
    let long = sealed(&sound(2 * CHUNK_BYTES + 100));
    assert_eq!(long.len(), 131_268);
    let sum = "cf02fd5d006ffe7dc71be7ac2f22418bf2a38bdbd6faf95758335b1cc228fae5";
    assert_eq!(hex(&Sha256::digest(&long)), sum);
    let contract = include_str!("../../../contract/recording.md");
    let lines: Vec<&str> = [0..64, 64..128, 128..short.len()].map(|part| &short[part]).to_vec();
    assert!(contract.contains(&lines.join("\n")) && contract.contains(sum));
}

#[test]
fn every_length_comes_back_also_none_and_whole_chunks() {
    for length in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES + 5]
    {
        let (sound, sealed) = (sound(length), sealed(&sound(length)));
        assert_eq!(sealed.len(), HEADER_BYTES + length + TAG_BYTES * length.div_ceil(CHUNK_BYTES).max(1));
        assert!(opened(&sealed).unwrap() == sound, "{length}");
        let file = SealedFile::open(Cursor::new(&sealed[..]), &keys()).unwrap();
        assert_eq!(file.len(), length as u64);
    }
}

#[test]
fn a_file_cut_short_lengthened_or_put_together_anew_is_found() {
    let whole = CHUNK_BYTES + TAG_BYTES;
    let of_three = sealed(&sound(2 * CHUNK_BYTES + 100));
    let chunk = |number: usize| of_three[HEADER_BYTES..].chunks(whole).nth(number).unwrap().to_vec();
    let put = |chunks: &[usize]| {
        let body: Vec<u8> = chunks.iter().flat_map(|number| chunk(*number)).collect();
        [&of_three[..HEADER_BYTES], &body[..]].concat()
    };
    assert!(opened(&put(&[0, 1, 2])).is_ok());
    for other in [&[0, 1][..], &[0], &[1, 0, 2], &[0, 2], &[0, 0, 1, 2], &[2], &[1, 2], &[]] {
        let error = opened(&put(other)).expect_err("not as it was").to_string();
        assert!(error.contains("chunk"), "{other:?}: {error}");
    }
    for length in 0..HEADER_BYTES {
        assert!(opened(&of_three[..length]).unwrap_err().to_string().contains("not a sealed"), "{length}");
    }
    for cut in [1, 15, 16, 17, 100, 116, 117, whole, whole + 116] {
        assert!(opened(&of_three[..of_three.len() - cut]).is_err(), "{cut}");
    }
    assert!(opened(&[&of_three[..], &[0]].concat()).is_err());
    // An empty chunk behind whole ones would be a second shape of one sound.
    let even = sealed(&sound(CHUNK_BYTES));
    assert!(opened(&[&even[..], &[0; TAG_BYTES]].concat()).is_err());
    // Chunks of another file of the same key: its salt is another.
    let mut other = Vec::new();
    seal(&mut &sound(2 * CHUNK_BYTES + 100)[..], &mut other, &key(), &[9; SALT_BYTES], &|| true).unwrap();
    let mixed = [&of_three[..HEADER_BYTES + whole], &other[HEADER_BYTES + whole..]].concat();
    assert!(opened(&mixed).is_err());
}

#[test]
fn without_its_key_a_file_says_which_it_wants() {
    let sealed = sealed(b"12345");
    let strange = SealKeys::new(Some(Key::new([7; KEY_BYTES])), vec![Key::new([8; KEY_BYTES])]);
    let refused = SealedFile::open(Cursor::new(&sealed[..]), &strange).map(|_| ()).unwrap_err();
    assert!(matches!(refused, SealError::NoKey(id) if id == key().id()), "{refused}");
    assert!(refused.to_string().contains("630dcd2966c43366"), "{refused}");
    // It is found among those of before; a key that only claims the id opens nothing.
    let keys = SealKeys::new(Some(Key::new([7; KEY_BYTES])), vec![key()]);
    assert_eq!(SealedFile::open(Cursor::new(&sealed[..]), &keys).unwrap().len(), 5);
    let mut claimed = sealed.clone();
    claimed[8..16].copy_from_slice(&Key::new([7; KEY_BYTES]).id().0);
    assert!(matches!(SealedFile::open(Cursor::new(&claimed[..]), &keys), Err(SealError::Broken(0))));
}

#[test]
fn a_chunk_that_is_broken_costs_what_is_in_it_and_is_never_played() {
    let bytes = sound(3 * CHUNK_BYTES);
    let mut sealed = sealed(&bytes);
    sealed[HEADER_BYTES + CHUNK_BYTES + TAG_BYTES + 7] ^= 1;
    let mut file = SealedFile::open(Cursor::new(&sealed[..]), &keys()).unwrap();
    let mut part = vec![0; 10];
    file.seek(SeekFrom::Start(2 * CHUNK_BYTES as u64)).unwrap();
    file.read_exact(&mut part).unwrap();
    assert_eq!(part, bytes[2 * CHUNK_BYTES..][..10]);
    for _ in 0..2 {
        file.seek(SeekFrom::Start(CHUNK_BYTES as u64 + 50)).unwrap();
        assert_eq!(file.read(&mut part).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
    file.seek(SeekFrom::Start(5)).unwrap();
    file.read_exact(&mut part).unwrap();
    assert_eq!(part, bytes[5..15]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_part_is_read_as_it_was(length in 0..3 * CHUNK_BYTES, from in 0..3 * CHUNK_BYTES, count in 0..CHUNK_BYTES) {
        let bytes = sound(length);
        let sealed = sealed(&bytes);
        let mut file = SealedFile::open(Cursor::new(&sealed[..]), &keys()).unwrap();
        file.seek(SeekFrom::Start(from as u64)).unwrap();
        let mut part = Vec::new();
        file.take(count as u64).read_to_end(&mut part).unwrap();
        let from = from.min(length);
        prop_assert!(part == bytes[from..(from + count).min(length)]);
    }

    #[test]
    fn one_bit_that_is_other_is_found(length in 0..2 * CHUNK_BYTES + 9, place: prop::sample::Index, bit in 0..8u8) {
        let mut sealed = sealed(&sound(length));
        let place = place.index(sealed.len());
        sealed[place] ^= 1u8 << bit;
        prop_assert!(opened(&sealed).is_err());
    }

    #[test]
    fn whatever_stands_in_a_file_is_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300), with_head: bool) {
        let head = if with_head { sealed(b"")[..HEADER_BYTES].to_vec() } else { Vec::new() };
        prop_assert!(opened(&[&head[..], &bytes].concat()).is_err());
    }
}
