//! Merging templates that differ only in a word that turns out to vary.
//!
//! Owns the second step of error grouping: masking ([`crate::mask`]) finds what varies by its
//! shape, this finds it by comparison. Templates are compared as a sorted set, so the result
//! does not depend on the order they were found in.
//!
//! Two templates are compared only within one platform and class and with the same number of
//! words. They merge where all that differs are
//! 1. *names* (hosts, placeholders, words with a digit, `@`, `/`, `-`, `_` or a dot inside), the
//!    case of letters, or the plural behind a number; or
//! 2. one plain word, if at least four words stand in that place, or one of them is a name.
//!
//! Never merged: error classes (`TypeError`), codes (`ENOENT`, `ERR_X`, `TS2322`, `403`), calls
//! (`page.goto:`), and frames (`at parse (main.js)`).

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;

use logmill_parse::{Class, Platform};

/// How many different words make a place a variable: two or three may well be different messages.
const WORD_VALUES: usize = 4;

/// Words of letters that have to stay, for the merged template to say something.
const CONSTANT_WORDS: usize = 2;

/// Places of a template that are tried; the bound on work and memory per template.
const MAX_PLACES: usize = 40;

/// Times the second step is repeated: one more for each further place that varies.
const ROUNDS: usize = 3;

/// What stands in the place of words that vary.
pub const WILDCARD: &str = "<*>";

/// A masked message and what it must agree in with others to be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Distinct<'a> {
    /// Platform.
    pub platform: Platform,
    /// Class of its events.
    pub class: Class,
    /// The template.
    pub template: &'a str,
}

/// For each of `templates` the template of its merged group: its own text, or one with `<*>`
/// for every word that differs within the group.
///
/// Takes about n·log n steps in the number of words.
#[must_use]
pub fn merge<'a>(templates: &[Distinct<'a>]) -> Vec<Cow<'a, str>> {
    merge_counted(templates, &Cell::new(0))
}

/// Merges, and counts in `n_words` how often a word is looked at, so that the work can be bounded without a
/// clock.
fn merge_counted<'a>(templates: &[Distinct<'a>], n_words: &Cell<usize>) -> Vec<Cow<'a, str>> {
    let mut buckets: BTreeMap<(Platform, Class, usize), BTreeMap<&'a str, Cow<'a, str>>> = BTreeMap::new();
    for distinct in templates {
        buckets
            .entry(bucket(distinct))
            .or_default()
            .insert(distinct.template, Cow::Borrowed(distinct.template));
    }
    for bucket in buckets.values_mut() {
        merge_bucket(bucket, n_words);
    }
    let merged = |distinct: &Distinct<'a>| {
        let merged = buckets.get(&bucket(distinct)).and_then(|bucket| bucket.get(distinct.template));
        merged.cloned().unwrap_or(Cow::Borrowed(distinct.template))
    };
    templates.iter().map(merged).collect()
}

fn bucket(distinct: &Distinct<'_>) -> (Platform, Class, usize) {
    (distinct.platform, distinct.class, distinct.template.split(' ').count())
}

/// Sets the values of a map whose keys are distinct templates of one number of words.
fn merge_bucket<'a>(bucket: &mut BTreeMap<&'a str, Cow<'a, str>>, n_words: &Cell<usize>) {
    if bucket.len() < 2 {
        return;
    }
    let mut clusters = Clusters::new(bucket.keys().copied(), n_words);
    let unions = clusters.same_but_names();
    clusters.fuse(&unions);
    for _ in 0..ROUNDS {
        let unions = clusters.same_but_one_word();
        if unions.is_empty() {
            break;
        }
        clusters.fuse(&unions);
    }
    for (merged, &owner) in bucket.values_mut().zip(&clusters.owners) {
        if let Some(pattern) = clusters.patterns.get(owner)
            && pattern.contains(&WILDCARD)
        {
            *merged = Cow::Owned(pattern.join(" "));
        }
    }
}

/// The templates of a bucket and the patterns they have been merged to.
struct Clusters<'a, 'n> {
    /// Words of each pattern; all distinct.
    patterns: Vec<Vec<&'a str>>,
    /// The pattern of each template.
    owners: Vec<usize>,
    /// How often a word has been looked at.
    n_words: &'n Cell<usize>,
}

impl<'a, 'n> Clusters<'a, 'n> {
    fn new(templates: impl Iterator<Item = &'a str>, n_words: &'n Cell<usize>) -> Self {
        let patterns: Vec<Vec<&'a str>> = templates.map(|template| template.split(' ').collect()).collect();
        let owners = (0..patterns.len()).collect();
        Self { patterns, owners, n_words }
    }

    fn looks_at(&self, pattern: &[&str]) {
        self.n_words.set(self.n_words.get() + pattern.len());
    }

    /// Pairs of patterns that are the same once all names are left out.
    fn same_but_names(&self) -> Vec<(usize, usize)> {
        let mut firsts: BTreeMap<Vec<Cow<'_, str>>, usize> = BTreeMap::new();
        let mut unions = Vec::new();
        for (index, pattern) in self.patterns.iter().enumerate() {
            self.looks_at(pattern);
            let frame = frame_start(pattern);
            let named = |place: usize, word: &str| place < frame && is_name(word);
            let n_varying = pattern.iter().enumerate().filter(|(place, word)| named(*place, word)).count();
            if constant_words(pattern) < CONSTANT_WORDS.max(n_varying) {
                continue;
            }
            let mut before = "";
            let mut signature: Vec<Cow<'_, str>> = Vec::with_capacity(pattern.len());
            for (place, word) in pattern.iter().enumerate() {
                let word = if named(place, word) { Cow::Borrowed(WILDCARD) } else { spelling(word, before) };
                signature.push(word);
                before = pattern.get(place).copied().unwrap_or_default();
            }
            match firsts.get(&signature) {
                Some(&first) => unions.push((first, index)),
                None => {
                    firsts.insert(signature, index);
                }
            }
        }
        unions
    }

    /// Pairs of patterns that are the same but for one word, in places where many words stand.
    fn same_but_one_word(&self) -> Vec<(usize, usize)> {
        let mut slots: Vec<(u64, usize, usize)> = Vec::new();
        for (index, pattern) in self.patterns.iter().enumerate() {
            self.looks_at(pattern);
            let whole = pattern
                .iter()
                .enumerate()
                .fold(0_u64, |sum, (place, word)| sum.wrapping_add(hash(place, word)));
            let n_constant = constant_words(pattern);
            let frame = frame_start(pattern);
            let free = pattern.iter().enumerate().take(frame).filter(|(_, word)| may_vary(word));
            for (place, word) in free.take(MAX_PLACES) {
                if n_constant - usize::from(is_word(word)) >= CONSTANT_WORDS {
                    slots.push((whole.wrapping_sub(hash(place, word)), place, index));
                }
            }
        }
        slots.sort_unstable();
        slots.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).flat_map(|slot| self.unions_of_slot(slot)).collect()
    }

    fn unions_of_slot(&self, slot: &[(u64, usize, usize)]) -> Vec<(usize, usize)> {
        let Some(&(_, place, first)) = slot.first() else { return Vec::new() };
        // Equal sums are all but certain to be equal words; what is not, stays alone.
        let same: Vec<usize> = slot
            .iter()
            .map(|&(_, _, index)| index)
            .filter(|&index| self.same_but(place, first, index))
            .collect();
        let known_to_vary = same.iter().any(|&index| is_name(self.word(index, place)));
        if same.len() < 2 || (same.len() < WORD_VALUES && !known_to_vary) {
            return Vec::new();
        }
        same.iter().skip(1).map(|&index| (first, index)).collect()
    }

    fn word(&self, index: usize, place: usize) -> &'a str {
        self.patterns.get(index).and_then(|pattern| pattern.get(place)).copied().unwrap_or_default()
    }

    fn same_but(&self, place: usize, one: usize, other: usize) -> bool {
        let (Some(one), Some(other)) = (self.patterns.get(one), self.patterns.get(other)) else {
            return false;
        };
        self.looks_at(one);
        one.iter().zip(other).enumerate().all(|(at, (one, other))| at == place || one == other)
    }

    /// Merges the patterns of every pair; a place where they differ becomes a wildcard.
    fn fuse(&mut self, unions: &[(usize, usize)]) {
        let mut parents: Vec<usize> = (0..self.patterns.len()).collect();
        for &(one, other) in unions {
            let (one, other) = (root(&mut parents, one), root(&mut parents, other));
            // The smaller index is the root: patterns are in the order of their text.
            if let Some(parent) = parents.get_mut(one.max(other)) {
                *parent = one.min(other);
            }
        }
        let mut fused: BTreeMap<usize, Vec<&'a str>> = BTreeMap::new();
        let roots: Vec<usize> = (0..self.patterns.len()).map(|index| root(&mut parents, index)).collect();
        for (&root, pattern) in roots.iter().zip(std::mem::take(&mut self.patterns)) {
            self.looks_at(&pattern);
            fused.entry(root).and_modify(|kept| widen(kept, &pattern)).or_insert(pattern);
        }
        // Different groups may have widened to the same pattern.
        let mut places: BTreeMap<&Vec<&'a str>, usize> = BTreeMap::new();
        let mut place_of_root: BTreeMap<usize, usize> = BTreeMap::new();
        for (&root, pattern) in &fused {
            let next = places.len();
            place_of_root.insert(root, *places.entry(pattern).or_insert(next));
        }
        for owner in &mut self.owners {
            *owner = roots.get(*owner).and_then(|root| place_of_root.get(root)).copied().unwrap_or(*owner);
        }
        let mut patterns = vec![Vec::new(); places.len()];
        for (pattern, place) in places {
            if let Some(slot) = patterns.get_mut(place) {
                slot.clone_from(pattern);
            }
        }
        self.patterns = patterns;
    }
}

fn widen<'a>(kept: &mut [&'a str], pattern: &[&'a str]) {
    for (kept, word) in kept.iter_mut().zip(pattern) {
        if *kept != *word {
            *kept = WILDCARD;
        }
    }
}

/// The representative of `index`, halving the path to it.
fn root(parents: &mut [usize], index: usize) -> usize {
    let mut index = index;
    while let Some(&parent) = parents.get(index)
        && parent != index
    {
        let grandparent = parents.get(parent).copied().unwrap_or(parent);
        if let Some(slot) = parents.get_mut(index) {
            *slot = grandparent;
        }
        index = grandparent;
    }
    index
}

/// A word as it is compared: in small letters, and behind a number in the singular.
fn spelling<'a>(word: &'a str, before: &str) -> Cow<'a, str> {
    let small = if word.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(word.to_ascii_lowercase())
    } else {
        Cow::Borrowed(word)
    };
    if before != "<n>" {
        return small;
    }
    let end = small.trim_end_matches(|c: char| c.is_ascii_punctuation()).len();
    match small.split_at_checked(end) {
        Some((core, tail)) if core.ends_with('s') => {
            Cow::Owned(format!("{}{tail}", core.trim_end_matches('s')))
        }
        _ => small,
    }
}

/// Where the frame (`at function (file)` at the end) starts: its words say which code it was.
fn frame_start(words: &[&str]) -> usize {
    match words {
        [.., at, _, file] if *at == "at" && file.starts_with('(') && file.ends_with(')') => words.len() - 3,
        _ => words.len(),
    }
}

fn constant_words(words: &[&str]) -> usize {
    words.iter().filter(|word| is_word(word)).count()
}

/// At least two letters, and no placeholder.
fn is_word(word: &str) -> bool {
    !word.contains('<') && word.chars().filter(|c| c.is_alphabetic()).nth(1).is_some()
}

/// Without the punctuation of the sentence around it.
fn core(word: &str) -> &str {
    word.trim_matches(|c: char| matches!(c, '.' | ',' | ':' | ';' | '!' | '?' | '(' | ')' | '[' | ']'))
}

/// Whether two of these in one place are enough to call the place a variable.
fn is_name(word: &str) -> bool {
    if word == WILDCARD || word.contains("://") {
        return true;
    }
    if !may_vary(word) {
        return false;
    }
    let core = core(word);
    core.contains('<')
        || core.bytes().any(|byte| byte.is_ascii_digit() || matches!(byte, b'@' | b'/' | b'-' | b'_' | b'.'))
}

/// Whether a word may differ between messages that mean the same.
fn may_vary(word: &str) -> bool {
    let core = core(word);
    !(core.is_empty() || is_code(core) || is_class(core) || is_call(word, core) || core == "|")
}

/// `ENOENT`, `ERR_X`, `net::ERR_X`, `TS2322`, `403`: names of what happened.
fn is_code(core: &str) -> bool {
    let shouts = !core.bytes().any(|byte| byte.is_ascii_lowercase())
        && core.bytes().filter(u8::is_ascii_uppercase).count() >= 2
        && !core.contains('<');
    core.contains("::") || shouts || core.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_class(core: &str) -> bool {
    ["Error", "Exception", "Warning", "ERROR", "WARNING"].iter().any(|end| core.ends_with(end))
}

/// `page.goto:`: the call that failed.
fn is_call(word: &str, core: &str) -> bool {
    word.ends_with(':')
        && core.contains('.')
        && core.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
}

/// FNV-1a of a word, spread by its place; a template's hash is the sum over its words.
fn hash(place: usize, word: &str) -> u64 {
    let fnv = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let spread = fnv ^ (place as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (spread ^ (spread >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distinct(template: &str) -> Distinct<'_> {
        Distinct { platform: Platform::Apify, class: Class::Failure, template }
    }

    #[track_caller]
    fn check(templates: &[&str], expect: &[&str]) {
        let distincts: Vec<_> = templates.iter().map(|template| distinct(template)).collect();
        assert_eq!(merge(&distincts), expect);
        let mut backwards = distincts;
        backwards.reverse();
        let mut merged = merge(&backwards);
        merged.reverse();
        assert_eq!(merged, expect, "in any order");
    }

    #[test]
    fn nothing_to_merge() {
        check(&[], &[]);
        check(&["a b c"], &["a b c"]);
        check(&["a b c", "a b c"], &["a b c", "a b c"]);
    }

    #[test]
    fn names_merge_at_two() {
        let merged = "Retrying request to <*> now";
        check(
            &[
                "Retrying request to https://a.example.com<path> now",
                "Retrying request to https://b.example.com<path> now",
            ],
            &[merged; 2],
        );
        check(
            &["deprecated package glob@<n> found", "deprecated package rimraf@<n> found"],
            &["deprecated package <*> found"; 2],
        );
    }

    #[test]
    fn words_merge_at_four() {
        let of = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| format!("Profile {name} is private")).collect()
        };
        let three = of(&["anna", "maria", "thomas"]);
        let three: Vec<&str> = three.iter().map(String::as_str).collect();
        check(&three, &three);
        let four = of(&["anna", "maria", "thomas", "zuzana"]);
        let four: Vec<&str> = four.iter().map(String::as_str).collect();
        check(&four, &["Profile <*> is private"; 4]);
        // A name makes the place a variable; then every word may stand in it.
        check(
            &["Profile x<n> is private", "Profile j.doe is private", "Profile anna is private"],
            &["Profile <*> is private"; 3],
        );
    }

    #[test]
    fn case_and_plural_do_not_count() {
        check(&["npm WARN old package", "npm warn old package"], &["npm <*> old package"; 2]);
        check(
            &["Build failed with <n> error:", "Build failed with <n> errors:"],
            &["Build failed with <n> <*>"; 2],
        );
        check(
            &["page.goto: it was late", "page.click: it was late"],
            &["page.goto: it was late", "page.click: it was late"],
        );
    }

    #[test]
    fn what_says_what_happened_stays_apart() {
        for templates in [
            ["code ENOENT in the tool", "code EPERM in the tool"],
            ["TypeError: it was not there", "RangeError: it was not there"],
            ["exited with the code 1", "exited with the code 137"],
            ["page.goto: Timeout <dur> was exceeded", "page.click: Timeout <dur> was exceeded"],
            ["it was null at parse (a.js)", "it was null at parse (b.js)"],
            ["https://a.example.com<path> <q>", "https://b.example.com<path> <q>"],
            ["one two three", "one two three four"],
        ] {
            check(&templates, &templates);
        }
    }

    #[test]
    fn two_places_may_vary() {
        let names = ["anna", "maria", "thomas", "zuzana"];
        let templates: Vec<String> = names
            .iter()
            .flat_map(|a| names.iter().map(move |b| format!("User {a} blocked user {b} today")))
            .collect();
        let templates: Vec<&str> = templates.iter().map(String::as_str).collect();
        check(&templates, &["User <*> blocked user <*> today"; 16]);
    }

    #[test]
    fn class_and_platform_stay_apart() {
        let one = distinct("sent to https://a.example.com<path> again");
        let other = distinct("sent to https://b.example.com<path> again");
        for other in
            [Distinct { class: Class::Retry, ..other }, Distinct { platform: Platform::Alloy, ..other }]
        {
            assert_eq!(merge(&[one, other]), [one.template, other.template]);
        }
    }

    /// How often merging `templates` looks at a word, for each word there is. None of them merge.
    #[track_caller]
    fn looks_per_word(templates: &[String]) -> usize {
        let n_words: usize = templates.iter().map(|template| template.split(' ').count()).sum();
        let distincts: Vec<_> = templates.iter().map(|template| distinct(template)).collect();
        let looks = Cell::new(0);
        let merged = merge_counted(&distincts, &looks);
        assert_eq!(merged.iter().collect::<std::collections::BTreeSet<_>>().len(), templates.len());
        looks.get() / n_words
    }

    #[test]
    fn many_templates_take_bounded_work() {
        let letters = |n: u32| -> String {
            let letter = |at: u32| char::from(b'a' + u8::try_from((n >> (4 * at)) % 16).unwrap_or(0));
            (0..5).map(letter).collect()
        };
        let sentence = |i: u32| {
            let (file, reason) = (letters(i / 3), letters(i * 31));
            format!("{} could not {} the file of {file} because {reason}", letters(i), letters(i * 7))
        };
        let templates: Vec<String> = (0..20_000).map(sentence).collect();
        // Once for names, once to put together what differs in them, once for sums, and once for each of ten places.
        assert_eq!(looks_per_word(&templates), 13);
        let long: Vec<String> = (0..5_000).map(|i| format!("w{}{i}", "a b ".repeat(70))).collect();
        assert!(looks_per_word(&long) <= 3 + MAX_PLACES);
    }
}
