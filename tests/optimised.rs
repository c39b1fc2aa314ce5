//! What the optimiser makes of the decoder and the rules must say what their tests say: those alone, for
//! `cargo test --release --test optimised`. Not run by `cargo test`, which has them among all others.

mod decode;
mod verdicts;
