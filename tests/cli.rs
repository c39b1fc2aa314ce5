//! The program as people use it: arguments and files in, text, exit codes and folders out. Nothing here reaches into the
//! library, so that what these tests hold is what a user gets.

mod auditor;
mod canary;
mod channels;
mod check;
mod codes;
mod demo;
mod doctor;
mod exits;
mod explain;
mod findings;
mod generate;
mod geo;
mod harness;
mod housekeeping;
mod manual;
mod proof;
mod replay;
mod run;
mod sealed;
mod supervisor;
mod verify;

/// What `/metrics` says of a service that has judged a day of the example bank.
pub(super) fn metrics_of_a_service() -> String {
    run::metrics_after_a_day()
}
