//! Storage hosts, regions and buckets.

use std::sync::{LazyLock, Mutex};

use harbourwatch::domain::place::{Country, Place};
use harbourwatch::geo::{Geo, GeoError, HostMemo, HostRule};
use proptest::prelude::*;

use super::shown;

/// Every documented form of every region: host, region id, country.
const OSS_HOSTS: &str = include_str!("../data/geo/oss_hosts.csv");

static GEO: LazyLock<Geo> = LazyLock::new(|| {
    let rules = [
        rule("files.example.hk", Some(Place::HK)),
        rule("cn.files.example.hk", Some(Place::country(Country::CN))),
        rule("any.files.example.hk", None),
        rule("backup.oss-cn-hangzhou.aliyuncs.com", Some(Place::country(Country::SG))),
    ];
    Geo::build(Vec::new(), &[], &rules).unwrap()
});

fn rule(suffix: &str, place: Option<Place>) -> HostRule {
    HostRule { suffix: suffix.to_owned(), place }
}

/// The answer, which is the same with what was found for others before.
fn host(text: &str) -> String {
    static MEMO: LazyLock<Mutex<HostMemo>> = LazyLock::new(|| {
        let mut memo = HostMemo::default();
        memo.enter(1);
        Mutex::new(memo)
    });
    let answer = GEO.host(text);
    for _ in 0..2 {
        assert_eq!(GEO.host_with(&mut MEMO.lock().unwrap(), text), answer, "{text:?}");
    }
    answer.map_or_else(|| "-".to_owned(), |location| shown(&location))
}

#[test]
fn every_documented_host_of_every_region_in_every_dress() {
    let mut count = 0;
    for line in OSS_HOSTS.lines().filter(|line| !line.starts_with('#')) {
        let [name, region, country] = line.split(',').collect::<Vec<_>>().try_into().unwrap();
        let dresses = [
            name.to_owned(),
            name.to_uppercase(),
            format!("{name}."),
            format!("https://{name}/yundisk0/x.pdf?Expires=1#a@b"),
            format!("HTTP://user:secret@{name}:443?x=/"),
            format!("//a-bucket.{name}"),
            format!("name-0a1b-ossalias.{name}:443"),
        ];
        for dress in dresses {
            assert_ne!(host(&dress), "-", "{dress}");
            let location = GEO.host(&dress).unwrap();
            assert_eq!(location.candidates.sole().unwrap().code(), country, "{dress}");
            let statement = GEO.source(location.source).to_string();
            assert_eq!(
                statement.split(" (").next(),
                Some(format!("Alibaba Cloud region {region}").as_str()),
                "{dress}"
            );
        }
        count += 1;
    }
    assert_eq!(count, 223);
}

const SHENZHEN: &str = "CN (Shenzhen, Guangdong); host high";
const INLAND: &str = "CN (outside Guangdong); host high";
const NO_REGION: &str = "anywhere; none none no_region";
const FRONT_END: &str = "anywhere; host none no_region";

#[test]
fn irregular_forms_have_their_answers() {
    let cases = [
        ("oss-cn-hongkong.aliyuncs.com", "HK; host high"),
        ("b.oss-cn-hongkong-cross.aliyuncs.com", "HK; host high"),
        ("b.cn-hongkong-internal.oss.aliyuncs.com", "HK; host high"),
        ("vpc100-oss-cn-hongkong.aliyuncs.com", "HK; host high"),
        ("img-cn-hongkong.aliyuncs.com", "HK; host high"),
        ("oss-cn-shenzhen.aliyuncs.com", SHENZHEN),
        ("oss-cn-szfinance.aliyuncs.com", SHENZHEN),
        ("oss-cn-shenzhen-finance-1-internal.aliyuncs.com", SHENZHEN),
        ("oss-cn-guangzhou.aliyuncs.com", "CN (Guangzhou, Guangdong); host high"),
        ("oss-cn-heyuan.aliyuncs.com", "CN (Guangdong, outside the nine GBA cities); host high"),
        ("oss-rg-china-mainland.aliyuncs.com", "CN; host high"),
        ("oss-cn-hzjbp-a-internal.aliyuncs.com", INLAND),
        ("oss-cn-shanghai-finance-1-internal.aliyuncs.com", INLAND),
        ("oss-cn-north-2-gov-1.aliyuncs.com", INLAND),
        ("oss-cn-newtown.aliyuncs.com", "anywhere; none none unlisted"),
        ("oss.aliyuncs.com/bucket/", NO_REGION),
        ("mybucket.oss.aliyuncs.com", NO_REGION),
        ("mybucket.oss-accelerate.aliyuncs.com", NO_REGION),
        ("oss-accelerate-overseas.aliyuncs.com", NO_REGION),
        ("alidocs-body.oss-accelerate.aliyuncs.com", NO_REGION),
        ("lippi-space-sz.oss-accelerate.aliyuncs.com", "CN (Shenzhen, Guangdong); bucket medium"),
        ("preview-lippi-space-zjk.s3.oss-accelerate.aliyuncs.com", "CN (outside Guangdong); bucket medium"),
        ("alidocs.oss-cn-zhangjiakou.aliyuncs.com", INLAND),
        ("dingtalk-cspase-sz.oss-cn-shenzhen.aliyuncs.com", SHENZHEN),
        ("lippi-space-sh.cn-shanghai.oss.aliyuncs.com", INLAND),
        ("zjk.trans.dingtalk.com", INLAND),
        ("https://SZ.trans.dingtalk.com/yundisk0/a", SHENZHEN),
        ("sh-dualstack.trans.dingtalk.com", "CN (outside Guangdong); host medium"),
        ("cdn-sz-trans.dingtalk.com", "CN (Shenzhen, Guangdong); host medium"),
        ("sz-cdn-trans.dingtalk.com", "CN (Shenzhen, Guangdong); host medium"),
        ("alidocs.dingtalk.com", FRONT_END),
        ("down-cdn.dingtalk.com", FRONT_END),
        ("sg.trans.dingtalk.com", FRONT_END),
        ("api.dingtalk.io", FRONT_END),
    ];
    for (name, expected) in cases {
        assert_eq!(host(name), expected, "{name}");
    }
}

#[test]
fn the_longest_rule_of_the_operator_comes_first() {
    let cases = [
        ("files.example.hk", "HK; host high"),
        ("https://a.b.FILES.example.hk:8443/x", "HK; host high"),
        ("x.cn.files.example.hk", "CN; host high"),
        ("any.files.example.hk", FRONT_END),
        ("backup.oss-cn-hangzhou.aliyuncs.com", "SG; host high"),
        ("myfiles.example.hk", "-"),
        ("example.hk", "-"),
    ];
    for (name, expected) in cases {
        assert_eq!(host(name), expected, "{name}");
    }
    assert_eq!(GEO.source(GEO.host("files.example.hk").unwrap().source).to_string(), "host rule files.example.hk");
}

/// Whatever was kept for the same beginning: an authority ends at the first `/`, `?` or `#` (RFC 3986 §3.2).
#[test]
fn an_authority_ends_where_it_ends_whatever_was_asked_before() {
    let here = ["", "/", "/a?b#c", "?a=/b", "#a/b", "?", "#", "?/", ":443/x", ":443?x/y", "?@evil.example/", "//x"];
    let elsewhere = ["@evil.example/", ".evil.example/?", ":x/", "%2f/", "@evil.example?/files.example.hk"];
    for round in 0..3 {
        for scheme in ["https://", "HTTPS://", "http://", "//", ""] {
            let url = |end: &str| format!("{scheme}files.example.hk{end}");
            here.iter().for_each(|end| assert_eq!(host(&url(end)), "HK; host high", "{end} in round {round}"));
            elsewhere.iter().for_each(|end| assert_eq!(host(&url(end)), "-", "{end} in round {round}"));
        }
    }
}

#[test]
fn rules_that_are_no_host_names_are_refused() {
    for suffix in ["", "*.example.hk", "https://example.hk", "example.hk:443", "exa mple.hk", "例.hk", "a..b", "-a.hk"]
    {
        let error = Geo::build(Vec::new(), &[], &[rule(suffix, None)]).unwrap_err();
        assert_eq!(error, GeoError::HostRule(suffix.to_owned()));
    }
    let twice = [rule("a.example.hk", None), rule("A.example.hk", Some(Place::HK))];
    assert!(matches!(Geo::build(Vec::new(), &[], &twice), Err(GeoError::DuplicateHostRule(_))));
}

#[test]
fn look_alikes_match_nothing() {
    let cases = [
        "",
        ".",
        "x.oss-cn-hongkong.aliyuncs.com.evil.example",
        "oss-cn-hongkong.aliyuncs.com@evil.example",
        "https://oss-cn-hongkong.aliyuncs.com@evil.example/",
        "https://a@b@oss-cn-hongkong.aliyuncs.com/",
        "evil.example/oss-cn-hongkong.aliyuncs.com",
        "evil.example?oss-cn-hongkong.aliyuncs.com",
        "evil.example#oss-cn-hongkong.aliyuncs.com",
        "evil.example/?u=https://oss-cn-hongkong.aliyuncs.com",
        "https:\\\\oss-cn-hongkong.aliyuncs.com",
        "https://evil.example\\.oss-cn-hongkong.aliyuncs.com",
        "https://evil.example\\@x@oss-cn-hongkong.aliyuncs.com",
        "https://evil.example\\@oss-cn-hongkong.aliyuncs.com",
        "evil.example\0.oss-cn-hongkong.aliyuncs.com",
        "oss-cn-hongkong.aliyuncs.com\0.evil.example",
        "oss-cn-hongkong.aliyuncs.com%2eevil.example",
        "evil.example%00.oss-cn-hongkong.aliyuncs.com",
        "oss-cn-hongkong.aliyuncs.com..",
        "oss-cn-hongkong..aliyuncs.com",
        ".oss-cn-hongkong.aliyuncs.com",
        "oss-cn-hongkong.aliyuncs.com:port",
        "oss-cn-hongkong.aliyuncs.com:443:80",
        "https:/oss-cn-hongkong.aliyuncs.com",
        "ftp://oss-cn-hongkong.aliyuncs.com",
        "javascript://oss-cn-hongkong.aliyuncs.com",
        "oss://oss-cn-hongkong.aliyuncs.com",
        "xoss-cn-hongkong.aliyuncs.com",
        "oss-cn-hongkong.evil.aliyuncs.com",
        "oss-cn-hongkong.aliyuncs.co",
        "oss-cn-hongkong.xaliyuncs.com",
        "oss-cn-hongkong-aliyuncs.com",
        "oss-cn-hongkong.aliyuncs.com.cn",
        "oss-cn-h\u{43e}ngkong.aliyuncs.com",
        "xn--oss-cn-hngkong-6ib.aliyuncs.com",
        "ecs.cn-hongkong.aliyuncs.com",
        "aliyuncs.com",
        "trans.dingtalk.com.evil.example",
        "evildingtalk.com",
        "s3.ap-east-1.amazonaws.com",
        "147.8.2.58",
        "[2001:db8::1]",
    ];
    for name in cases {
        assert_eq!(host(name), "-", "{name:?}");
    }
    // A look-alike of a region is an OSS host of a region that is not known.
    for name in ["oss-cn-hongkong-evil.aliyuncs.com", "oss-cn-hong.aliyuncs.com", "oss-cn-.x.oss-cn.aliyuncs.com"] {
        assert!(!host(name).starts_with("HK"), "{name}");
    }
}

/// Parsers disagree about backslashes and control characters, wherever in a URL they stand.
#[test]
fn a_url_with_an_odd_byte_anywhere_is_none() {
    for length in 0..70 {
        let url = format!("https://oss-cn-hongkong.aliyuncs.com/{}", "x".repeat(length));
        assert!(host(&url).starts_with("HK"), "{url}");
        for odd in ['\\', '\0', '\u{1f}', '\u{7f}'] {
            for at in "https://".len()..url.len() {
                let mut odd_url = url.clone();
                odd_url.replace_range(at..=at, odd.encode_utf8(&mut [0; 4]));
                assert_eq!(host(&odd_url), "-", "{odd_url:?}");
            }
        }
    }
}

#[test]
fn regions_and_buckets_by_name() {
    let region = |text: &str| GEO.region(text).map_or_else(|| "-".to_owned(), |location| shown(&location));
    let bucket = |text: &str| GEO.bucket(text).map_or_else(|| "-".to_owned(), |location| shown(&location));
    let regions = [
        ("ZHANGJIAKOU", "CN (outside Guangdong); region_enum high"),
        ("SHANGHAI", "CN (outside Guangdong); region_enum high"),
        ("SHENZHEN", "CN (Shenzhen, Guangdong); region_enum high"),
        (" singapore ", "SG; region_enum high"),
        ("UNKNOWN", NO_REGION),
        ("cn-hongkong", "HK; region_enum high"),
        ("oss-cn-hongkong", "HK; region_enum high"),
        ("cn-heyuan", "CN (Guangdong, outside the nine GBA cities); region_enum high"),
        ("rg-china-mainland", "CN; region_enum high"),
        ("ap-southeast-1", "SG; region_enum high"),
        ("HONGKONG", "-"),
        ("cn-", "-"),
        ("cn", "-"),
        ("", "-"),
    ];
    for (text, expected) in regions {
        assert_eq!(region(text), expected, "{text:?}");
    }
    assert_eq!(GEO.source(GEO.region("SHENZHEN").unwrap().source).to_string(), "DingTalk storage region SHENZHEN");
    let buckets = [
        ("lippi-space-zjk", "CN (outside Guangdong); bucket medium"),
        ("lippi-space-SZ", "CN (Shenzhen, Guangdong); bucket medium"),
        ("dingtalk-cspase-sh", "CN (outside Guangdong); bucket medium"),
        ("own-bucket-sz", "-"),
        ("alidocs", "-"),
        ("", "-"),
    ];
    for (text, expected) in buckets {
        assert_eq!(bucket(text), expected, "{text:?}");
    }
}

proptest! {
    #[test]
    fn nothing_panics_and_nothing_behind_a_foreign_domain_matches(text in any::<String>(), label in "[a-z]{1,8}") {
        let _ = (GEO.host(&text), GEO.region(&text), GEO.bucket(&text));
        let known = OSS_HOSTS.lines().nth(1 + text.len() % 200).unwrap().split(',').next().unwrap();
        prop_assert_eq!(host(&format!("{known}.{label}.example")), "-");
        prop_assert_eq!(host(&format!("https://{known}@{label}.example/{known}?{known}#{known}")), "-");
        prop_assert_eq!(host(&format!("{label}{known}")) == "-", known.starts_with("oss-"), "{}", known);
    }
}
