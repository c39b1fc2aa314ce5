//! `geo`: one JSON line for each subject, in order.

#![allow(clippy::unwrap_used)]

use super::harness::Room;

#[test]
fn addresses_hosts_and_regions_are_told_apart_and_located() {
    let cases = [
        ("203.80.96.10", "address", "HK", "ip"),
        ("::ffff:203.80.96.10", "address", "HK", "ip"),
        ("203.80.96.10:50123", "address", "HK", "ip"),
        ("10.1.2.3, 8.8.8.8", "address", "", "none"),
        ("203.80.96.10, 10.1.2.3", "address", "", "none"),
        ("Internal", "unreadable", "", "none"),
        ("", "address", "", "none"),
        ("cn-hongkong", "region", "HK", "region_enum"),
        ("cn-heyuan", "region", "CN (Guangdong, outside the nine GBA cities)", "region_enum"),
        ("SINGAPORE", "region", "SG", "region_enum"),
        ("UNKNOWN", "region", "", "none"),
        ("b.oss-cn-hongkong-internal.aliyuncs.com", "host", "HK", "host"),
        ("https://b.cn-hongkong.oss.aliyuncs.com/a?b=c", "host", "HK", "host"),
        ("b.oss-accelerate.aliyuncs.com", "host", "", "none"),
        ("lippi-space-sz.oss-accelerate.aliyuncs.com", "host", "CN (Shenzhen, Guangdong)", "bucket"),
        ("oss-cn-hongkong.aliyuncs.com.evil.example", "unreadable", "", "none"),
        ("https://oss-cn-hongkong.aliyuncs.com@evil.example/", "unreadable", "", "none"),
        ("evil-oss-cn-hongkong.aliyuncs.com", "unreadable", "", "none"),
    ];
    let mut arguments = vec!["geo"];
    arguments.extend(cases.iter().map(|(subject, ..)| *subject));
    let answers = Room::new().run(&arguments).exits(0).lines();
    assert_eq!(answers.len(), cases.len());
    for (answer, (subject, read_as, place, method)) in answers.iter().zip(cases) {
        let places = answer["places"].as_array().unwrap();
        assert_eq!((answer["subject"].as_str(), answer["read_as"].as_str()), (Some(subject), Some(read_as)));
        assert_eq!(places.first().and_then(|place| place.as_str()).unwrap_or(""), place, "{answer}");
        assert_eq!((places.len() > 1, answer["method"].as_str()), (false, Some(method)), "{answer}");
        assert_eq!(answer["doubt"].is_null(), !place.is_empty(), "{answer}");
        assert!(answer["confidence"].is_string() && answer["source"].is_string(), "{answer}");
    }
}

#[test]
fn the_operators_own_ranges_and_hosts_count_where_a_configuration_is_given() {
    let room = Room::new();
    let subjects = ["203.0.113.7", "192.0.2.130", "files.vhb.example", "cdn.vhb.example"];
    let ask = |config: &[&str]| {
        let answers = room.run(&[&["geo"], config, &subjects].concat()).exits(0).lines();
        let told = answers.iter().map(|answer| format!("{} {}", answer["places"], answer["doubt"]));
        told.collect::<Vec<_>>().join("; ")
    };
    assert_eq!(ask(&["--config", "config/bank.toml"]), "[\"HK\"] null; [] \"opaque\"; [\"HK\"] null; [] \"no_region\"");
    assert_eq!(ask(&[]), "[] \"private\"; [] \"private\"; [] \"unreadable\"; [] \"unreadable\"");
}

#[test]
fn a_database_and_its_build_stand_behind_an_answer() {
    let answer = Room::new().run(&["geo", "203.80.96.10"]).exits(0).lines().remove(0);
    let source = answer["source"].as_str().unwrap();
    assert!(source.starts_with("DB-IP country lite, build 20") && source.contains("sha256"), "{source}");
}

#[test]
fn a_database_that_is_none_is_refused_by_name() {
    let room = Room::new();
    room.write("torn.mmdb", b"\xab\xcd\xefMaxMind.com");
    room.bank(&[("databases = []", "databases = [\"torn.mmdb\"]")]);
    room.run(&["geo", "--config", "bank.toml", "203.80.96.10"]).exits(1).complains(&["torn.mmdb"]);
}
