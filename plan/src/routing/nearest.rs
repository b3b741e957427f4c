//! The nearest valid name to a mistyped one, for diagnostics.

/// The candidate with the fewest slips from `word`; ties go to the one that sorts first.
///
/// A slip is an insertion, a deletion, a replacement or two neighbours swapped. `None` where even
/// the nearest differs in more than two fifths of the longer word: then it is another word.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let longer = word.chars().count().max(candidate.chars().count());
            let slips = slips(word, candidate);
            (slips <= (longer * 2 / 5).max(1)).then_some((slips, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// Slips between two words (optimal string alignment).
fn slips(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before_last[j - 2] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_finds_its_word_and_another_word_finds_none() {
        let names = ["greeting", "music", "ring", "wrap_up"];
        for (word, expected) in [
            ("greting", Some("greeting")),
            ("wrap-up", Some("wrap_up")),
            ("rnig", Some("ring")),
            ("musik", Some("music")),
            ("overflow", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, names), expected, "{word:?}");
        }
    }
}
