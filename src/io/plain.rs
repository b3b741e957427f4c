//! Words from outside that people read on a terminal: nothing in them that it would take for orders, and no line
//! that looks like another's.

/// Whether a letter is no part of words: a control character, or one that turns the direction of what is beside it
/// (Unicode UAX #9 §2), by which a line can read as what it is not.
pub fn is_unseen(letter: char) -> bool {
    let turns = matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let ends_a_line = matches!(letter, '\u{2028}' | '\u{2029}');
    letter.is_control() || turns || ends_a_line
}

/// The words, with a space in each place of those.
pub fn plain(text: &str) -> String {
    text.chars().map(|letter| if is_unseen(letter) { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_or_turn_round_is_no_word() {
        let orders = "\u{1b}[31m红\n假 26112799999\u{202e}\u{2067}\u{2028}\u{85}";
        assert_eq!(plain(orders), " [31m红 假 26112799999    ");
        let words = "台风“山竹”，12345 — é Ω ا";
        assert_eq!(plain(words), words);
    }
}
