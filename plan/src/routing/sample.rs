//! The `routing.toml` that comes with the engine, as the book of what can be written: each key of it with the
//! comment above, those that stand behind `#` as well.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

/// The sample as it is shipped with this engine.
const SAMPLE: &str = include_str!("../../../routing.toml");

/// Each key and table of the sample, `number.transition.start`, with the comment above it; empty where it has none.
pub fn keys() -> BTreeMap<String, String> {
    keys_of(SAMPLE)
}

/// The sample with all in force that stands behind `#`, and not behind `# `, as other ways to write a key do.
pub fn in_full() -> String {
    let live = |line: &'static str| match line.strip_prefix('#') {
        Some(shown) if !shown.is_empty() && !shown.starts_with([' ', ':']) => shown,
        _ => line,
    };
    SAMPLE.lines().map(live).collect::<Vec<_>>().join("\n")
}

/// What the sample shows and leaves to the operator's choice: the heads of its blocks, from `#[[` to the next empty
/// line, with their names, `flow order`, `calling`; and each as the TOML that it is without its `#`.
pub fn shown() -> Vec<(String, String)> {
    SAMPLE.split("\n\n").filter_map(shown_in).collect()
}

fn shown_in(block: &str) -> Option<(String, String)> {
    let lines: Vec<&str> = block.lines().collect();
    let first = lines.iter().position(|line| line.starts_with("#["))?;
    let kind = head(&lines[first][1..])?;
    let live =
        |line: &str| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line).to_owned();
    let lines: Vec<String> = lines[first..].iter().map(|line| live(line)).collect();
    let name = lines.iter().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    let called = name.map_or_else(|| kind.to_owned(), |name| format!("{kind} {name}"));
    Some((called, lines.join("\n")))
}

/// How the sample writes a key, `queue[0].ring`, in force or behind `#`: `ring = "20s"`, or `[city]` for a table;
/// `None` where it takes several lines.
pub fn example(key: &str) -> Option<String> {
    let key: String =
        key.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest)).collect();
    let (table, name) = key.rsplit_once('.').unwrap_or(("", &key));
    let mut at = "";
    for line in SAMPLE.lines().map(uncommented) {
        match head(line).filter(|_| is_head(line)) {
            Some(own) if own == key => return Some(line.to_owned()),
            Some(own) => at = own,
            None if at != table => {}
            None => {
                let value = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(" = "));
                let whole = value.filter(|value| !value.ends_with('['));
                if whole.is_some() {
                    return Some(line.to_owned());
                }
            }
        }
    }
    None
}

fn keys_of(text: &str) -> BTreeMap<String, String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut keys = BTreeMap::new();
    let mut at = "";
    for (number, line) in lines.iter().enumerate() {
        let shown = uncommented(line);
        if let Some(name) = head(shown).filter(|_| is_head(shown)) {
            at = name;
            add(&mut keys, at, comment_above(&lines, number));
            at.match_indices('.').for_each(|(dot, _)| add(&mut keys, &at[..dot], String::new()));
        } else if shown != *line {
            // One of several ways to write a key: each is read by itself.
            let whole = whole(shown, &lines[number + 1..]);
            let (document, _) = DeTable::parse_recoverable(&whole);
            gather(document.get_ref(), at, &mut keys, &|_| comment_above(&lines, number));
        }
    }
    let (document, _) = DeTable::parse_recoverable(text);
    gather(document.get_ref(), "", &mut keys, &|start| {
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        // Keys of inline tables are told of where their table is, and tables at their heads.
        let leads = start == line_start && !text[start..].starts_with('[');
        if leads { comment_above(&lines, text[..start].matches('\n').count()) } else { String::new() }
    });
    keys
}

/// A line with what stands behind `#`, if that is a key or the head of a table.
fn uncommented(line: &str) -> &str {
    let Some(rest) = line.strip_prefix('#') else { return line };
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    if is_head(rest) || is_key(rest) { rest } else { line }
}

/// A key behind `#` with the rest of its list, where that goes on for lines.
fn whole(shown: &str, below: &[&str]) -> String {
    let mut whole = shown.to_owned();
    if shown.ends_with('[') {
        for line in below.iter().map_while(|line| line.strip_prefix('#')) {
            whole.push('\n');
            whole.push_str(line);
            if line.trim_start().starts_with(']') {
                break;
            }
        }
    }
    whole
}

fn is_key(line: &str) -> bool {
    line.split_once(" = ").is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(is_name))
}

fn is_head(line: &str) -> bool {
    head(line).is_some_and(|name| name.bytes().all(|byte| is_name(byte) || byte == b'.'))
}

fn head(line: &str) -> Option<&str> {
    let inner = line.strip_prefix('[')?.strip_suffix(']')?;
    Some(inner.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(inner))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
}

/// Lines of words right above a line, without their `#`.
fn comment_above(lines: &[&str], at: usize) -> String {
    let above = lines[..at].iter().rev();
    let words: Vec<&str> =
        above.take_while(|line| line.starts_with("# ") && uncommented(line) == **line).copied().collect();
    let words: Vec<&str> = words.into_iter().rev().map(|line| line.trim_start_matches("# ")).collect();
    if words.iter().any(|line| line.starts_with('─')) { String::new() } else { words.join("\n") }
}

/// The first comment holds.
fn add(keys: &mut BTreeMap<String, String>, key: &str, comment: String) {
    let known = keys.entry(key.to_owned()).or_default();
    if known.is_empty() {
        *known = comment;
    }
}

/// The keys of a table and of the tables in it; `comment` finds what is said of the key that begins at a byte.
fn gather(
    table: &DeTable<'_>,
    at: &str,
    into: &mut BTreeMap<String, String>,
    comment: &dyn Fn(usize) -> String,
) {
    for (name, value) in table {
        let own: &str = name.get_ref();
        let key = if at.is_empty() { own.to_owned() } else { format!("{at}.{own}") };
        add(into, &key, comment(name.span().start));
        let items = match value.get_ref() {
            DeValue::Array(items) => items.iter().map(|item| item.get_ref()).collect(),
            other => vec![other],
        };
        for table in items.into_iter().filter_map(DeValue::as_table) {
            gather(table, &key, into, comment);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_found_by_its_name_and_reads_as_what_it_would_be() {
        let shown: BTreeMap<String, String> = shown().into_iter().collect();
        for (name, key) in [("flow order", "flow"), ("look_up tickets", "look_up"), ("calling", "calling")] {
            let block = shown.get(name).unwrap_or_else(|| panic!("{name}: {:?}", shown.keys()));
            let table: toml::Table = block.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(table.keys().map(String::as_str).collect::<Vec<_>>(), [key], "{block}");
        }
    }

    #[test]
    fn a_key_is_shown_as_the_sample_writes_it() {
        for (key, written) in [
            ("schema", "schema = 1"),
            ("city", "[city]"),
            ("queue[2].overflow_prompt", "overflow_prompt = \"no_seat\""),
            ("calling.trunk", "trunk = \"carriers\""),
        ] {
            assert_eq!(example(key).as_deref(), Some(written), "{key}");
        }
        assert_eq!((example("work.away"), example("queue.nothing")), (None, None));
    }

    #[test]
    fn keys_are_found_with_their_comments_behind_a_hash_or_not() {
        let text = "# ── 城市 ──\n\n# 城市。The city.\n[city]\n# 名。\n# Its name.\nname = \"x\"\nplain = 1\n\n\
                    # Told. name = \"y\" is no key.\n#[[queue]]\n# 名 name\n#name = \"main\"\n# away = \"3min\"\n\
                    #widen = [\n#{ after = \"30s\" },\n#]\n#ring = \"20s\"\n";
        let keys = keys_of(text);
        let found: Vec<(&str, &str)> =
            keys.iter().map(|(key, comment)| (key.as_str(), comment.as_str())).collect();
        assert_eq!(
            found,
            [
                ("city", "城市。The city."),
                ("city.name", "名。\nIts name."),
                ("city.plain", ""),
                ("queue", "Told. name = \"y\" is no key."),
                ("queue.away", ""),
                ("queue.name", "名 name"),
                ("queue.ring", ""),
                ("queue.widen", ""),
                ("queue.widen.after", ""),
            ]
        );
    }
}
