//! What is on this machine: clock, databases, folders, keys.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Report;
use crate::app::checkup::room;
use crate::app::summary::grouped;
use crate::app::wire;
use crate::evidence::keys::Keys;
use crate::recorder::{Folders, now_ms};
use crate::settings::Settings;

const DAY_MS: i64 = 86_400_000;

/// When this was written; no clock is right that is earlier. 2026-06-01.
const EARLIEST_MS: i64 = 1_780_272_000_000;

/// Where systemd says that the clock follows a server, and where others that keep it leave word that they run.
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";
const KEEPERS: [&str; 3] = ["/run/chrony/chronyd.pid", "/run/ntpd.pid", "/run/ptp4l.pid"];

/// Verdicts depend on the time of events, notices and checkpoints on that of the machine.
pub(super) fn clock(report: &mut Report) {
    let now = now_ms();
    let shown = jiff::Timestamp::from_millisecond(now).map_or_else(|_| now.to_string(), |time| time.to_string());
    if now < EARLIEST_MS {
        report.wrong("clock", format!("{shown} is in the past; set it, and let it follow a time server"));
    } else if Path::new(SYNCHRONISED).exists() {
        report.good("clock", format!("{shown}, follows a time server"));
    } else if let Some(keeper) = KEEPERS.iter().find(|keeper| Path::new(keeper).exists()) {
        report.good("clock", format!("{shown}, {keeper} says that a time keeper runs"));
    } else {
        report
            .look("clock", format!("{shown}; nothing here says that it follows a time server: see to it that it does"));
    }
}

/// Reads all databases with the checks of a reload, canaries included, and holds their age against the configuration.
pub(super) fn databases(report: &mut Report, settings: &Settings) {
    let geo = match wire::geo(settings) {
        Ok(geo) => geo,
        Err(error) => return report.wrong("geolocation", format!("{error:#}; put back a good file")),
    };
    let [v4, v6] = geo.networks();
    let networks = format!("{} networks, addresses of known place are where they belong", grouped((v4 + v6) as u64));
    report.good("geolocation", networks);
    let Some(built) = geo.built() else { return };
    let days = (now_ms() - built).max(0) / DAY_MS;
    let limit = settings.database_max_age_days;
    if days > i64::from(limit) {
        let remedy = "name a newer file in [geo] databases and reload; addresses move";
        report.look("geolocation", format!("the oldest database is {days} days old, more than {limit}; {remedy}"));
    } else {
        report.good("geolocation", format!("the oldest database is {days} days old, at most {limit} are allowed"));
    }
}

/// Whether a folder takes files, keeps them to its user, and has room.
pub(super) fn folder(report: &mut Report, name: &str, path: &Path) {
    let about = format!("folder {name}");
    let (there, is_made) = existing(path);
    if let Err(error) = writable(&there) {
        return report.wrong(about, format!("{}: {error}; give this user the right to write there", there.display()));
    }
    if is_made && is_open_to_others(&there) {
        report.look(&*about, format!("{}: others can read it; chmod 700 is enough", there.display()));
    }
    match room(&there) {
        Ok(room) if room.free < room.size / 10 => {
            report.look(about, format!("{}: only {} MB free, less than a tenth", path.display(), room.free >> 20));
        }
        Ok(room) => {
            let made = if is_made { "" } else { ", will be made at the first start" };
            report.good(about, format!("{}: writable, {} MB free{made}", path.display(), grouped(room.free >> 20)));
        }
        Err(error) => report.look(about, format!("{}: cannot tell the room: {error}", path.display())),
    }
}

/// The folder, or the nearest one above it that exists; and whether it is the folder itself.
fn existing(path: &Path) -> (PathBuf, bool) {
    if path.exists() {
        return (path.to_owned(), true);
    }
    let above = path.ancestors().skip(1).find(|folder| folder.exists());
    let above = above.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    (above.to_owned(), false)
}

/// Makes a file and removes it. Beside the folder's own files, under a name that nothing else has.
fn writable(folder: &Path) -> std::io::Result<()> {
    let path = folder.join(format!(".doctor-{}", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
    let written = file.write_all(b"doctor").and_then(|()| file.sync_all());
    fs::remove_file(&path)?;
    written
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o007 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

/// The signing key: there, well-formed, of this log, and nobody else's to read.
pub(super) fn keys(report: &mut Report, settings: &Settings, folders: &Folders) {
    let path = folders.state.join("evidence.key");
    if !path.exists() {
        let kept = folders.evidence.join("checkpoint").exists();
        return if kept {
            report.wrong("signing key", format!("{} is gone, and there is evidence: restore it", path.display()));
        } else {
            report.good("signing key", "will be made at the first start; put it into the backup then");
        };
    }
    if let Err(error) = Keys::open(&path, &settings.evidence.origin, false) {
        report.wrong("signing key", format!("{error}; restore it from the backup"));
    } else if is_open_to_others(&path) {
        report
            .wrong("signing key", format!("{}: others can read it; chmod 600, and think of a new key", path.display()));
    } else {
        report.good("signing key", format!("{}: there and of this log; is it in the backup?", path.display()));
    }
    match settings.evidence.recipients.len() {
        0 => {}
        count => report.good("recipients", format!("records are sealed to {count} public keys")),
    }
}
