//! The digest of everything that can change a verdict, part of the evidence.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::config::Config;
use crate::domain::hex::hex;
use crate::domain::policy::Pack;

/// The digest's scheme; a change of what is hashed changes it.
const SCHEME: &str = "harbourwatch-policy-2";

/// SHA-256, lower-case hex, over pack and configuration without the sections about running, but with what says where in a
/// message the event, its tenant and its storage are. Comments, layout and defaults
/// written out make no difference; order does, since it decides between equals.
pub(super) fn digest(config: &Config, pack: &Pack) -> String {
    let decode = &config.decode;
    let judged = Judged {
        scheme: SCHEME,
        pack: (
            (&pack.id, pack.s33_in_force, pack.gba_filing_days, pack.expiring_days),
            (pack.bulk_subjects, pack.bulk_objects, &pack.holidays, pack.holidays_until),
        ),
        organisation: &config.organisation,
        parties: (&config.entities, &config.parties, &config.tenants),
        places: (&config.sites, &config.hosts, &config.organisations, &config.people),
        data: (&config.inventory, &config.spaces, &config.sensitive),
        rules: (&config.safeguards, &config.deny, &config.residency, &config.apps),
        decode: (&decode.payload, &decode.tenant, &decode.default_tenant, &decode.enrichment),
    };
    // JSON can write all of it: texts, numbers, lists, tables with text keys.
    let canonical = serde_json::to_vec(&judged).unwrap_or_default();
    hex(&Sha256::digest(&canonical))
}

#[derive(Serialize)]
struct Judged<P, G, W, D, R, O, E> {
    scheme: &'static str,
    pack: P,
    organisation: O,
    parties: G,
    places: W,
    data: D,
    rules: R,
    decode: E,
}
