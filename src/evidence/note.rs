//! Signed notes (C2SP signed-note) with one Ed25519 signature. Pure.
//!
//! A note is a text that ends with a line end, a blank line, and a signature line `— <name> <base64(key id || signature)>`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::error::EvidenceError;

/// Algorithm byte of Ed25519 in C2SP key encodings.
const ED25519: u8 = 1;

/// What signs: a name and a private key. `Debug` shows the name only.
#[derive(Clone)]
pub struct NoteSigner {
    key: SigningKey,
    verifier: NoteVerifier,
}

/// What verifies: a name and a public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteVerifier {
    name: String,
    key: VerifyingKey,
    id: [u8; 4],
}

impl std::fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NoteSigner").field("name", &self.verifier.name).finish_non_exhaustive()
    }
}

impl NoteSigner {
    /// A signer from a 32-byte Ed25519 seed.
    ///
    /// # Errors
    /// The name is empty or holds white space or `+`.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, EvidenceError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = NoteVerifier::new(name, key.verifying_key())?;
        Ok(Self { key, verifier })
    }

    /// Reads `PRIVATE+KEY+<name>+<id>+<base64>`, the encoding of Go's `sumdb/note`.
    ///
    /// # Errors
    /// The text is not such a key. The error does not show it.
    pub fn parse(text: &str) -> Result<Self, EvidenceError> {
        let bad = || EvidenceError::Key("the signing key file does not hold a PRIVATE+KEY+… line".into());
        let rest = text.trim_end().strip_prefix("PRIVATE+KEY+").ok_or_else(bad)?;
        let (name, id, key) = fields(rest).ok_or_else(bad)?;
        let signer = Self::new(name, &key)?;
        if signer.verifier.id == id { Ok(signer) } else { Err(bad()) }
    }

    /// The private key as [`NoteSigner::parse`] reads it.
    pub(super) fn secret_text(&self) -> String {
        encode(&format!("PRIVATE+KEY+{}", self.verifier.name), self.verifier.id, &self.key.to_bytes())
    }

    /// The public half.
    pub fn verifier(&self) -> &NoteVerifier {
        &self.verifier
    }

    /// Signs `text`: the key id and the signature, in base64. The same text always gives the same signature.
    pub fn sign(&self, text: &str) -> String {
        let signature = self.key.sign(text.as_bytes());
        STANDARD.encode([self.verifier.id.as_slice(), &signature.to_bytes()].concat())
    }
}

impl NoteVerifier {
    fn new(name: &str, key: VerifyingKey) -> Result<Self, EvidenceError> {
        if name.is_empty() || name.contains('+') || name.contains(char::is_whitespace) {
            return Err(EvidenceError::Key("a log's name must not be empty or hold white space or '+'".into()));
        }
        let digest =
            Sha256::new().chain_update(name).chain_update([b'\n', ED25519]).chain_update(key.as_bytes()).finalize();
        Ok(Self { name: name.to_owned(), key, id: [digest[0], digest[1], digest[2], digest[3]] })
    }

    /// Reads a verifier key, `<name>+<id>+<base64>`.
    ///
    /// # Errors
    /// The text is not such a key, or its id is not that of the key.
    pub fn parse(text: &str) -> Result<Self, EvidenceError> {
        let bad = || EvidenceError::Key("this is not a verifier key of the form <name>+<id>+<base64>".into());
        let (name, id, key) = fields(text).ok_or_else(bad)?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| bad())?;
        let verifier = Self::new(name, key)?;
        if verifier.id == id { Ok(verifier) } else { Err(bad()) }
    }

    /// The verifier key as text.
    pub fn vkey(&self) -> String {
        encode(&self.name, self.id, self.key.as_bytes())
    }

    /// The name that stands on the signature line.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether `signature` (as [`NoteSigner::sign`] gives it) is this key's over `text`.
    pub fn verifies(&self, text: &str, signature: &str) -> bool {
        let Ok(bytes) = STANDARD.decode(signature) else { return false };
        let Some((id, signature)) = bytes.split_first_chunk::<4>() else { return false };
        let Ok(signature) = Signature::from_slice(signature) else { return false };
        *id == self.id && self.key.verify_strict(text.as_bytes(), &signature).is_ok()
    }
}

fn encode(name: &str, id: [u8; 4], key: &[u8; 32]) -> String {
    let id = u32::from_be_bytes(id);
    format!("{name}+{id:08x}+{}", STANDARD.encode([&[ED25519], key.as_slice()].concat()))
}

/// Name, id and key of the encodings above; `None` unless the text is exactly as [`encode`] writes it.
fn fields(text: &str) -> Option<(&str, [u8; 4], [u8; 32])> {
    let (name, rest) = text.split_once('+')?;
    let (id, key) = rest.split_once('+')?;
    let id = u32::from_str_radix(id, 16).ok()?.to_be_bytes();
    let bytes = STANDARD.decode(key).ok()?;
    let key: [u8; 32] = bytes.strip_prefix(&[ED25519])?.try_into().ok()?;
    (encode(name, id, &key) == text).then_some((name, id, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_their_text_and_a_changed_one_is_refused() {
        let signer = NoteSigner::new("example.hk/log", &[7; 32]).unwrap();
        assert_eq!(NoteSigner::parse(&signer.secret_text()).unwrap().verifier(), signer.verifier());
        let vkey = signer.verifier().vkey();
        assert_eq!(&NoteVerifier::parse(&vkey).unwrap(), signer.verifier());
        for index in 0..vkey.len() {
            let mut changed = vkey.clone().into_bytes();
            changed[index] ^= 1;
            assert!(NoteVerifier::parse(&String::from_utf8(changed).unwrap()).is_err(), "byte {index}");
        }
    }

    #[test]
    fn keys_are_those_of_the_independent_implementation() {
        let signer = NoteSigner::new("example.hk/log", &[9; 32]).unwrap();
        assert!(signed_note::StandardSigner::new(&signer.secret_text()).is_ok());
        assert!(signed_note::StandardVerifier::new(&signer.verifier().vkey()).is_ok());
    }

    #[test]
    fn names_that_break_the_line_are_refused() {
        for name in ["", "a b", "a+b", "a\nb"] {
            assert!(NoteSigner::new(name, &[1; 32]).is_err());
        }
    }
}
