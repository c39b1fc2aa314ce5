//! The program as people use it: arguments and files in, text, exit codes and folders out. Nothing here reaches into the
//! library, so that what these tests hold is what a user gets.

mod canary;
mod channels;
mod check;
mod codes;
mod demo;
mod exits;
mod explain;
mod findings;
mod generate;
mod geo;
mod harness;
mod proof;
mod replay;
mod run;
mod sealed;
mod verify;
