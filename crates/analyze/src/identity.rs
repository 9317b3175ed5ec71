//! What the path of an input says about the run in it.
//!
//! `run_id` is the last part of the path that looks like an id; `group` is the folder above
//! that part. A layout given by the user decides instead.

/// Identity of an input as its path tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathIdentity {
    /// The id, or the file's stem.
    pub run_id: String,
    /// How it was found.
    pub origin: Origin,
    /// Which part of the path gave it.
    pub named_by: NamedBy,
    /// The folder above the part that gave the id; `_` where there is none.
    pub group: String,
    /// The folder the file stands in; `_` where there is none.
    pub folder: String,
}

/// How the run id of a path was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A part of the path looks like an id, or the layout names it.
    Id,
    /// The file's stem, for want of better.
    Stem,
}

/// Which part of a path gave the run id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// The file's name, or a layout.
    File,
    /// A folder's name.
    Folder,
}

/// Folder name that stands for "no group".
pub const NO_GROUP: &str = "_";

/// The identity `source` tells by itself.
#[must_use]
pub fn of_path(source: &str) -> PathIdentity {
    let parts: Vec<&str> = parts_of(source);
    let stem_index = parts.len().saturating_sub(1);
    let folder = group_above(&parts, stem_index);
    for (index, part) in parts.iter().enumerate().rev() {
        // Endings may pile up behind an id: `<id>.log.json`, `<id>.2.json`.
        let name = if index == stem_index { original(part.split('.').next().unwrap_or(part)) } else { part };
        if looks_like_id(name) {
            return PathIdentity {
                run_id: name.to_owned(),
                origin: Origin::Id,
                named_by: if index == stem_index { NamedBy::File } else { NamedBy::Folder },
                group: group_above(&parts, index),
                folder,
            };
        }
    }
    let name = parts.last().map_or(source, |part| stem(part));
    PathIdentity {
        run_id: name.to_owned(),
        origin: Origin::Stem,
        named_by: NamedBy::File,
        group: folder.clone(),
        folder,
    }
}

/// The name of what a file is a copy of, as browsers and desktops mark copies: `<id> (1)`, `<id> copy 2`,
/// `<id> - Copy`, `Copy of <id>`. Only before such a mark is it a name at all; anything else stays.
fn original(name: &str) -> &str {
    let name = name.strip_prefix("Copy of ").unwrap_or(name);
    let Some((head, mark)) = name.find([' ', '(']).and_then(|at| name.split_at_checked(at)) else {
        return name;
    };
    let mut words = mark.split([' ', '(', ')', '-']).filter(|word| !word.is_empty());
    let is_mark =
        words.all(|word| word.eq_ignore_ascii_case("copy") || word.bytes().all(|byte| byte.is_ascii_digit()));
    if is_mark { head } else { name }
}

fn parts_of(source: &str) -> Vec<&str> {
    source.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect()
}

fn group_above(parts: &[&str], index: usize) -> String {
    index.checked_sub(1).and_then(|above| parts.get(above)).map_or(NO_GROUP, |part| part).to_owned()
}

/// A file name without its endings (`.log`, `.json.gz`, …): up to two short ones are taken off.
#[must_use]
pub fn stem(name: &str) -> &str {
    let once = without_ending(name);
    if matches!(ending(name), "gz" | "zst" | "bz2" | "xz") { without_ending(once) } else { once }
}

fn ending(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}

fn without_ending(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, ending))
            if !stem.is_empty() && ending.len() <= 8 && ending.bytes().all(|b| b.is_ascii_alphanumeric()) =>
        {
            stem
        }
        _ => name,
    }
}

/// A uuid, or an Apify id: 17 letters and digits with upper and lower case (one id in twenty has no digit).
#[must_use]
pub fn looks_like_id(name: &str) -> bool {
    is_uuid(name.as_bytes()) || is_apify_id(name.as_bytes())
}

/// 32 hexadecimal digits in the groups of a uuid.
#[must_use]
pub fn is_uuid(name: &[u8]) -> bool {
    name.len() == 36
        && name.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_apify_id(name: &[u8]) -> bool {
    name.len() == 17
        && name.iter().all(u8::is_ascii_alphanumeric)
        && name.iter().any(u8::is_ascii_uppercase)
        && name.iter().any(u8::is_ascii_lowercase)
}

/// A path pattern given by the user: `{group}/{run_id}.log`, matched against the end of the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    parts: Vec<Vec<Piece>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group,
    RunId,
    Any,
}

/// Why a layout is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutError(String);

impl std::fmt::Display for LayoutError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LayoutError {}

impl std::str::FromStr for Layout {
    type Err = LayoutError;

    fn from_str(pattern: &str) -> Result<Self, LayoutError> {
        let parts =
            pattern.split('/').filter(|part| !part.is_empty()).map(pieces).collect::<Result<Vec<_>, _>>()?;
        let count = |wanted: &Piece| parts.iter().flatten().filter(|piece| *piece == wanted).count();
        if count(&Piece::RunId) != 1 {
            return Err(LayoutError(format!("expected {{run_id}} exactly once, found `{pattern}`")));
        }
        if count(&Piece::Group) > 1 {
            return Err(LayoutError(format!("expected {{group}} at most once, found `{pattern}`")));
        }
        Ok(Self { parts })
    }
}

fn pieces(part: &str) -> Result<Vec<Piece>, LayoutError> {
    let mut pieces = Vec::new();
    let mut rest = part;
    while !rest.is_empty() {
        let (piece, len) = if let Some(at) = rest.strip_prefix('{').and_then(|inner| inner.find('}')) {
            let piece = match rest.get(1..=at) {
                Some("group") => Piece::Group,
                Some("run_id") => Piece::RunId,
                other => {
                    let name = other.unwrap_or_default();
                    return Err(LayoutError(format!("expected {{group}} or {{run_id}}, found {{{name}}}")));
                }
            };
            (piece, at + 2)
        } else if rest.starts_with('*') {
            (Piece::Any, 1)
        } else {
            let len = rest.get(1..).and_then(|tail| tail.find(['{', '*'])).map_or(rest.len(), |at| at + 1);
            (Piece::Text(rest.get(..len).unwrap_or(rest).to_owned()), len)
        };
        if !matches!(piece, Piece::Text(_))
            && pieces.last().is_some_and(|last| !matches!(last, Piece::Text(_)))
        {
            return Err(LayoutError(format!("expected text between two placeholders, found `{part}`")));
        }
        pieces.push(piece);
        rest = rest.get(len..).unwrap_or_default();
    }
    Ok(pieces)
}

impl Layout {
    /// What the layout says about `source`; `None` where it does not fit.
    #[must_use]
    pub(crate) fn identify(&self, source: &str) -> Option<PathIdentity> {
        let parts = parts_of(source);
        let first = parts.len().checked_sub(self.parts.len())?;
        let folder = group_above(&parts, parts.len().saturating_sub(1));
        let mut found = PathIdentity {
            run_id: String::new(),
            origin: Origin::Id,
            named_by: NamedBy::File,
            group: String::new(),
            folder,
        };
        for (pattern, part) in self.parts.iter().zip(parts.get(first..)?) {
            fit(pattern, part, &mut found)?;
        }
        if found.group.is_empty() {
            found.group.clone_from(&found.folder);
        }
        (!found.run_id.is_empty()).then_some(found)
    }
}

/// Fits `part` to its pattern; a placeholder reaches to the last place where the text behind it stands.
fn fit(pattern: &[Piece], part: &str, found: &mut PathIdentity) -> Option<()> {
    let Some((piece, behind)) = pattern.split_first() else { return part.is_empty().then_some(()) };
    if let Piece::Text(text) = piece {
        return fit(behind, part.strip_prefix(text.as_str())?, found);
    }
    let end = match behind.first() {
        Some(Piece::Text(text)) => part.rfind(text.as_str())?,
        _ => part.len(),
    };
    let value = part.get(..end)?;
    match piece {
        Piece::Group => value.clone_into(&mut found.group),
        Piece::RunId => value.clone_into(&mut found.run_id),
        Piece::Text(_) | Piece::Any => {}
    }
    fit(behind, part.get(end..)?, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, run_id: &str, group: &str, origin: Origin) {
        let found = of_path(source);
        assert_eq!(
            (found.run_id.as_str(), found.group.as_str(), found.origin),
            (run_id, group, origin),
            "{source}"
        );
    }

    #[test]
    fn ids_in_paths() {
        check("dumps/apify/my-actor/aB3dE6gH9jK2mN5pQ.log", "aB3dE6gH9jK2mN5pQ", "my-actor", Origin::Id);
        check(
            "d/w/4f6c1f2e-8a53-4b0e-9d53-2a1f0c9f7e11/page-0001.json",
            "4f6c1f2e-8a53-4b0e-9d53-2a1f0c9f7e11",
            "w",
            Origin::Id,
        );
        check("aBcDeFgHiJkLmNoPq.log.gz", "aBcDeFgHiJkLmNoPq", "_", Origin::Id);
        check(
            "shop/4f6c1f2e-8a53-4b0e-9d53-2a1f0c9f7e11.logs.2.json",
            "4f6c1f2e-8a53-4b0e-9d53-2a1f0c9f7e11",
            "shop",
            Origin::Id,
        );
        for copy in [" (1)", "(2)", " copy", " copy 3", " - Copy", " - Copy (2)", " 2"] {
            let path = format!("g/aBcDeFgHiJkLmNoPq{copy}.log");
            check(&path, "aBcDeFgHiJkLmNoPq", "g", Origin::Id);
        }
        check("g/Copy of aBcDeFgHiJkLmNoPq.txt", "aBcDeFgHiJkLmNoPq", "g", Origin::Id);
        check("g/aBcDeFgHiJkLmNoPq second.log", "aBcDeFgHiJkLmNoPq second", "g", Origin::Stem);
        check("g/build (1).log", "build (1)", "g", Origin::Stem);
        check("g/x.aBcDeFgHiJkLmNoPq.log", "x.aBcDeFgHiJkLmNoPq", "g", Origin::Stem);
        check("alloy/wf1/page-0000.json", "page-0000", "wf1", Origin::Stem);
        check("./x.log", "x", "_", Origin::Stem);
        check("", "", "_", Origin::Stem);
        // Seventeen lower-case letters are a word, not an id.
        check("g/abcdefghijklmnopq.log", "abcdefghijklmnopq", "g", Origin::Stem);
    }

    #[track_caller]
    fn check_layout(layout: &str, source: &str, expect: Option<(&str, &str)>) {
        let layout: Layout = layout.parse().expect("a layout");
        let found = layout.identify(source);
        assert_eq!(found.as_ref().map(|i| (i.run_id.as_str(), i.group.as_str())), expect, "{source}");
    }

    #[test]
    fn layouts() {
        check_layout("{group}/{run_id}.log", "a/b/c.log", Some(("c", "b")));
        check_layout("{group}/{run_id}.log", "c.log", None);
        check_layout("{group}-{run_id}.log", "x/my-actor-7.log", Some(("7", "my-actor")));
        check_layout("{group}/*/{run_id}.*", "g/2026/r.1.log", Some(("r.1", "g")));
        check_layout("{run_id}.log", "a/b/c.txt", None);
    }

    #[test]
    fn layouts_refused() {
        for pattern in ["", "x.log", "{run_id}{group}", "{run_id}/{run_id}", "{name}.log"] {
            assert!(pattern.parse::<Layout>().is_err(), "{pattern}");
        }
    }
}
