//! What a service manager is told, by a socket as systemd has it.

#![allow(clippy::unwrap_used)]

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use super::harness::Room;
use super::run::Service;

/// The socket of a service manager.
struct Manager(UnixDatagram);

impl Manager {
    fn of(room: &Room) -> Self {
        let socket = UnixDatagram::bind(room.path("notify")).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self(socket)
    }

    /// The next message.
    fn told(&self) -> String {
        let mut buffer = [0_u8; 4096];
        let length = self.0.recv(&mut buffer).expect("nothing was told for half a minute");
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    /// The next message that is no sign of life; and how many of these came before it.
    fn told_beside_life(&self) -> (String, usize) {
        let mut alive = 0;
        loop {
            match self.told().trim() {
                "WATCHDOG=1" => alive += 1,
                other => return (other.to_owned(), alive),
            }
        }
    }
}

/// Start, signs of life, a reload that is taken and one that is refused, and the end.
#[test]
fn the_service_manager_is_told_of_start_life_reload_and_end() {
    let room = Room::new();
    room.bank(&[]);
    let manager = Manager::of(&room);
    let socket = room.path("notify");
    let service =
        Service::start_with(&room, &[("NOTIFY_SOCKET", socket.to_str().unwrap()), ("WATCHDOG_USEC", "200000")]);
    assert_eq!(manager.told_beside_life().0, "READY=1");
    for _ in 0..4 {
        assert_eq!(manager.told().trim(), "WATCHDOG=1", "it says that it lives, although its input is silent");
    }
    for configuration in [room.read("bank.toml"), "[[tenants]]\nid = \"x\"\n".to_owned()] {
        room.write("bank.toml", configuration);
        service.signal("HUP");
        let began = manager.told_beside_life().0;
        let (state, since) = began.split_once('\n').unwrap();
        assert_eq!(state, "RELOADING=1");
        assert!(since.strip_prefix("MONOTONIC_USEC=").unwrap().parse::<u64>().unwrap() > 0);
        assert_eq!(manager.told_beside_life().0, "READY=1", "a reload has an end, also one that is refused");
    }
    service.signal("TERM");
    assert_eq!(manager.told_beside_life().0, "STOPPING=1");
    service.ended().exits(0);
}

/// A source that answers must turn the pipeline; with files it does, to its end.
#[test]
fn without_a_service_manager_nobody_is_told() {
    let room = Room::new();
    room.bank(&[("files = [\"-\"]", "files = [\"day.ndjson\"]")]);
    room.generate("day.ndjson", 2_000, 3);
    let manager = Manager::of(&room);
    Service::start(&room).ended().exits(0);
    manager.0.set_nonblocking(true).unwrap();
    assert!(manager.0.recv(&mut [0_u8; 64]).is_err());
}
