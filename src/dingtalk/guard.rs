//! Bounds that are checked before anything is read: size, UTF-8, depth of nesting.

use super::reject::{Detail, Reason, Reject};

/// The text of a message.
///
/// # Errors
/// [`Reason::TooLarge`], [`Reason::InvalidUtf8`] with the offset of the first bad byte.
pub(super) fn text(bytes: &[u8], most: usize) -> Result<&str, Reject> {
    if bytes.len() > most {
        return Err(Reject::limit(Reason::TooLarge, most));
    }
    simdutf8::basic::from_utf8(bytes).map_err(|_| Reject {
        reason: Reason::InvalidUtf8,
        detail: Detail::Offset(std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len)),
    })
}

/// Refuses a text that nests deeper than `most`.
///
/// # Errors
/// [`Reason::TooDeep`].
pub(super) fn depth(text: &str, most: u16) -> Result<(), Reject> {
    // Fewer brackets than levels cannot nest too deep; that settles all but pages.
    let most = usize::from(most);
    if memchr::memchr2_iter(b'{', b'[', text.as_bytes()).take(most + 1).count() <= most {
        return Ok(());
    }
    if deepest(text) > most {
        return Err(Reject::limit(Reason::TooDeep, most));
    }
    Ok(())
}

/// Deepest nesting of brackets outside strings. In a text that is no JSON the number means nothing, and does not matter.
fn deepest(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
    }
    deepest
}

fn skip_string(bytes: &mut std::str::Bytes<'_>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'"' => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_do_not_nest() {
        assert_eq!(deepest(r#"{"a":["[[[[\"[[",{"b":[]}],"c":[]}"#), 4);
        assert!(depth(&"[".repeat(65), 64).is_err());
        assert!(depth(&"[]".repeat(65), 64).is_ok());
        assert!(depth(&format!("{}{}", "[".repeat(64), "]".repeat(64)), 64).is_ok());
    }

    #[test]
    fn the_first_bad_byte_is_told() {
        assert_eq!(
            text(b"{\"a\":\"\xff\"}", 100),
            Err(Reject { reason: Reason::InvalidUtf8, detail: Detail::Offset(6) })
        );
        assert_eq!(text(b"1234", 3), Err(Reject::limit(Reason::TooLarge, 3)));
    }
}
