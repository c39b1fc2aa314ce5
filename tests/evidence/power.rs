//! Power failure: what was not synced may be there, half there or gone. The model keeps what each file held when it was
//! last synced and which names their directories had, and rolls dice over the rest.

use super::*;
use harbourwatch::evidence::disk::{Fate, Step};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Medium {
    /// Content when last synced.
    content: BTreeMap<PathBuf, Vec<u8>>,
    /// Names that the last sync of their directory has seen.
    names: BTreeSet<PathBuf>,
    /// Renames since the last sync of their directory.
    renamed: BTreeMap<PathBuf, Vec<u8>>,
    /// Removals since the last sync of their directory.
    removed: BTreeMap<PathBuf, Vec<u8>>,
    steps: usize,
    dies_at: usize,
}

impl Medium {
    fn step(&mut self, step: Step, path: &Path) -> Fate {
        if self.steps >= self.dies_at {
            return Fate::Lost;
        }
        self.steps += 1;
        let content = || fs::read(path).unwrap_or_default();
        match step {
            Step::Sync => drop(self.content.insert(path.to_owned(), content())),
            Step::SyncDir => self.sync_dir(path),
            Step::Rename => {
                let synced = self.content.get(&path.with_extension("tmp")).cloned().unwrap_or_default();
                self.renamed.insert(path.to_owned(), synced);
            }
            Step::Remove if path.exists() => drop(self.removed.insert(path.to_owned(), content())),
            Step::Remove | Step::CreateDir | Step::Append | Step::Write | Step::Truncate | Step::Index | Step::Keys => {
            }
        }
        Fate::Done
    }

    fn sync_dir(&mut self, dir: &Path) {
        let inside = |path: &PathBuf| path.parent() == Some(dir);
        let (here, elsewhere) = std::mem::take(&mut self.renamed).into_iter().partition(|(path, _)| inside(path));
        self.renamed = elsewhere;
        let here: BTreeMap<PathBuf, Vec<u8>> = here;
        self.content.extend(here);
        let gone = |path: &PathBuf| path.parent().is_some_and(|above| !above.exists() && above.parent() == Some(dir));
        self.removed.retain(|path, _| !inside(path) && !gone(path));
        self.names.retain(|path| !inside(path));
        self.names.extend(fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()));
    }

    /// Makes of the directory what the medium may show afterwards.
    fn fail(&self, archive: &Path, dice: &mut Dice) {
        for (path, content) in &self.removed {
            if dice.roll(2) == 0 {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, content).unwrap();
            }
        }
        let evidence = files(archive).into_iter().filter(|path| !path.starts_with(archive.join("index")));
        for path in evidence.filter(|path| !path.ends_with("lock")) {
            let named = path.ancestors().take_while(|above| *above != archive).all(|above| self.names.contains(above));
            let now = fs::read(&path).unwrap();
            match (dice.roll(4), self.content.get(&path)) {
                (0, _) => (),
                // What took a name was synced before: it is there whole, or what had the name before is.
                (1, _) if self.renamed.contains_key(&path) => (),
                (_, None) if self.renamed.contains_key(&path) => fs::remove_file(&path).unwrap(),
                (_, _) if !named && dice.roll(2) == 0 => fs::remove_file(&path).unwrap(),
                (1, Some(synced)) if now.starts_with(synced) => {
                    let some = synced.len() + dice.roll(now.len() - synced.len() + 1);
                    fs::write(&path, &now[..some]).unwrap();
                }
                (_, Some(synced)) => fs::write(&path, synced).unwrap(),
                (_, None) => fs::write(&path, &now[..dice.roll(now.len() + 1)]).unwrap(),
            }
        }
    }
}

#[test]
fn what_was_published_survives_a_power_failure() {
    let mut dice = Dice(11);
    for round in 0..150 {
        let room = Room::new();
        let medium = Arc::new(Mutex::new(Medium { dies_at: dice.roll(160), ..Medium::default() }));
        let model = medium.clone();
        let faults = Faults::new(move |step, path| model.lock().unwrap().step(step, path));
        let (mut promised, mut at) = (0, 0);
        if let Ok(mut log) = room.open_with(faults) {
            for size in [2, 1, 280, 4, 40, 1, 500] {
                match put(&mut log, at, at + size) {
                    Ok(_) => promised = at + size,
                    Err(_) => break,
                }
                at += size;
            }
        }
        if room.archive().exists() {
            medium.lock().unwrap().fail(&room.archive(), &mut dice);
        }
        let mut log =
            Log::open(&room.archive(), &room.options()).unwrap_or_else(|error| panic!("round {round}: {error}"));
        let found = reached(&log);
        assert!(found >= promised, "round {round}: {promised} promised, {found} found");
        put(&mut log, found, found + 10).unwrap();
        log.close().unwrap();
        room.assert_sound(found + 10);
    }
}
