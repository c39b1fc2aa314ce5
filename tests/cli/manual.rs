//! `health`, `completions`, `man`, `metrics`: what operators' own tools ask of the program.

#![allow(clippy::unwrap_used)]

use super::harness::{Room, until};
use super::run::Service;

#[test]
fn health_is_the_readiness_of_the_service() {
    let room = Room::new();
    room.bank(&[]);
    let service = Service::start(&room);
    let address = service.address.clone();
    let ready = || room.run(&["health", "--address", &address]);
    until("readiness", || (ready().code == Some(0)).then_some(()));
    ready().exits(0).says(&["\"ready\":true"]);
    room.run(&["health", "--live", "--address", &address]).exits(0).says(&["live"]);
    service.finish().exits(0);
    ready().exits(1).complains(&["no answer from http://127.0.0.1:"]);
}

#[test]
fn health_takes_the_address_of_the_configuration() {
    let room = Room::new();
    room.bank(&[("127.0.0.1:0", "0.0.0.0:1")]);
    room.run(&["health", "-c", "bank.toml"]).exits(1).complains(&["no answer from http://0.0.0.0:1/ready"]);
    room.write("faulty.toml", "[admin]\nlisten = 3\n");
    room.run(&["health", "-c", "faulty.toml"]).exits(64);
}

#[test]
fn the_manual_and_the_completions_know_every_command() {
    let room = Room::new();
    room.run(&["man", "--dir", "man"]).exits(0);
    let pages: Vec<_> = room.files("man").iter().map(|page| page.file_name().unwrap().to_owned()).collect();
    let program = room.run(&["man"]).exits(0).out;
    let bash = room.run(&["completions", "bash"]).exits(0).out;
    for command in ["run", "verify", "dead-letters", "health", "metrics"] {
        assert!(pages.iter().any(|page| *page == *format!("harbourwatch-{command}.1")), "{command}: {pages:?}");
        assert!(program.contains(&command.replace('-', "\\-")) && bash.contains(command), "{command}");
    }
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        assert!(room.run(&["completions", shell]).exits(0).out.contains("harbourwatch"), "{shell}");
    }
    room.run(&["completions", "cmd"]).exits(64);
}
