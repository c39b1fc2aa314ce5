//! Checkpoints (C2SP tlog-checkpoint): the signed statement of the log's size and root. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::merkle::Hash;
use super::note::{NoteSigner, NoteVerifier};

/// A checkpoint with its signature, which may or may not hold: ask [`Checkpoint::is_signed_by`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the log.
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// RFC 6962 root hash.
    pub root: Hash,
    /// Key id and signature in base64.
    pub signature: String,
}

/// Signature lines of a note; more is no checkpoint.
const MOST_SIGNATURES: usize = 32;

impl Checkpoint {
    /// States size and root and signs.
    pub fn sign(signer: &NoteSigner, size: u64, root: Hash) -> Self {
        let origin = signer.verifier().name().to_owned();
        let mut checkpoint = Self { origin, size, root, signature: String::new() };
        checkpoint.signature = signer.sign(&checkpoint.text());
        checkpoint
    }

    /// The signed text: origin, size, root, one to a line.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// The whole note, as it lies on disk.
    pub fn note(&self) -> String {
        format!("{}\n— {} {}\n", self.text(), self.origin, self.signature)
    }

    /// Reads a note: as [`Checkpoint::note`] writes it, or with signature lines of others (witnesses) before or behind the
    /// log's own. Those are not kept. `None` if it is anything else, or has not exactly one signature line of its origin.
    pub fn parse(note: &str) -> Option<Self> {
        let (text, signatures) = note.split_once("\n\n")?;
        let mut lines = text.split('\n');
        let origin = lines.next()?.to_owned();
        let size = lines.next()?.parse().ok()?;
        let root = STANDARD.decode(lines.next()?).ok()?.try_into().ok()?;
        let signatures: Vec<_> = signatures.strip_suffix('\n')?.split('\n').map(signature).collect::<Option<_>>()?;
        let mut own = signatures.iter().filter(|(name, _)| *name == origin);
        let (Some((_, signature)), None, true) = (own.next(), own.next(), signatures.len() <= MOST_SIGNATURES) else {
            return None;
        };
        let checkpoint = Self { signature: (*signature).to_owned(), origin, size, root };
        (checkpoint.text().strip_suffix('\n') == Some(text)).then_some(checkpoint)
    }

    /// Whether the key's holder signed exactly this.
    pub fn is_signed_by(&self, verifier: &NoteVerifier) -> bool {
        self.origin == verifier.name() && verifier.verifies(&self.text(), &self.signature)
    }
}

/// Name and signature of a line `— <name> <base64(key id || signature)>`.
fn signature(line: &str) -> Option<(&str, &str)> {
    let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
    let bytes = STANDARD.decode(signature).ok()?;
    let named = !name.is_empty() && !name.contains('+') && !name.contains(char::is_whitespace);
    (named && bytes.len() > 4).then_some((name, signature))
}

#[cfg(test)]
mod tests {
    use super::*;
    use signed_note::{Note, StandardVerifier, VerifierList};

    fn sample() -> (NoteSigner, Checkpoint) {
        let signer = NoteSigner::new("harbourwatch/evidence/sample", &[3; 32]).unwrap();
        let checkpoint = Checkpoint::sign(&signer, 1234, [5; 32]);
        (signer, checkpoint)
    }

    #[test]
    fn the_golden_note_stays_as_it_is() {
        let golden = include_str!("../../tests/data/evidence/golden.checkpoint");
        assert_eq!(sample().1.note(), golden);
        assert_eq!(Checkpoint::parse(golden), Some(sample().1));
    }

    #[test]
    fn the_independent_implementation_accepts_it() {
        let (signer, checkpoint) = sample();
        let note = Note::from_bytes(checkpoint.note().as_bytes()).unwrap();
        let verifier = StandardVerifier::new(&signer.verifier().vkey()).unwrap();
        let (verified, _) = note.verify(&VerifierList::new(vec![Box::new(verifier)])).unwrap();
        assert_eq!(verified.len(), 1);
        let theirs = tlog_tiles::checkpoint::Checkpoint::from_bytes(note.text()).unwrap();
        assert_eq!((theirs.origin(), theirs.size(), theirs.hash().0), ("harbourwatch/evidence/sample", 1234, [5; 32]));
    }

    /// A checkpoint with a witness's line before its own and one behind.
    fn cosigned() -> String {
        let note = sample().1.note();
        let (text, own) = note.split_once("\n\n").unwrap();
        let [one, other] = [1, 2].map(|seed| NoteSigner::new("witness.example", &[seed; 32]).unwrap().sign("x"));
        format!("{text}\n\n— witness.example {one}\n{own}— other.example/w {other}\n")
    }

    #[test]
    fn signatures_of_others_are_passed_over() {
        let (signer, checkpoint) = sample();
        let parsed = Checkpoint::parse(&cosigned()).unwrap();
        assert_eq!(parsed, checkpoint);
        assert!(parsed.is_signed_by(signer.verifier()));
        let note = Note::from_bytes(cosigned().as_bytes()).unwrap();
        let verifier = StandardVerifier::new(&signer.verifier().vkey()).unwrap();
        assert!(note.verify(&VerifierList::new(vec![Box::new(verifier)])).is_ok(), "as the independent implementation");
    }

    #[test]
    fn a_signature_line_of_its_own_must_be_there_once_and_all_must_be_lines() {
        let own = sample().1.note();
        let line = own.lines().last().unwrap();
        let alone = cosigned().replacen(&format!("{line}\n"), "", 1);
        let many = "— witness.example AAAAAAA=\n".repeat(MOST_SIGNATURES);
        for bad in [
            alone,
            format!("{own}{line}\n"),
            format!("{own}{many}"),
            format!("{own}\n"),
            format!("{own}x\n"),
            format!("{own}— witness.example\n"),
            format!("{own}— witness.example AAAA\n"),
            format!("{own}— witness.example !!!!\n"),
            format!("{own}— witness.example AAAAAAA="),
            own.replacen("\n\n", "\n\n\n", 1),
            own.replacen("\n1234\n", "\n+1234\n", 1),
            own.replacen("\n\n", "\nextension\n\n", 1),
        ] {
            assert_eq!(Checkpoint::parse(&bad), None, "{bad}");
        }
    }

    #[test]
    fn no_changed_byte_passes() {
        let (signer, checkpoint) = sample();
        let note = checkpoint.note().into_bytes();
        for index in 0..note.len() {
            for bit in [1, 4, 32] {
                let mut changed = note.clone();
                changed[index] ^= bit;
                let passes = String::from_utf8(changed)
                    .ok()
                    .and_then(|note| Checkpoint::parse(&note))
                    .is_some_and(|checkpoint| checkpoint.is_signed_by(signer.verifier()));
                assert!(!passes, "byte {index}, bit {bit}");
            }
        }
    }
}
