//! Which name somebody may have meant.

/// How alike two words must be, from 0 to 1, for one to be taken for a slip of the other.
const ALIKE: f64 = 0.8;

/// The name most like `word`, if any is much like it; of several the first.
#[must_use]
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let likeness = |name: &'a str| (strsim::jaro_winkler(&word, &name.to_lowercase()), name);
    let alike = names.into_iter().map(likeness).filter(|(likeness, _)| *likeness >= ALIKE);
    let best = alike.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map(|(_, name)| name)
}

/// `; did you mean …?`, or nothing.
#[must_use]
pub fn tip<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let tip = |name: &str| format!("; did you mean `{}`?", crate::terminal::safe(name));
    nearest(word, names).map_or_else(String::new, tip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_told_from_other_words() {
        let names = ["duration_ms", "started_at", "stopped_at", "status", "n_errors"];
        for (word, expect) in [
            ("duration", Some("duration_ms")),
            ("duraton_ms", Some("duration_ms")),
            ("Status", Some("status")),
            ("start", Some("started_at")),
            ("errors", Some("n_errors")),
            ("xyz", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, names), expect, "{word}");
        }
    }
}
