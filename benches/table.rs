//! One Markdown table for each stage, all variants by turns in one run:
//!
//! ```text
//! cargo bench --bench table              # all tables
//! cargo bench --bench table -- decode    # some of decode, locate, judge, classify, growth
//! cargo bench --bench table -- --write   # also keeps them in benches/results/
//! ```

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::print_stdout)]

mod lab;
mod stages;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [flag, kind, count] = arguments.as_slice()
        && flag == "--weigh"
    {
        return stages::growth::Grown::parse(kind, count).map_or((), |grown| println!("{:.0}", grown.weigh()));
    }
    let write = arguments.iter().any(|argument| argument == "--write");
    let names: Vec<&str> = arguments.iter().map(String::as_str).filter(|name| !name.starts_with("--")).collect();
    let mut report = format!("{}\n\n", lab::ruler::machine());
    for (name, stage) in stages::ALL {
        if names.is_empty() || names.contains(&name) {
            for table in stage() {
                println!("{table}");
                report += &format!("{table}\n");
            }
        }
    }
    println!("{}", lab::ruler::machine());
    if write {
        let path = format!("{}/benches/results/{}.md", env!("CARGO_MANIFEST_DIR"), file_name(&names));
        std::fs::create_dir_all(format!("{}/benches/results", env!("CARGO_MANIFEST_DIR"))).unwrap();
        std::fs::write(&path, report).unwrap();
        println!("written to {path}");
    }
}

fn file_name(names: &[&str]) -> String {
    if names.is_empty() { "table".to_owned() } else { names.join("-") }
}
