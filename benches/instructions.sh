#!/usr/bin/env bash
# Instructions per event of decoding and of the whole way over a fixed corpus, counted by callgrind: repeatable where times
# are not. Prints one line a stage; compares with benches/results/instructions.txt and fails where a stage takes over 5 %
# more. `--write` keeps the figures instead. The SSE2 kernel is counted: every x86-64 machine has it.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
kept=benches/results/instructions.txt

command -v valgrind >/dev/null || { echo "valgrind is not installed" >&2; exit 3; }
bench=$(cargo bench --locked --no-run --bench count --message-format=json 2>/dev/null |
    sed -nE 's/.*"executable":"([^"]*\/count-[^"]*)".*/\1/p' | tail -n 1)
[[ -n $bench ]] || { echo "the bench does not build" >&2; exit 1; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Instructions of a run with so many rounds over the corpus.
run() {
    HARBOURWATCH_KERNEL=sse2 valgrind --tool=callgrind --callgrind-out-file="$scratch/out.$2" "$bench" "$1" "$2" 2>&1 |
        sed -nE 's/.*Collected : ([0-9]+).*/\1/p'
}

events=$(HARBOURWATCH_KERNEL=sse2 "$bench" events)
failed=0
echo "# $(rustc --version)" >"$scratch/now"
for stage in decode classify; do
    # what comes before the first round is the same in both
    run $stage 1 >"$scratch/one" &
    three=$(run $stage 3)
    wait $!
    now=$(((three - $(<"$scratch/one")) / (2 * events)))
    echo "$stage $now" >>"$scratch/now"
    before=$(awk -v stage="$stage" '$1 == stage { print $2 }' "$kept" 2>/dev/null || true)
    echo "$stage: $now instructions per event, kept: ${before:-none}"
    if [[ -n $before ]] && ((now * 100 > before * 105)); then failed=1; fi
done
if [[ ${1:-} == --write ]]; then
    cp "$scratch/now" "$kept"
elif ((failed)); then
    echo "a stage takes over 5 % more instructions than is kept in $kept" >&2
    exit 1
fi
