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

    /// Reads a note; `None` unless it is exactly as [`Checkpoint::note`] writes it.
    pub fn parse(note: &str) -> Option<Self> {
        let mut lines = note.split('\n');
        let origin = lines.next()?.to_owned();
        let size = lines.next()?.parse().ok()?;
        let root = STANDARD.decode(lines.next()?).ok()?.try_into().ok()?;
        let signature = lines.nth(1)?.rsplit_once(' ')?.1.to_owned();
        let checkpoint = Self { origin, size, root, signature };
        (checkpoint.note() == note).then_some(checkpoint)
    }

    /// Whether the key's holder signed exactly this.
    pub fn is_signed_by(&self, verifier: &NoteVerifier) -> bool {
        self.origin == verifier.name() && verifier.verifies(&self.text(), &self.signature)
    }
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
