//! The configuration: the examples load, every fault shows path, value and remedy, the effective output reads back.

mod channels;

use std::fs;
use std::path::Path;

use harbourwatch::config::{Config, Fault};
use harbourwatch::deliver::render::Format;
use harbourwatch::domain::event::Id;
use harbourwatch::domain::party::{Category, Tie, Tri};
use harbourwatch::domain::place::{Country, District, GbaCity, Place};
use harbourwatch::domain::safeguard::{Area, Named, SafeguardKind};
use harbourwatch::domain::verdict::{Severity, Verdict};
use harbourwatch::settings::{ChannelWay, EXAMPLE_BANK, Settings, effective};
use proptest::prelude::*;

/// A configuration without fault or section that a case would repeat.
const BASE: &str = r#"
[[entities]]
id = "own"
name = "Own Limited"
registered = "HK"

[[entities]]
id = "sz"
name = "Own (Shenzhen) Limited"
tie = "group"
registered = "CN-GD-Shenzhen"

[[parties]]
id = "vendor"
name = "Vendor Limited"
role = "processor"
registered = "CN-ZJ"

[[tenants]]
id = "ding1"
entity = "own"
item = "files"

[[inventory]]
id = "files"
"#;

fn with(more: &str) -> Result<Settings, Vec<Fault>> {
    format!("{BASE}\n{more}").parse().map_err(|faults: harbourwatch::config::Faults| faults.0)
}

fn faults(more: &str) -> Vec<Fault> {
    with(more).expect_err(more)
}

fn bank() -> Settings {
    EXAMPLE_BANK.parse().unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn every_example_loads() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut loaded = 0;
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "json") {
            // the example event is explained by a command of the README
            continue;
        }
        let settings = Settings::load(&path).unwrap_or_else(|faults| panic!("{}: {faults}", path.display()));
        assert!(!settings.policy.tenants.is_empty());
        loaded += 1;
    }
    assert!(loaded >= 2);
}

#[test]
fn example_bank_shows_every_section() {
    let sections: toml::Table = toml::to_string(&Config::default()).unwrap().parse().unwrap();
    let shown: toml::Table = EXAMPLE_BANK.parse().unwrap();
    let missing: Vec<_> = sections.keys().filter(|section| !shown.contains_key(*section)).collect();
    assert!(sections.len() > 20 && missing.is_empty(), "{missing:?}");
}

#[test]
fn example_bank_is_compiled_as_written() {
    let bank = bank();
    let policy = &bank.policy;
    let party = |id: &str| policy.parties.iter().find(|party| party.id == id).unwrap();
    assert_eq!(party("vhb").tie, Tie::Own);
    assert_eq!(party("vhb-sz").registered, Some(Place::In(Country::CN, District::Gba(GbaCity::Shenzhen))));
    assert_eq!(party("merlion-payroll").agreement, Tri::No);
    assert_eq!(policy.tenants[0].members.len(), 3);
    let gba = policy.safeguards.iter().find(|entry| entry.id == "gba-sz-2026").unwrap();
    assert_eq!((gba.kind, gba.areas.as_slice()), (SafeguardKind::GbaSc, [Area::GbaNine].as_slice()));
    assert_eq!(gba.filing.as_ref().map(|filing| filing.day - gba.from), Some(8));
    let remote = policy.safeguards.iter().find(|entry| entry.id == "own-staff-abroad").unwrap();
    assert_eq!(remote.recipients, Named::SameEntity);
    assert!(policy.purposes.iter().any(|purpose| purpose == "loan processing"));
    assert_eq!(bank.sites.iter().filter(|site| site.place.is_none()).count(), 2);
    assert!(bank.sensitive.contains(&("体检".to_owned(), Category::Health)));
    assert_eq!(bank.admin.port(), 9464);
    assert_eq!(bank.channels[1].way, ChannelWay::File("data/findings.ndjson".into(), Format::Finding));
    assert_eq!(bank.channels[0].spec.minimum, Severity::Medium);
    assert_eq!(bank.evidence.record, Verdict::ALL[..5]);
}

#[test]
fn directory_answers_by_id_name_parentheses_and_mail_domain() {
    let bank = bank();
    let place = |id: Option<Id<'static>>, name: Option<&str>| {
        bank.estate.contact(id.as_ref(), name).and_then(|contact| bank.policy.place_of(contact))
    };
    let zhejiang = Some(Place::In(Country::CN, District::OtherProvince));
    assert_eq!(place(Some(Id::Number(16_338_860)), None), Some(Place::country(Country::JP)));
    assert_eq!(place(None, Some("沈立群")), zhejiang);
    assert_eq!(place(None, Some("Li Na (Merlion Payroll)")), Some(Place::country(Country::SG)));
    assert_eq!(place(None, Some("马文博（杭州钱江数据服务有限公司）")), zhejiang);
    let by_mail = bank.estate.mailbox("x@mail.Qianjiang-Data.example");
    assert_eq!(by_mail.and_then(|contact| bank.policy.place_of(contact)), zhejiang);
    assert_eq!(place(None, Some("x@vhb.example")), None);
    assert_eq!(place(None, Some("Somebody Else")), None);
    assert!(bank.estate.space(&Id::Number(24_870_551_923)).is_some_and(|space| space.item.is_some()));
}

#[test]
fn name_of_two_organisations_decides_nothing_and_is_not_printed() {
    let people = "[[people]]\nid = \"1\"\nname = \"Wong Siu Ming\"\nparty = \"own\"\n\
                  [[people]]\nid = \"2\"\nname = \"Wong Siu Ming\"\nparty = \"vendor\"\n";
    let settings = with(people).unwrap();
    assert_eq!(settings.estate.contact(None, Some("Wong Siu Ming")), None);
    assert!(settings.estate.contact(Some(&Id::Number(2)), None).is_some());
    let warnings = settings.warnings.join("\n");
    assert!(warnings.contains("people[1].name") && !warnings.contains("Wong"), "{warnings}");
}

const SHA: &str = "5d0b1f6b2a8e4c97f3a1d60c8e2b7945f19c3ad08472be651f0da9c7e84b2d36";

fn safeguard(more: &str) -> String {
    let mut text = "[[safeguards]]\nid = \"s\"\n".to_owned();
    for (key, value) in [("type", "\"rmc_processor\""), ("recipients", "[\"vendor\"]"), ("from", "\"2026-01-01\"")] {
        if !more.lines().any(|line| line.starts_with(key)) {
            text += &format!("{key} = {value}\n");
        }
    }
    text + &more.lines().filter(|line| !line.ends_with("= absent")).map(|line| format!("{line}\n")).collect::<String>()
}

fn assert_only_fault(more: &str, path: &str, value: &str, remedy: &str) {
    let faults = faults(more);
    let [fault] = faults.as_slice() else { panic!("{more}\n{faults:#?}") };
    assert_eq!((fault.path.as_str(), fault.value.as_str()), (path, value), "{more}\n{fault}");
    assert!(fault.remedy.contains(remedy), "{more}\n{fault}");
    assert!(fault.to_string().contains(path) && fault.to_string().contains(remedy));
}

#[test]
fn faults_of_parties_and_tenants() {
    let entity = |more: &str| format!("[[entities]]\nid = \"e\"\nname = \"E\"\nregistered = \"HK\"\n{more}");
    let tenant = |more: &str| format!("[[tenants]]\nid = \"ding2\"\n{more}");
    let party = |more: &str| format!("[[parties]]\nid = \"p\"\n{more}");
    let cases = [
        (
            party("name = \"P\"\n[[parties]]\nid = \"own\"\nname = \"Q\""),
            "parties[2].id",
            "\"own\"",
            "already used by entities[0]",
        ),
        (party(""), "parties[1].name", "", "give it a name"),
        (party("name = \"Own Limited\""), "parties[1].name", "\"Own Limited\"", "already stands for \"own\""),
        (party("name = \"P\"\nrole = \"vendor\""), "parties[1].role", "\"vendor\"", "data_user, processor, unknown"),
        (party("name = \"P\"\nagreement = \"maybe\""), "parties[1].agreement", "\"maybe\"", "yes, no, unknown"),
        (party("name = \"P\"\nregistered = \"CN-HK\""), "parties[1].registered", "\"CN-HK\"", "write a place: \"HK\""),
        ("[[parties]]\nname = \"P\"".into(), "parties[1].id", "", "every entry needs its own id"),
        (entity("tie = \"vendor\""), "entities[2].tie", "\"vendor\"", "own, group"),
        ("[[entities]]\nid = \"e\"\nname = \"E\"".into(), "entities[2].registered", "", "principal place of business"),
        (tenant("item = \"files\""), "tenants[1].entity", "", "missing; name one declared under [[entities]]"),
        (
            tenant("entity = \"vendor\"\nitem = \"files\""),
            "tenants[1].entity",
            "\"vendor\"",
            "name one of [[entities]]",
        ),
        (tenant("entity = \"own\""), "tenants[1].item", "", "declared under [[inventory]]: files"),
        (
            tenant("entity = \"own\"\nitem = \"files\"\nmembers = [\"own\", \"x\"]"),
            "tenants[1].members[1]",
            "\"x\"",
            "own, sz",
        ),
        (
            tenant("entity = \"own\"\nitem = \"files\"\nstorage = { place = \"HK\" }"),
            "tenants[1].storage.evidence",
            "",
            "say what proves the place",
        ),
    ];
    for (more, path, value, remedy) in cases {
        assert_only_fault(&more, path, value, remedy);
    }
}

#[test]
fn configuration_without_tenant_or_own_entity_is_refused() {
    let found = "[[parties]]\nid = \"p\"\nname = \"P\"\n".parse::<Settings>().unwrap_err().0;
    let paths: Vec<_> = found.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(paths, ["entities", "tenants"]);
}

#[test]
fn faults_of_the_network() {
    let site = |more: &str| format!("[[sites]]\nid = \"a\"\n{more}");
    let cases = [
        (
            site("cidrs = [\"203.0.113.0/33\"]\nplace = \"HK\""),
            "sites[0].cidrs[0]",
            "\"203.0.113.0/33\"",
            "write a range",
        ),
        (
            site("cidrs = [\"203.0.113.9/24\"]\nplace = \"HK\""),
            "sites[0].cidrs[0]",
            "\"203.0.113.9/24\"",
            "\"203.0.113.0/24\"",
        ),
        (site("cidrs = [\"::/0\"]\nplace = \"HK\""), "sites[0].cidrs[0]", "\"::/0\"", "every address"),
        (site("place = \"HK\""), "sites[0].cidrs", "", "list its ranges"),
        (site("cidrs = [\"192.0.2.0/24\"]"), "sites[0].place", "", "opaque = true"),
        (site("cidrs = [\"192.0.2.0/24\"]\nplace = \"HK\"\nopaque = true"), "sites[0].place", "\"HK\"", "not both"),
        (site("cidrs = [\"192.0.2.0/24\"]\nplace = \"Hong Kong\""), "sites[0].place", "\"Hong Kong\"", "\"HK\""),
        (
            site(
                "cidrs = [\"192.0.2.0/24\"]\nplace = \"HK\"\n[[sites]]\nid = \"b\"\ncidrs = [\"192.0.2.0/24\"]\nopaque = true",
            ),
            "sites[1].cidrs[0]",
            "\"192.0.2.0/24\"",
            "the same range is sites[0].cidrs[0]",
        ),
        (
            "[[hosts]]\nsuffix = \"https://a.example/\"".into(),
            "hosts[0].suffix",
            "\"https://a.example/\"",
            "without scheme",
        ),
        ("[[hosts]]\nplace = \"HK\"".into(), "hosts[0].suffix", "", "missing"),
        ("[[hosts]]\nsuffix = \"a.example\"\nplace = \"UK\"".into(), "hosts[0].place", "\"UK\"", "ISO 3166-1"),
    ];
    for (more, path, value, remedy) in cases {
        assert_only_fault(&more, path, value, remedy);
    }
}

#[test]
fn faults_of_data_and_directory() {
    let cases = [
        (
            "[[inventory]]\nid = \"i\"\npersonal = \"perhaps\"",
            "inventory[1].personal",
            "\"perhaps\"",
            "yes, no, unknown",
        ),
        (
            "[[inventory]]\nid = \"i\"\ncategories = [\"race\"]",
            "inventory[1].categories[0]",
            "\"race\"",
            "contact, identity",
        ),
        ("[[inventory]]\nid = \"i\"\npurpose = \" \"", "inventory[1].purpose", "\" \"", "name the purpose"),
        ("[[spaces]]\nid = \"1\"\nitem = \"x\"", "spaces[0].item", "\"x\"", "[[inventory]]"),
        ("[[spaces]]\nid = \"1\"\nentity = \"x\"", "spaces[0].entity", "\"x\"", "[[entities]]"),
        ("[[spaces]]\nid = \"1\"\noperator = \"x\"", "spaces[0].operator", "\"x\"", "own, sz, vendor"),
        ("[[spaces]]\nid = \"1\"\n[[spaces]]\nid = \"1\"", "spaces[1].id", "\"1\"", "already used by spaces[0]"),
        ("[[spaces]]\nitem = \"files\"", "spaces[0].id", "", "in quotes"),
        ("[[people]]\nparty = \"own\"", "people[0]", "", "id and name"),
        ("[[people]]\nid = \"Jane\"\nparty = \"x\"", "people[0].party", "\"x\"", "[[parties]]"),
        ("[[people]]\nid = 5\nname = \"A\"\nparty = \"own\"", "people[0].id", "", "in quotes"),
        (
            "[[people]]\nid = \"7\"\nparty = \"own\"\n[[people]]\nid = \"7\"\nparty = \"sz\"",
            "people[1].id",
            "",
            "the same id as people[0]",
        ),
        ("[[organisations]]\nparty = \"x\"", "organisations[0].party", "\"x\"", "[[parties]]"),
        (
            "[[organisations]]\nparty = \"vendor\"\nnames = [\"Own Limited\"]",
            "organisations[0].names[0]",
            "\"Own Limited\"",
            "already stands for \"own\"",
        ),
        (
            "[[organisations]]\nparty = \"vendor\"\ndomains = [\"@a.example\"]",
            "organisations[0].domains[0]",
            "\"@a.example\"",
            "without @",
        ),
        ("[sensitive]\npassport = \"papers\"", "sensitive.passport", "\"papers\"", "contact, identity"),
        ("[sensitive]\n\"\" = \"health\"", "sensitive.\"\"", "\"health\"", "matches every file"),
    ];
    for (more, path, value, remedy) in cases {
        assert_only_fault(more, path, value, remedy);
    }
}

#[test]
fn more_than_64_purposes_are_refused() {
    let items = (0..70).map(|n| format!("[[inventory]]\nid = \"i{n}\"\npurpose = \"p{n}\"\n")).collect::<String>();
    let found = faults(&items);
    assert_eq!(found.len(), 6);
    assert_eq!((found[0].path.as_str(), found[0].value.as_str()), ("inventory[65].purpose", "\"p64\""));
    assert!(found[0].remedy.contains("at most 64"));
}

#[test]
fn faults_of_the_register() {
    let cases = [
        ("type = \"scc\"", "safeguards[0].type", "\"scc\"", "rmc_user, rmc_processor"),
        ("type = \"specified_place\"", "safeguards[0].type", "\"specified_place\"", "Gazette list of places is empty"),
        ("type = \"own_staff_remote\"", "safeguards[0].recipients", "\"vendor\"", "remove recipients"),
        ("recipients = absent", "safeguards[0].recipients", "", "name entities or parties"),
        ("recipients = [\"x\"]", "safeguards[0].recipients[0]", "\"x\"", "[[parties]]"),
        ("recipients = [\"*\"]", "safeguards[0].recipients", "\"*\"", "rmc_processor binds those who signed"),
        (
            "type = \"comparable_law\"\nrecipients = [\"*\", \"sz\"]\nplaces = [\"GB\"]",
            "safeguards[0].recipients",
            "\"*\"",
            "alone",
        ),
        ("type = \"comparable_law\"\nrecipients = [\"*\"]", "safeguards[0].places", "", "about a place"),
        ("type = \"comparable_law\"\nplaces = [\"*\"]", "safeguards[0].places[0]", "\"*\"", "about a place"),
        ("type = \"written_consent\"\nrecipients = [\"*\"]", "safeguards[0].items", "", "cohort or case"),
        ("exporters = [\"vendor\"]", "safeguards[0].exporters[0]", "\"vendor\"", "name one of [[entities]]"),
        ("places = [\"CN-ZJ\"]", "safeguards[0].places[0]", "\"CN-ZJ\"", "write an area"),
        ("kinds = [\"download\"]", "safeguards[0].kinds[0]", "\"download\"", "store_at_rest, upload, access"),
        ("categories = [\"x\"]", "safeguards[0].categories[0]", "\"x\"", "contact, identity"),
        ("purposes = [\"\"]", "safeguards[0].purposes[0]", "", "name the purpose"),
        ("items = [\"x\"]", "safeguards[0].items[0]", "\"x\"", "[[inventory]]"),
        ("from = absent", "safeguards[0].from", "", "2026-11-23"),
        ("from = \"1/12/2026\"", "safeguards[0].from", "\"1/12/2026\"", "2026-11-23"),
        ("from = 2026-12-01", "safeguards[0].from", "2026-12-01", "in quotes"),
        ("until = \"2026-01-01\"", "safeguards[0].until", "\"2026-01-01\"", "later than from"),
        ("document = \"5d0b\"", "safeguards[0].document", "\"5d0b\"", "64 hex digits"),
        ("filing = { day = \"soon\", reference = \"r\" }", "safeguards[0].filing.day", "\"soon\"", "2026-11-23"),
        ("filing = { day = \"2026-01-05\" }", "safeguards[0].filing.reference", "", "reference that the office gave"),
    ];
    for (more, path, value, remedy) in cases {
        assert_only_fault(&safeguard(more), path, value, remedy);
    }
}

#[test]
fn faults_of_rules_and_apps() {
    let cases = [
        ("[[deny]]\nid = \"d\"", "deny[0]", "", "a place, a party or both"),
        ("[[deny]]\nplace = \"US\"", "deny[0].id", "", "missing"),
        ("[[deny]]\nid = \"d\"\nplace = \"USA\"", "deny[0].place", "\"USA\"", "write an area"),
        ("[[deny]]\nid = \"d\"\nparty = \"x\"", "deny[0].party", "\"x\"", "[[parties]]"),
        ("[[residency]]\nid = \"r\"", "residency[0].allowed", "", "at least one area"),
        ("[[residency]]\nid = \"r\"\nallowed = [\"Tokyo\"]", "residency[0].allowed[0]", "\"Tokyo\"", "write an area"),
        (
            "[[residency]]\nid = \"r\"\nallowed = [\"HK\"]\ntenants = [\"x\"]",
            "residency[0].tenants[0]",
            "\"x\"",
            "ding1",
        ),
        ("[[apps]]\ncode = \"1\"\noperator = \"x\"", "apps[0].operator", "\"x\"", "[[parties]]"),
        ("[[apps]]\noperator = \"vendor\"", "apps[0].code", "", "missing"),
    ];
    for (more, path, value, remedy) in cases {
        assert_only_fault(more, path, value, remedy);
    }
}

#[test]
fn faults_of_running() {
    let cases = [
        ("[decode]\npayload = \"a..b\"", "decode.payload", "\"a..b\"", "single dots"),
        ("[decode]\ndepth = 1000", "decode.depth", "", "from 8 to 128"),
        ("[geo]\nmax_age_days = 0", "geo.max_age_days", "", "from 1 to 3650"),
        ("[geo]\ndatabases = [\"\"]", "geo.databases[0]", "", "name the file"),
        ("[source]\nfiles = [\"\"]", "source.files[0]", "", "name the file"),
        ("[source]\nkind = \"pigeon\"", "source.kind", "\"pigeon\"", "replay"),
        ("[batch]\nmessages = 0", "batch.messages", "", "from 1 to 1000000"),
        ("[batch]\nbytes = 10000\n[decode]\nbytes = 5000", "batch.message_bytes", "", "from 1024 to 10000"),
        ("[batch]\nwait_ms = 0", "batch.wait_ms", "", "from 1 to 60000"),
        ("[workers]\ncount = 257", "workers.count", "", "from 0 to 256"),
        ("[evidence]\norigin = \"a b\"", "evidence.origin", "\"a b\"", "without spaces"),
        ("[evidence]\nrecord = [\"VIOLATION\"]", "evidence.record[0]", "\"VIOLATION\"", "PROHIBITED, UNCOVERED"),
        ("[evidence]\nrecord = []", "evidence.record", "", "at least one"),
        ("[evidence]\ndir = \"./data/x/../outbox\"", "outbox.dir", "\"data/outbox\"", "must be apart"),
        (
            "[outbox]\ndir = \"data/evidence/outbox\"",
            "outbox.dir",
            "\"data/evidence/outbox\"",
            "neither inside the other",
        ),
        ("[[channels]]\nid = \"c\"\nkind = \"pigeon\"", "channels[0].kind", "\"pigeon\"", "terminal"),
        ("[[channels]]\nid = \"c\"\nkind = \"file\"", "channels[0].path", "", "name the file"),
        ("[[channels]]\nid = \"c\"\npath = \"f\"", "channels[0].path", "\"f\"", "kind = \"file\""),
        ("[[channels]]\nid = \"c\"\nmin_severity = \"BAD\"", "channels[0].min_severity", "\"BAD\"", "INFO, LOW"),
        ("[[channels]]\nkind = \"terminal\"", "channels[0].id", "", "missing"),
        (
            "[[channels]]\nid = \"a\"\nkind = \"file\"\npath = \"f\"\n[[channels]]\nid = \"b\"\nkind = \"file\"\npath = \"./f\"",
            "channels[1].path",
            "\"./f\"",
            "channels[0] already writes this file",
        ),
        ("[admin]\nlisten = \"localhost\"", "admin.listen", "\"localhost\"", "127.0.0.1:9464"),
        ("[log]\nlevel = \"loud\"", "log.level", "\"loud\"", "error"),
    ];
    for (more, path, value, remedy) in cases {
        assert_only_fault(more, path, value, remedy);
    }
}

#[test]
fn faults_of_the_topic_for_verdicts() {
    let kafka = |verdicts: &str| {
        let topics = "topics = [\"audit\", \"push\"]";
        format!("[kafka]\nbrokers = [\"k:9092\"]\n[source]\nkind = \"kafka\"\n[source.kafka]\n{topics}\n{verdicts}")
    };
    assert!(with(&kafka("verdicts = \"told\"")).is_ok());
    let path = "source.kafka.verdicts";
    assert_only_fault(&kafka("verdicts = \"push\""), path, "\"push\"", "the source reads this topic; name another");
    assert_only_fault(&kafka("verdicts = \"told you\""), path, "\"told you\"", "not a topic's name");
}

#[test]
fn key_pasted_into_recipients_is_not_repeated() {
    let private = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ";
    let found = faults(&format!("[evidence]\nrecipients = [\"{private}\"]"));
    assert_eq!(found[0].path.as_str(), "evidence.recipients[0]");
    assert!(!format!("{found:?}").contains("AGE-SECRET"));
}

#[test]
fn faults_of_shape_and_meaning_come_together_in_the_order_of_the_file() {
    let more = "[[deny]]\nid = \"d\"\nplase = \"US\"\n[[apps]]\ncode = 7\noperator = \"x\"\n[batch]\nmessages = \"many\"\n[geo]\nmax_age_days = 0\n";
    let found = faults(more);
    let shown: Vec<_> = found
        .iter()
        .map(|fault| (fault.path.as_str(), fault.line.map(|line| line - BASE.lines().count() - 1)))
        .collect();
    // `deny[0]` is said to be empty only because of the key that was cut out; that is not said again.
    assert_eq!(
        shown,
        [
            ("deny[0].plase", Some(3)),
            ("apps[0].code", Some(5)),
            ("apps[0].operator", Some(6)),
            ("batch.messages", Some(8)),
            ("geo.max_age_days", Some(10)),
        ]
    );
    assert!(found[0].remedy.contains("unknown key") && found[0].remedy.contains("place"));
}

#[test]
fn unknown_sections_and_syntax_are_refused() {
    assert_only_fault(
        "[gibberish]",
        "gibberish",
        "[gibberish]",
        "unknown key; remove it or write one of: organisation",
    );
    let found = faults("[batch\nmessages = ");
    assert!(found.iter().all(|fault| fault.remedy.starts_with("not valid TOML") && fault.line.is_some()), "{found:?}");
}

#[test]
fn file_that_cannot_be_read_is_a_fault() {
    let dir = tempfile::tempdir().unwrap();
    let missing = Settings::load(&dir.path().join("none.toml")).unwrap_err();
    assert!(missing.to_string().contains("none.toml"), "{missing}");
    let latin = dir.path().join("latin.toml");
    fs::write(&latin, b"[organisation]\nname = \"\xe9\"").unwrap();
    assert!(Settings::load(&latin).unwrap_err().to_string().contains("byte 23 is not UTF-8"));
}

#[test]
fn what_will_not_work_is_a_warning() {
    let cases = [
        (safeguard("type = \"gba_sc\""), "safeguards[0].recipients[0]: vendor is not registered in one of the nine"),
        (safeguard("type = \"gba_sc\"\nrecipients = [\"sz\"]"), "safeguards[0]: not filed"),
        (safeguard("type = \"gba_sc\"\nrecipients = [\"sz\"]"), "safeguards[0]: no impact assessment"),
        (safeguard("recipients = [\"sz\"]"), "the role of sz is not processor"),
        (safeguard(""), "safeguards[0]: no document"),
        ("[admin]\nlisten = \"0.0.0.0:9464\"".into(), "admin.listen: 0.0.0.0:9464 can be reached from other machines"),
        ("[[sites]]\nid = \"a\"\ncidrs = [\"64.0.0.0/4\"]\nplace = \"HK\"".into(), "large part of the internet"),
        (String::new(), "tenants[0]: no storage place"),
        (String::new(), "channels: none"),
        (String::new(), "evidence.recipients: empty"),
        (
            "[[tenants]]\nid = \"t\"\nentity = \"own\"\nitem = \"files\"\nstorage = { place = \"SG\", evidence = \"c\" }".into(),
            "tenants[1].storage: storage in SG",
        ),
    ];
    for (more, warning) in cases {
        let settings = with(&more).unwrap_or_else(|faults| panic!("{more}\n{faults:?}"));
        assert!(settings.warnings.iter().any(|found| found.contains(warning)), "{warning}\n{:#?}", settings.warnings);
    }
}

#[test]
fn effective_output_reads_back_to_the_same_settings() {
    let document = format!("document = \"{}\"", SHA.to_uppercase());
    for text in [EXAMPLE_BANK.to_owned(), BASE.to_owned(), format!("{BASE}{}", safeguard(&document))] {
        let settings: Settings = text.parse().unwrap();
        let shown = effective(&settings);
        assert_eq!(shown.parse::<Settings>().unwrap_or_else(|faults| panic!("{faults}\n{shown}")), settings);
        assert!(shown.contains("listen = \"127.0.0.1:9464\"") && shown.contains("message_bytes = 4194304"), "{shown}");
    }
}

#[test]
fn digest_follows_what_is_judged_and_nothing_else() {
    let digest = |more: &str| with(more).unwrap().policy.digest;
    let base = digest("");
    assert_eq!(base.len(), 64);
    assert_eq!(base, digest("# a comment\n[log]\nlevel = \"debug\"\n[batch]\nmessages = 7\n"));
    assert_ne!(base, digest("[[deny]]\nid = \"d\"\nplace = \"US\"\n"));
    assert_ne!(base, digest("[[sites]]\nid = \"a\"\ncidrs = [\"192.0.2.0/24\"]\nplace = \"HK\"\n"));
    assert_ne!(base, digest("[organisation]\nunknown_counts_as_personal = false\n"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gives_settings_or_faults(text in ".{0,400}") {
        if let Err(faults) = text.parse::<Settings>() {
            prop_assert!(!faults.0.is_empty());
        }
    }

    /// Damage to a good file: lines lost, doubled, cut, or with another value.
    #[test]
    fn damaged_example_gives_settings_or_faults(
        at in 0usize..700,
        how in 0usize..6,
        value in "(-?[0-9]{1,20}|\"[^\"\\\\\n]{0,12}\"|\\[\\[?\\]?|\\{a=1\\}|true|1979-05-27|[ -~]{0,12})",
    ) {
        let mut lines: Vec<String> = EXAMPLE_BANK.lines().map(str::to_owned).collect();
        let at = at % lines.len();
        match how {
            0 => { lines.remove(at); }
            1 => { let line = lines[at].clone(); lines.insert(at, line); }
            2 => { let cut: String = lines[at].chars().take(value.len()).collect(); lines[at] = cut; }
            3 => lines[at] = value,
            _ => { let key = lines[at].split('=').next().unwrap_or_default().to_owned(); lines[at] = format!("{key} = {value}"); }
        }
        if let Err(faults) = lines.join("\n").parse::<Settings>() {
            prop_assert!(!faults.0.is_empty());
            prop_assert!(faults.0.iter().all(|fault| !fault.remedy.is_empty()));
        }
    }
}
