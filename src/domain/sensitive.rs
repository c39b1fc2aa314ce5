//! What a file's name suggests about its content. A suggestion only ever adds caution: it widens the categories of a case
//! and never narrows them.
//!
//! Reads names only, never content, and keeps nothing of them. One automaton holds all patterns; a look-up allocates
//! nothing. Letters A–Z are compared without regard to case. An ASCII pattern of up to four letters counts only as a word
//! of its own, so that `cv` is not found in `recvfrom`.

use aho_corasick::{AhoCorasick, BuildError};

use super::party::{Categories, Category};

/// Name patterns that come with the program.
const BUILT_IN: &str = include_str!("../../policy/name-patterns.txt");

/// Longest ASCII pattern that must stand as a word of its own.
const SHORT: usize = 4;

/// Finds categories that a file's name suggests.
#[derive(Clone, Debug)]
pub struct NamePatterns {
    automaton: AhoCorasick,
    meanings: Vec<Meaning>,
}

#[derive(Clone, Copy, Debug)]
struct Meaning {
    category: Category,
    whole_word: bool,
}

impl NamePatterns {
    /// Built-in patterns and the operator's own. Blank patterns are left out: they would match every name.
    ///
    /// # Errors
    /// The patterns together are too large for one automaton (gigabytes).
    pub fn new(extra: &[(String, Category)]) -> Result<Self, BuildError> {
        let mut all: Vec<(&str, Category)> = built_in().collect();
        all.extend(extra.iter().map(|(word, category)| (word.trim(), *category)));
        all.retain(|(word, _)| !word.is_empty());
        let automaton =
            AhoCorasick::builder().ascii_case_insensitive(true).build(all.iter().map(|(word, _)| word.as_bytes()))?;
        Ok(Self { automaton, meanings: all.iter().map(|(word, category)| meaning(word, *category)).collect() })
    }

    /// Categories that `name` suggests; none if nothing is known by it.
    pub fn suggest(&self, name: &str) -> Categories {
        let mut found = Categories::NONE;
        for hit in self.automaton.find_overlapping_iter(name) {
            let meaning = self.meanings[hit.pattern().as_usize()];
            if !meaning.whole_word || stands_alone(name.as_bytes(), hit.start(), hit.end()) {
                found = found.with(meaning.category);
            }
        }
        found
    }
}

/// Lines of `category: word | word`; a test holds that every line is one.
fn built_in() -> impl Iterator<Item = (&'static str, Category)> {
    BUILT_IN.lines().filter_map(entry).flat_map(|(category, words)| words.map(move |word| (word, category)))
}

fn entry(line: &'static str) -> Option<(Category, impl Iterator<Item = &'static str>)> {
    let (category, words) = line.split_once(':').filter(|_| !line.starts_with('#'))?;
    Some((Category::parse(category)?, words.split('|').map(str::trim)))
}

fn meaning(word: &str, category: Category) -> Meaning {
    // `hkid` is no part of any other word.
    let whole_word = word.is_ascii() && word.len() <= SHORT && !word.eq_ignore_ascii_case("hkid");
    Meaning { category, whole_word }
}

/// Digits, `_`, `-` and every character beyond ASCII end a word; so does the step from small to capital letter, as in
/// `staffCV`.
fn stands_alone(name: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| name.get(at));
    let open = before.is_none_or(|byte| !byte.is_ascii_alphabetic() || camel(*byte, name.get(start)));
    let last = end.checked_sub(1).and_then(|at| name.get(at));
    let closed = name
        .get(end)
        .is_none_or(|byte| !byte.is_ascii_alphabetic() || last.is_some_and(|last| camel(*last, Some(byte))));
    open && closed
}

fn camel(before: u8, after: Option<&u8>) -> bool {
    before.is_ascii_lowercase() && after.is_some_and(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggest(name: &str) -> Vec<&'static str> {
        NamePatterns::new(&[]).unwrap().suggest(name).iter().map(Category::name).collect()
    }

    #[test]
    fn both_scripts_and_any_case() {
        for name in ["HKID copies.zip", "staffHKIDcopy.pdf", "陳大文身份證.jpg", "陈大文身份证.jpg", "PASSPORT_2.png"]
        {
            assert_eq!(suggest(name), ["identity"], "{name}");
        }
        assert_eq!(suggest("二月薪酬表.xlsx"), ["financial"]);
        assert_eq!(suggest("病歷 2026.docx"), ["health"]);
        assert_eq!(suggest("病历.docx"), ["health"]);
        assert_eq!(suggest("指纹打卡.csv"), ["biometric"]);
    }

    #[test]
    fn one_name_may_suggest_several() {
        assert_eq!(suggest("學生護照及銀行戶口.pdf"), ["identity", "financial", "minors"]);
        assert_eq!(suggest("客户薪资明细 employee.xlsx"), ["financial", "employment", "customer"]);
    }

    #[test]
    fn short_words_stand_alone() {
        assert_eq!(suggest("recvfrom.c"), Vec::<&str>::new());
        assert_eq!(suggest("visage.png"), Vec::<&str>::new());
        for name in ["CV.pdf", "wong_cv_2026.pdf", "我的CV.pdf", "staffCV.pdf", "cv2.pdf"] {
            assert_eq!(suggest(name), ["employment"], "{name}");
        }
    }

    #[test]
    fn plain_names_suggest_nothing() {
        for name in ["", "agenda.docx", "Q3 roadmap.pptx", "會議紀錄.docx", "identical.txt", "guidance.pdf"] {
            assert_eq!(suggest(name), Vec::<&str>::new(), "{name}");
        }
    }

    #[test]
    fn own_patterns_are_added_and_blank_ones_are_not() {
        let own = [("Project Lotus".to_owned(), Category::Health), ("  ".to_owned(), Category::Minors)];
        let patterns = NamePatterns::new(&own).unwrap();
        assert_eq!(patterns.suggest("project lotus v2.docx"), Categories::NONE.with(Category::Health));
        assert_eq!(patterns.suggest("agenda.docx"), Categories::NONE);
    }

    #[test]
    fn every_line_of_the_data_is_read() {
        let lines = || BUILT_IN.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        assert!(lines().all(|line| entry(line).is_some_and(|(_, mut words)| words.all(|word| !word.is_empty()))));
    }

    #[test]
    fn every_built_in_pattern_finds_itself() {
        let patterns = NamePatterns::new(&[]).unwrap();
        assert!(built_in().count() > 150);
        for (word, category) in built_in() {
            let found = patterns.suggest(&format!("a {word} b"));
            assert!(Categories::NONE.with(category).within(found), "{word}");
        }
    }
}
