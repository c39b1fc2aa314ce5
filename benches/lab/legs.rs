//! The legs of a corpus, with what the rules need beside them.

use harbourwatch::dingtalk::Decoder;
use harbourwatch::domain::flow::{Case, Leg};
use harbourwatch::pipeline::scene::Scene;
use harbourwatch::pipeline::world::World;

use super::corpus;

/// All legs of a generated day.
pub fn of_days(world: &World, events: u64) -> Vec<(Leg, Case)> {
    let corpus = corpus::days(7, events);
    let mut all = Vec::new();
    let decoder = Decoder::default();
    for message in corpus.messages() {
        decoder.decode(message, &mut |_, event| {
            let Ok(event) = event else { return };
            let scene = Scene::new(world, &event);
            let mut legs = Vec::new();
            scene.legs(&mut |leg| legs.push(leg));
            let case = scene.case(&legs);
            all.extend(legs.into_iter().map(|leg| (leg, case)));
        });
    }
    all
}
