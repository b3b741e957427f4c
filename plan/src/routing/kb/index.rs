//! Which articles fit a question: a plain ranking by words, and by pairs of characters where writing has no blanks.
//!
//! Chinese is cut into pairs of neighbouring characters (`养老金` is `养老` and `老金`), everything else into words. An
//! article is found that has at least half of the question's pieces. Before others stand those of the dialled line's
//! owner, then those with more of the pieces, then those with more of them in the title, then by id.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;

use super::{Article, FOUND_MAX};

/// Longest question, characters.
pub const QUERY_CHARS_MAX: usize = 64;
/// Longest word that is told from another; the rest of a longer one does not count.
const WORD_CHARS_MAX: usize = 32;

/// A question.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// In the clerk's words; of a longer one than [`QUERY_CHARS_MAX`] the beginning counts.
    pub query: &'a str,
    /// The line that was dialled.
    pub line: Option<&'a str>,
    /// Whose it is.
    pub owner: Option<&'a str>,
    /// Today, by the city's clock.
    pub day: Date,
}

/// Pieces of all articles. Each is followed by the articles that have it, in order: twice an article's place, and one
/// more where its title has it.
#[derive(Debug, Default)]
pub struct Index(HashMap<Box<str>, Vec<u32>>);

impl Index {
    /// Of these.
    pub fn of(articles: &[Article]) -> Self {
        let mut index: HashMap<Box<str>, Vec<u32>> = HashMap::new();
        for (place, article) in (0_u32..).zip(articles) {
            let title = pieces(&article.title, true);
            let mut all = pieces(&article.text, true);
            all.extend(title.iter().cloned());
            for piece in all {
                let in_title = u32::from(title.contains(&piece));
                index.entry(piece).or_default().push(place * 2 + in_title);
            }
        }
        Index(index)
    }

    /// See [`Articles::find`](super::Articles::find).
    pub(super) fn find<'a>(&self, articles: &'a [Article], asked: &Asked<'_>) -> Vec<&'a Article> {
        let query: String = asked.query.chars().take(QUERY_CHARS_MAX).collect();
        let wanted = pieces(&query, false);
        if wanted.is_empty() {
            return Vec::new();
        }
        let mut counts = vec![(0_u16, 0_u16); articles.len()];
        for piece in &wanted {
            for entry in self.0.get(piece).into_iter().flatten() {
                let Some((all, in_title)) = counts.get_mut((entry / 2) as usize) else { continue };
                *all += 1; // No more than there are pieces in a question.
                *in_title += u16::from(entry % 2 == 1);
            }
        }
        let least = u16::try_from(wanted.len().div_ceil(2)).unwrap_or(u16::MAX);
        let found = articles.iter().zip(counts);
        let found = found.filter(|(article, (all, _))| *all >= least && article.holds_on(asked.day));
        let mut found: Vec<_> = found.collect();
        found.sort_by(|(a, (a_all, a_title)), (b, (b_all, b_title))| {
            let own = |article: &Article| article.is_of(asked.line, asked.owner);
            (own(b), b_all, b_title).cmp(&(own(a), a_all, a_title)).then_with(|| a.id.cmp(&b.id))
        });
        found.into_iter().take(FOUND_MAX).map(|(article, _)| article).collect()
    }
}

/// The pieces of a text, each once; of Chinese that is read, `alone`, each character as well: somebody may ask by one.
fn pieces(text: &str, alone: bool) -> BTreeSet<Box<str>> {
    let mut pieces = BTreeSet::new();
    let letters: Vec<char> = text.chars().map(narrow).flat_map(char::to_lowercase).collect();
    let mut left = &letters[..];
    while let Some(first) = left.first() {
        let same = |letter: &char| letter.is_alphanumeric() && is_han(*letter) == is_han(*first);
        let length = left.iter().take_while(|letter| same(letter)).count();
        if length == 0 {
            left = &left[1..];
            continue;
        }
        let (run, after) = left.split_at(length);
        let piece = |letters: &[char]| letters.iter().collect::<String>().into_boxed_str();
        if !is_han(*first) {
            pieces.insert(piece(&run[..length.min(WORD_CHARS_MAX)]));
        } else {
            pieces.extend(run.windows(2).map(piece));
            if alone || length == 1 {
                pieces.extend(run.chunks(1).map(piece));
            }
        }
        left = after;
    }
    pieces
}

/// Letters and digits of full width as those of half width (U+FF01–U+FF5E): both are typed.
fn narrow(letter: char) -> char {
    match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        _ => letter,
    }
}

/// Characters of writing without blanks: CJK ideographs.
fn is_han(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::super::Articles;
    use super::*;

    fn article(id: &str, title: &str, text: &str, owner: &str) -> Article {
        Article {
            id: id.into(),
            version: "1".into(),
            title: title.into(),
            text: text.into(),
            owner: owner.into(),
            lines: Vec::new(),
            valid_from: None,
            valid_until: None,
            approver: "张三".into(),
        }
    }

    fn base() -> Articles {
        let mut old = article("d", "养老金资格认证", "到社区办理。", "人社局");
        old.valid_until = Some(Date::constant(2021, 8, 31));
        let mut yet = article("e", "养老金资格认证", "网上办理。", "人社局");
        yet.valid_from = Some(Date::constant(2021, 9, 2));
        let mut of_line = article("f", "公积金提取", "凭 A12 表到窗口。", "住建局");
        of_line.lines = vec!["12329".into()];
        Articles::new(vec![
            article("c", "退休", "养老金每月发放。资格认证每年一次。", "人社局"),
            article("b", "养老金资格认证", "用手机办理，见 A12 表。", "人社局"),
            article("a", "Wi-Fi 密码", "营业厅公布。", "通信管理办公室"),
            article("g", "提取", "公积金。", "人社局"),
            old,
            yet,
            of_line,
        ])
    }

    fn find(query: &str, line: Option<&str>, owner: Option<&str>) -> Vec<String> {
        let asked = Asked { query, line, owner, day: Date::constant(2021, 9, 1) };
        base().find(&asked).into_iter().map(|article| article.id.clone()).collect()
    }

    #[test]
    fn chinese_is_found_by_pairs_and_what_stands_in_the_title_goes_first() {
        assert_eq!(find("养老金资格认证", None, None), ["b", "c"], "all of it, in the title first");
        assert_eq!(find("请问养老金怎么认证", None, None), Vec::<String>::new(), "less than half of it");
        assert_eq!(find("养老金认证", None, None), ["b", "c"], "most of it is enough");
        assert_eq!(find("a12", None, None), ["b", "f"], "words in any case, by id where all is alike");
        assert_eq!(find("Ａ１２ 表", None, None), ["b", "f"], "and of any width");
        for nothing in ["", " ，。", "社保卡"] {
            assert!(find(nothing, None, None).is_empty(), "{nothing:?}");
        }
    }

    #[test]
    fn articles_of_the_line_and_its_owner_go_first() {
        assert_eq!(find("公积金提取", None, None), ["f", "g"]);
        assert_eq!(find("公积金提取", None, Some("人社局")), ["g", "f"], "its owner's");
        assert_eq!(find("公积金提取", Some("12329"), None), ["f", "g"], "that number's");
    }

    #[test]
    fn what_is_over_or_yet_to_come_is_never_given_out() {
        let on = |day| {
            let asked = Asked { query: "资格认证", line: None, owner: None, day };
            base().find(&asked).into_iter().map(|article| article.id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(on(Date::constant(2021, 8, 31)), ["b", "d", "c"], "its last day");
        assert_eq!(on(Date::constant(2021, 9, 1)), ["b", "c"]);
        assert_eq!(on(Date::constant(2021, 9, 2)), ["b", "e", "c"], "its first day");
        let base = base();
        assert!(base.get("d", Date::constant(2021, 9, 1)).is_none());
        assert!(base.get("d", Date::constant(2021, 8, 31)).is_some());
        assert!(base.get("none", Date::constant(2021, 9, 1)).is_none());
    }

    #[test]
    fn an_answer_is_bounded_and_always_the_same() {
        let many = (0..100).map(|n| article(&format!("{n:03}"), "养老金", "", "人社局")).rev().collect();
        let base = Articles::new(many);
        let asked = Asked { query: "养老金", line: None, owner: None, day: Date::constant(2021, 9, 1) };
        let found: Vec<_> = base.find(&asked).into_iter().map(|article| article.id.as_str()).collect();
        assert_eq!(found.len(), FOUND_MAX);
        assert_eq!(found[..3], ["000", "001", "002"]);
        let long = "养老金".repeat(1_000);
        assert_eq!(base.find(&Asked { query: &long, ..asked }).len(), FOUND_MAX, "its beginning counts");
        assert_eq!(base.find(&Asked { query: "金", ..asked }).len(), FOUND_MAX, "by one character");
    }
}
