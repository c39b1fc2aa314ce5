//! harbourwatch watches the audit events of an organisation's DingTalk, works out where each flow of data starts and ends,
//! decides whether it leaves Hong Kong and whether a recorded safeguard covers it, and tells the people who must know.
//!
//! # Reading guide: the modules in the order in which data meet them
//!
//! 1. [`source`] fills a [`pipeline::batch::Batch`] with bytes: NDJSON files, standard input, synthetic traffic.
//! 2. [`dingtalk`] turns bytes into a [`domain::event::Event`] and knows which legs an act stands for.
//! 3. [`geo`] turns addresses, hosts and regions into a [`domain::place::Location`].
//! 4. [`domain`] holds the words and the rules: legs, safeguards, verdicts, findings. [`domain::policy::Policy::judge`] decides.
//! 5. [`pipeline`] puts 1–4 in order, in parallel inside a batch and in order outside it.
//! 6. [`recorder`] makes the outcome of a batch durable: [`evidence`] first, then the state in [`outbox`].
//! 7. [`deliver`] brings findings from the outbox to people and machines.
//!
//! Around them: [`secret`] fetches what a configuration only refers to; [`config`] is the configuration as written, [`settings`] the same checked and compiled; [`metrics`] and
//! [`admin`] show what goes on; [`app`] wires everything, [`cli`] is what a person types.
//!
//! # Invariants, also of what is absent
//!
//! - An arrow of use never points up: `cli → app → settings → config`; edges (`source`, `evidence`, `outbox`, `deliver`,
//!   `admin`, `metrics`, `recorder`) → `pipeline` → `dingtalk`, `geo` → `domain`. A test reads the imports.
//! - `domain`, `dingtalk` and `geo` never read a clock, a file or a socket, never log, and start no thread.
//! - A source is committed only with a receipt that only a recorder can make, after everything is on disk.
//! - No place is assumed: what is missing, private, conflicting or opaque stays undecided and is counted.
//! - Values about persons leave the process through a renderer with an allow-list, never in logs, metrics or errors.
//! - No `unsafe` but in two small files that a test names, no `await` between poll and commit, no record dropped without a reason that is kept.

pub mod admin;
pub mod app;
pub mod cli;
pub mod config;
pub mod deliver;
pub mod dingtalk;
pub mod domain;
pub mod evidence;
pub mod geo;
pub mod kafka;
pub mod metrics;
pub mod outbox;
pub mod pipeline;
pub mod policy_pack;
pub mod recorder;
pub mod secret;
pub mod settings;
pub mod source;
