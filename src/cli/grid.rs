//! Words in columns on a terminal, on which Chinese letters are two columns wide.

/// Between two columns.
const GAP: usize = 2;

/// Width at a terminal.
pub(super) fn columns(text: &str) -> usize {
    text.chars()
        .map(|letter| match u32::from(letter) {
            0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF => 2,
            0xFE30..=0xFE4F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 => 2,
            _ => 1,
        })
        .sum()
}

/// Rows, each column as wide as the widest in it.
pub(super) fn in_columns<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(columns(cell));
        }
    }
    rows.iter().map(|row| in_widths(row, widths) + "\n").collect()
}

/// One row in columns of these widths; what is wider pushes the rest on.
pub(super) fn in_widths<const N: usize>(cells: &[String; N], widths: [usize; N]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        line.push_str(cell);
        line.extend(std::iter::repeat_n(' ', (width + GAP).saturating_sub(columns(cell)).max(1)));
    }
    line.trim_end().to_owned()
}
