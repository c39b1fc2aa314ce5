#!/usr/bin/env bash
# What a record costs: the program records every event of a file, once under a sampling profiler, once with its calls to
# fsync timed. Prints a table of nanoseconds a record, in Markdown. Needs perf, strace and a release build with symbols.
# Parts are told apart by the function that was running, so that what a caller pays for its callees is not in its line.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=${1:-target/release/harbourwatch}
for tool in perf strace; do
    command -v $tool >/dev/null || { echo "$tool is not installed" >&2; exit 3; }
done
[[ -x $program ]] || { echo "no program at $program: cargo build --release" >&2; exit 1; }
program=$(realpath "$program")

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r config "$scratch/config"
# every verdict is recorded, and personal fields are sealed to somebody
sed -i -E \
    -e 's/^record = .*/record = ["PROHIBITED", "UNCOVERED", "DEFECT", "UNDETERMINED", "COVERED", "INBOUND", "DOMESTIC", "NO_HK_NEXUS", "OUT_OF_SCOPE"]/' \
    -e 's/^recipients = \[\]/recipients = ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]/' \
    "$scratch/config/bank.toml"
# channels write beside the evidence
cd "$scratch"
"$program" generate --events 100000 --garbage 0 --duplicates 0 >"$scratch/events" 2>/dev/null

# Records all of them under a command; the summary goes to a file.
record() {
    rm -rf "$scratch/data"
    "$@" "$program" replay -c "$scratch/config/bank.toml" --data "$scratch/data" "$scratch/events" >/dev/null 2>"$scratch/summary"
}

record perf record -q -e cpu-clock -F 5000 -o "$scratch/samples"
records=$(sed -nE 's/.*; ([0-9,]+) records kept.*/\1/p' "$scratch/summary" | tr -d ,)
record strace -f -c -w -e trace=fsync,fdatasync -o "$scratch/calls"

echo "| part | ns a record |"
echo "|---|---:|"
perf script -i "$scratch/samples" -F comm,ip,sym 2>/dev/null | awk -v records="$records" '
    function part(thread, name) {
        if (name ~ /geo::|maxminddb/) return ""
        if (thread ~ /^worker/) return "workers: decoding, judging, writing the record"
        if (thread ~ /^courier/) return "telling people (outbox to channel)"
        if (name ~ /sha2|merkle|tiles/) return "hashing (SHA-256: records, commitments, tree)"
        if (name ~ /^(ZSTD|HUF|FSE|HIST)|zstd/) return "compression (zstd)"
        if (name ~ /chacha|poly1305|aead|age::|permutevar|x25519/) return "sealing (age)"
        if (name ~ /ed25519|curve25519|sha512/) return "signing (Ed25519)"
        if (name ~ /sqlite3|^(balance|vdbe|pcache1|wal|pager|moveTo)/) return "SQLite (outbox, index)"
        if (name ~ /serde_json|personal|compose|from_utf8|format_escaped/) return "frames: JSON, personal fields cut out"
        if (name ~ /malloc|free|calloc|memmove|memset|memcmp|unlink_chunk|realloc|consolidate/) return "memory"
        if (name ~ /^(\[unknown\]|_raw|finish_task|exc_|copy_|iowrite|find_get|recently|ext4|jbd2|__|do_|clear_|el0|sync|vfs|folio|filemap|blk|virt|entry_|asm_|native|pv_|get_page|free_unref|rmqueue|handle|mod_|lock|up_|down_|ksys|generic|block|submit|kmem|mark_)/) return "kernel: files, memory, waiting"
        return "rest"
    }
    { thread = $1; $1 = $2 = ""; sub(/^ +/, ""); of = part(thread, $0); if (of != "") samples[of]++ }
    END { for (of in samples) printf "%09d| %s | %d |\n", samples[of], of, samples[of] * 1e9 / 5000 / records }
' | sort -rn | cut -c10-
awk -v records="$records" '$NF == "fsync" || $NF == "fdatasync" { calls += $4; seconds += $2 }
    END { printf "| fsync, time on the disk (%d calls in all) | %d |\n", calls, seconds * 1e9 / records }' "$scratch/calls"
echo
echo "$records records; $(sed -nE 's/^speed: +//p' "$scratch/summary") under strace"
