//! Telephone numbers as logs above debug may show them.

use std::fmt;

/// A number of which only the first three and the last two digits show; short ones show nothing.
pub fn mask(number: &str) -> impl fmt::Display + '_ {
    Masked(number)
}

struct Masked<'a>(&'a str);

/// Shorter numbers than this are hidden whole: half of the digits must stay hidden.
const SHOWN_FROM: usize = 9;

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.chars().count();
        for (index, letter) in self.0.chars().enumerate() {
            let shown = count >= SHOWN_FROM && (index < 3 || index + 2 >= count);
            write!(f, "{}", if shown { letter } else { '*' })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_of_a_number_is_hidden() {
        assert_eq!(mask("13800000042").to_string(), "138******42");
        assert_eq!(mask("5550101").to_string(), "*******");
        assert_eq!(mask("").to_string(), "");
    }
}
