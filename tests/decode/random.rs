//! Made-up and mutated messages: the decoder and the oracle must say the same of each.

use harbourwatch::dingtalk::Decoder;

use super::decode_with;
use super::made::{Dice, message, mutate};
use super::oracle::agree;

#[test]
fn the_decoder_agrees_with_the_oracle() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let decoder = Decoder::default();
    let (mut compared, mut events, mut rejects) = (0, 0, 0);
    for case in 0..40_000 {
        let depth = case % 4;
        let mark = if dice.odds(50) { "\u{feff}" } else { "" };
        let mut bytes = format!("{mark}{}", message(&mut dice, depth)).into_bytes();
        if case.is_multiple_of(5) {
            mutate(&mut dice, &mut bytes);
        }
        let results = decode_with(&decoder, &bytes);
        compared += usize::from(agree(&bytes, &results));
        events += results.iter().filter(|result| result.is_ok()).count();
        rejects += results.iter().filter(|result| result.is_err()).count();
    }
    // The cases are worth something only if they reach both outcomes.
    assert!(compared > 35_000 && events > 8_000 && rejects > 8_000, "{compared} {events} {rejects}");
}

#[test]
fn mutated_samples_never_panic_and_decode_the_same_twice() {
    let mut dice = Dice(7);
    let decoder = Decoder::default();
    let samples =
        concat!(include_str!("../data/dingtalk/samples.jsonl"), include_str!("../data/dingtalk/samples-push.jsonl"));
    for case in 0..5_000 {
        let mut bytes = samples.lines().nth(case % 19).unwrap_or("{}").as_bytes().to_vec();
        mutate(&mut dice, &mut bytes);
        let first = decode_with(&decoder, &bytes);
        agree(&bytes, &first);
        assert_eq!(first, decode_with(&decoder, &bytes));
    }
}
