//! Several challenges on one header line, taken apart (RFC 9110 §11.6.1).
//!
//! RFC 3261 §20.27 and §20.44 want a line for each, but many servers are web servers at heart and
//! write `Digest …, Digest …`. The comma that ends a challenge looks like the one between its
//! fields: what tells them apart is a word with no `=` behind it.

use super::scan::{self, Items};

/// The challenges of one value, each as if it had a line to itself.
pub(super) struct Challenges<'a> {
    rest: &'a [u8],
}

impl<'a> Challenges<'a> {
    /// Those of a WWW-Authenticate or Proxy-Authenticate value.
    pub(super) fn of(value: &'a [u8]) -> Self {
        Challenges { rest: value }
    }
}

impl<'a> Iterator for Challenges<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let whole = self.rest;
        let mut items = Items::of(whole);
        let first = offset(whole, items.next()?);
        let end = items.find(|item| begins(item)).map_or(whole.len(), |item| offset(whole, item));
        self.rest = &whole[end..];
        let mut own = scan::trim_end(&whole[first..end]);
        while let Some(before) = own.strip_suffix(b",") {
            own = scan::trim_end(before);
        }
        Some(own)
    }
}

/// Whether an item opens a challenge: a scheme alone, or one with something behind a blank that is
/// no `=`.
fn begins(item: &[u8]) -> bool {
    let word = item.iter().take_while(|byte| !scan::is_blank(**byte) && **byte != b'=').count();
    scan::trim_start(&item[word..]).first() != Some(&b'=')
}

/// Where `part`, which is of `whole`, begins in it.
fn offset(whole: &[u8], part: &[u8]) -> usize {
    part.as_ptr().addr().saturating_sub(whole.as_ptr().addr()).min(whole.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_of_one_line_are_told_apart_row_by_row() {
        for (value, wanted) in [
            ("Digest realm=\"a\", nonce=\"n\"", &["Digest realm=\"a\", nonce=\"n\""][..]),
            (
                "Digest realm=\"a\", nonce=\"n\", Digest realm=\"b\",nonce=\"m\"",
                &["Digest realm=\"a\", nonce=\"n\"", "Digest realm=\"b\",nonce=\"m\""],
            ),
            ("Digest a=\"x\", b=\"y\", Basic realm=\"z\"", &["Digest a=\"x\", b=\"y\"", "Basic realm=\"z\""]),
            ("Negotiate, Digest a = \"x\" , b\t=y", &["Negotiate", "Digest a = \"x\" , b\t=y"]),
            ("Basic QWxhZGRpbg==, Digest a=x", &["Basic QWxhZGRpbg==", "Digest a=x"]),
            ("Digest a=\"x, Digest b=\\\"y\\\", Basic z\"", &["Digest a=\"x, Digest b=\\\"y\\\", Basic z\""]),
            (" ,, Digest a=x ,, , Digest b=y , ", &["Digest a=x", "Digest b=y"]),
            ("Digest a=\"open, Digest b=y", &["Digest a=\"open, Digest b=y"]),
            ("a=x, b=y", &["a=x, b=y"]),
            ("", &[]),
            (", ,", &[]),
        ] {
            let found: Vec<&str> =
                Challenges::of(value.as_bytes()).map(|one| std::str::from_utf8(one).unwrap()).collect();
            assert_eq!(found, wanted, "{value}");
        }
    }
}
