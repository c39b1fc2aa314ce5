//! Makes text from outside harmless for people's eyes: a file name may hold terminal escape sequences, line ends, or
//! characters that reverse or hide what follows. They are shown, not obeyed.

/// Longest value shown, in characters.
const MOST: usize = 200;

/// A value on one line without control, direction or invisible characters, cut at 200 characters.
pub fn plain(value: &str) -> String {
    let mut shown = String::with_capacity(value.len().min(MOST * 4));
    let mut chars = value.chars();
    for char in chars.by_ref().take(MOST) {
        push(&mut shown, char);
    }
    let left = chars.count();
    if left > 0 {
        shown.push_str(&format!("… (+{left})"));
    }
    shown
}

/// Appends a character, or what stands for it.
pub(super) fn push(shown: &mut String, char: char) {
    match char {
        // Unicode has a picture for each C0 control and for DEL (block Control Pictures).
        '\0'..='\u{1f}' => shown.extend(char::from_u32(0x2400 + u32::from(char))),
        '\u{7f}' => shown.push('\u{2421}'),
        hidden if is_hidden(hidden) => push_code(shown, hidden),
        visible => shown.push(visible),
    }
}

fn push_code(shown: &mut String, char: char) {
    shown.push_str(&format!("\\u{{{:x}}}", u32::from(char)));
}

/// Characters that act instead of being seen: C0, DEL, C1, line and paragraph separators, direction controls (UAX #9),
/// zero-width and other format characters, tags, private use.
pub fn is_hidden(char: char) -> bool {
    matches!(char,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_shown_and_not_obeyed() {
        assert_eq!(plain("a\u{1b}[2Jb"), "a␛[2Jb");
        assert_eq!(plain("a\r\nb\tc\0"), "a␍␊b␉c␀");
        assert_eq!(plain("\u{7f}\u{9b}31m"), "␡\\u{9b}31m");
        assert_eq!(plain("gpj.\u{202e}exe"), "gpj.\\u{202e}exe");
        assert_eq!(plain("a\u{2028}b\u{200b}\u{e0041}"), "a\\u{2028}b\\u{200b}\\u{e0041}");
    }

    #[test]
    fn ordinary_text_of_any_script_stays() {
        for text in ["工資表 2026.xlsx", "résumé (final).pdf", "日本語", "👩‍💻"] {
            let expected = text.replace('\u{200d}', "\\u{200d}");
            assert_eq!(plain(text), expected);
        }
    }

    #[test]
    fn long_values_are_cut_and_say_so() {
        let long = plain(&"字".repeat(64 * 1024));
        assert_eq!(long.chars().filter(|char| *char == '字').count(), MOST);
        assert!(long.ends_with("… (+65336)"), "{long}");
    }
}
