//! Pinyin with tone digits, checked before it is spoken: a voice reads anything, and what it makes of a slip is heard
//! by callers.

/// Each initial and the finals that it goes with (ISO 7098, table of syllables); ü is written v or ü. The first is
/// that of syllables without one.
const SYLLABLES: [(&str, &str); 24] = [
    ("", "a ai an ang ao e ei en eng er o ou"),
    ("b", "a ai an ang ao ei en eng i ian iao ie in ing o u"),
    ("p", "a ai an ang ao ei en eng i ian iao ie in ing o ou u"),
    ("m", "a ai an ang ao e ei en eng i ian iao ie in ing iu o ou u"),
    ("f", "a an ang ei en eng o ou u"),
    ("d", "a ai an ang ao e ei en eng i ia ian iao ie ing iu ong ou u uan ui un uo"),
    ("t", "a ai an ang ao e ei eng i ian iao ie ing ong ou u uan ui un uo"),
    ("n", "a ai an ang ao e ei en eng i ian iang iao ie in ing iu ong ou u uan un uo v ve"),
    ("l", "a ai an ang ao e ei eng i ia ian iang iao ie in ing iu o ong ou u uan un uo v ve"),
    ("g", "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo"),
    ("k", "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo"),
    ("h", "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo"),
    ("j", "i ia ian iang iao ie in ing iong iu u uan ue un"),
    ("q", "i ia ian iang iao ie in ing iong iu u uan ue un"),
    ("x", "i ia ian iang iao ie in ing iong iu u uan ue un"),
    ("zh", "a ai an ang ao e ei en eng i ong ou u ua uai uan uang ui un uo"),
    ("ch", "a ai an ang ao e en eng i ong ou u ua uai uan uang ui un uo"),
    ("sh", "a ai an ang ao e ei en eng i ou u ua uai uan uang ui un uo"),
    ("r", "an ang ao e en eng i ong ou u ua uan ui un uo"),
    ("z", "a ai an ang ao e ei en eng i ong ou u uan ui un uo"),
    ("c", "a ai an ang ao e en eng i ong ou u uan ui un uo"),
    ("s", "a ai an ang ao e en eng i ong ou u uan ui un uo"),
    ("y", "a an ang ao e i in ing o ong ou u uan ue un"),
    ("w", "a ai an ang ei en eng o u"),
];

/// The first piece that is no syllable with its tone, 1 to 5; `None` where all are.
pub fn fault(pinyin: &str) -> Option<String> {
    let apart = |letter: char| letter.is_whitespace() || ",.;:?!'-，。；：？！、".contains(letter);
    let mut pieces = pinyin.split(apart).filter(|word| !word.is_empty()).flat_map(|word| {
        // Each syllable ends with its digit.
        word.split_inclusive(|letter: char| letter.is_ascii_digit())
    });
    pieces.find(|piece| !is_syllable(piece)).map(str::to_owned)
}

fn is_syllable(piece: &str) -> bool {
    let Some(letters) = piece.strip_suffix(|tone| matches!(tone, '1'..='5')) else { return false };
    let letters = letters.to_lowercase().replace('ü', "v");
    SYLLABLES.iter().any(|(initial, finals)| {
        letters.strip_prefix(initial).is_some_and(|own| finals.split(' ').any(|known| known == own))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spoken_is_made_of_syllables_with_their_tones() {
        let good = "Nin2hao3, pu2yang2shi4 yao1 er4; lv4se4 nü3shi4 yuan2quan1 xue2xi2 er2yi3 jiong3 lve4.";
        for said in ["", good, "zhuang4 shuang1 chuai4 rui4 wo3men5 a1 ou1zhou1"] {
            assert_eq!(fault(said), None, "{said}");
        }
        for (said, piece) in [
            ("jin1tian xiu1xi5", "tian"),
            ("jin1 tain1", "tain1"),
            ("ni6hao3", "ni6"),
            ("xhong1", "xhong1"),
            ("今天", "今天"),
            ("an4 1", "1"),
            ("jin1tian11", "1"),
            ("bong1", "bong1"),
            ("gi2", "gi2"),
        ] {
            assert_eq!(fault(said).as_deref(), Some(piece), "{said}");
        }
    }
}
