#!/usr/bin/env bash
# Campaigns of the fuzz targets: long ones with libFuzzer or AFL++, and the short one of each test
# run. One target after the other, or a few at a time; a crash becomes a regression input.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

results=$root/build/campaign
corpora=$root/fuzz/corpus
export FUZZ_BUILD=${FUZZ_BUILD:-$root/build}
fuzzers=$FUZZ_BUILD/libfuzzer/fuzz
minutes='' jobs=1 engine=libfuzzer action=campaign seconds=60 keep=''
targets=()

usage()
{
    cat <<END
usage: ci/fuzz.sh --minutes N [--jobs N] [--afl] [TARGET…]
       ci/fuzz.sh --smoke [--seconds N] [--build FOLDER] [TARGET…]
       ci/fuzz.sh --crashes [TARGET…]
       ci/fuzz.sh --keep CRASH NAME [TARGET]

  --minutes N   N minutes for each target (all, if none is named), --jobs of them at a time (1).
                What they found is in build/campaign/TARGET: corpus/ (minimised), crashes/,
                coverage.csv and coverage.svg (edges over time; needs gnuplot). Goes on from there
                the next time. Status 1 if anything crashed.
  --afl         with AFL++: a main and a secondary instance that share what they find
  --crashes     the crashes that are there, by what was wrong, the smallest of each kind
  --keep        makes CRASH smaller, as long as the same is wrong, and keeps it as
                fuzz/corpus/TARGET/NAME; says whether it fails or passes today
  --smoke       the corpora, then random inputs for --seconds (60) in all: half of them from fixed
                seeds, half from the commit's. As TAP; programs from --build (build).
END
}

# Sets what "--NAME VALUE" stands for, if it is such an option; returns whether it is.
is_setting() # NAME VALUE
{
    case $1 in
    --minutes) minutes=$2 ;;
    --jobs) jobs=$2 ;;
    --seconds) seconds=$2 ;;
    --build) build=$2 ;;
    *) return 1 ;;
    esac
}

parse()
{
    while [ $# -gt 0 ]; do
        if [ $# -gt 1 ] && is_setting "$1" "$2"; then
            shift 2
            continue
        fi
        case $1 in
        -h | --help) usage && exit 0 ;;
        --afl) engine=afl ;;
        --smoke | --crashes) action=${1#--} ;;
        --keep)
            [ $# -ge 3 ] || refuse
            action=keep keep=$2 name=$3
            shift 2
            ;;
        -*) refuse ;;
        *) targets+=("$1") ;;
        esac
        shift
    done
    [ "$action" != campaign ] || [[ $minutes =~ ^[1-9][0-9]*$ ]] || refuse
    [[ $jobs =~ ^[1-9]$ && $seconds =~ ^[1-9][0-9]*$ ]] || refuse
}

refuse()
{
    usage >&2
    exit 2
}

# Whether the build, if there is one yet, knows a target for the corpus.
is_known() # TARGET
{
    [ ! -e "$build/build.ninja" ] || grep -q "^build fuzz/fuzz_${1}_replay:" "$build/build.ninja"
}

choose_targets()
{
    local target
    if [ "${#targets[@]}" -eq 0 ]; then
        for target in "$corpora"/*/; do
            target=$(basename "$target")
            is_known "$target" && targets+=("$target")
        done
    fi
    [ "${#targets[@]}" -gt 0 ] || fail 2 "there are no targets"
    for target in "${targets[@]}"; do
        [ -d "$corpora/$target" ] || fail 2 "there is no target $target in fuzz/corpus"
    done
}

# --- campaigns ---

# In fork mode libFuzzer goes on behind a crash, and tells the time.
run_libfuzzer() # TARGET
{
    local folder=$results/$1
    "$root/fuzz/run.sh" --engine libfuzzer "$1" "$((minutes * 60))" -fork=1 -ignore_crashes=1 \
        -ignore_timeouts=1 -ignore_ooms=1 -artifact_prefix="$folder/crashes/" \
        "$folder/corpus" >"$folder/log" 2>&1 </dev/null || true
    gather_corpus "$1"
    sed -nE 's/^#[0-9]+: cov: ([0-9]+) ft: ([0-9]+) corp: ([0-9]+) .* time: ([0-9]+)s.*/\4,\1,\2,\3/p' \
        "$folder/log" >"$folder/new.csv"
}

# run.sh has a corpus of its own beside the folders that it is given.
gather_corpus() # TARGET
{
    local folder=$results/$1
    minimise "$1" "$folder/corpus" "$FUZZ_BUILD/libfuzzer/corpus-$1" "$corpora/$1"
}

# The fewest inputs that run all that these folders run become the corpus.
minimise() # TARGET FOLDER…
{
    local folder=$results/$1 program=$fuzzers/fuzz_${1}_fast from=() one
    shift
    for one in "$@"; do
        [ ! -d "$one" ] || from+=("$one")
    done
    rm -rf "$folder/fewest"
    mkdir "$folder/fewest"
    if "$program" -merge=1 -artifact_prefix="$folder/crashes/" "$folder/fewest" "${from[@]}" \
        >"$folder/merge.log" 2>&1 </dev/null; then
        rm -rf "$folder/corpus"
        mv "$folder/fewest" "$folder/corpus"
    fi
}

run_afl() # TARGET
{
    local folder=$results/$1 shared=$FUZZ_BUILD/afl/corpus-$1 role pids=() pid
    for role in -M:main -S:second; do
        "$root/fuzz/run.sh" --engine afl "$1" "$((minutes * 60))" "${role%%:*}" "${role#*:}" \
            >"$folder/log-${role#*:}" 2>&1 </dev/null &
        pids+=($!)
        sleep 5 # each looks whether all is built
    done
    for pid in "${pids[@]}"; do
        wait "$pid" || true
    done
    find "$shared" -path '*/crashes/id*' -exec cp {} "$folder/crashes/" \;
    minimise "$1" "$folder/corpus" "$shared"/*/queue "$corpora/$1"
    # relative_time, ..., corpus_count, ..., edges_found
    awk -F', *' '!/^#/ { print $1 "," $NF "," $NF "," $4 }' "$shared/main/plot_data" \
        >"$folder/new.csv" || true
}

# A later campaign's times go on from the end of the one before.
plot() # TARGET
{
    local folder=$results/$1 start
    [ -s "$folder/coverage.csv" ] || echo "seconds,edges,features,inputs" >"$folder/coverage.csv"
    start=$(tail -n 1 "$folder/coverage.csv" | sed 's/,.*//; s/seconds/0/')
    awk -F, -v OFS=, -v start="$start" '{ $1 += start; print }' "$folder/new.csv" \
        >>"$folder/coverage.csv"
    rm -f "$folder/new.csv"
    command -v gnuplot >/dev/null || return 0
    gnuplot <<END || say "no plot of $1"
set terminal svg size 800,400
set output "$folder/coverage.svg"
set datafile separator ","
set key bottom right
set xlabel "seconds"
set ylabel "edges"
set y2label "inputs"
set ytics nomirror
set y2tics
plot "$folder/coverage.csv" using 1:2 skip 1 with steps title "edges of $1", \
     "" using 1:4 skip 1 axes x1y2 with steps title "inputs kept"
END
}

campaign_of() # TARGET
{
    mkdir -p "$results/$1/corpus" "$results/$1/crashes"
    rm -f "$results/$1/new.csv"
    "run_$engine" "$1"
    plot "$1"
    printf '%s: %s edges, %s inputs\n' "$1" "$(tail -n 1 "$results/$1/coverage.csv" | cut -d, -f2)" \
        "$(find "$results/$1/corpus" -type f | wc -l)"
}

run_campaign()
{
    local target
    # Before there are several at a time.
    for target in "${targets[@]}"; do
        build_fuzzer "$target"
        [ "$engine" != afl ] || "$root/fuzz/run.sh" --engine afl --build "$target"
    done
    for target in "${targets[@]}"; do
        while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
            wait -n || true
        done
        campaign_of "$target" &
    done
    wait
    run_crashes
}

# Its own corpus may fail already: what counts is that it runs.
build_fuzzer() # TARGET
{
    local output
    output=$("$root/fuzz/run.sh" --engine libfuzzer "$1" 1 -runs=0 2>&1 </dev/null) ||
        grep -q '^INFO: ' <<<"$output" ||
        fail 1 "$1 cannot be built: $(tail -n 20 <<<"$output")"
}

# --- crashes ---

run_crashes()
{
    local target status=0
    for target in "${targets[@]}"; do
        "$root/ci/fuzz_crashes.py" --program "$fuzzers/fuzz_${target}_fast" \
            "$results/$target/crashes" || status=1
    done
    return "$status"
}

kind_of() # FILE
{
    "$root/ci/fuzz_crashes.py" --program "$program" --kind "$1"
}

run_keep()
{
    local target=${targets[0]-} program place kind
    [ -f "$keep" ] || fail 2 "there is no $keep"
    [ -n "$target" ] || target=$(basename "$(dirname "$(dirname "$(realpath "$keep")")")")
    [ -d "$corpora/$target" ] || fail 2 "of which target is it? Name it behind NAME."
    program=$fuzzers/fuzz_${target}_fast place=$corpora/$target/$name
    [ ! -e "$place" ] || fail 2 "there is a $place already"
    build_fuzzer "$target"
    kind=$(kind_of "$keep")
    cp "$keep" "$place"
    [ -z "$kind" ] || make_smaller "$place" "$kind"
    open_log
    is_configured || logged "meson setup" meson setup "$build" "$root" -Dtests=true
    logged "the build" ninja -C "$build" "fuzz/fuzz_${target}_replay"
    close_log
    printf '%s: %s bytes of %s\n' "$place" "$(stat -c %s "$place")" "$(stat -c %s "$keep")"
    if "$build/fuzz/fuzz_${target}_replay" "$place" >/dev/null 2>&1 && [ -z "$kind" ]; then
        echo "passes: it stays as a regression input"
    else
        echo "fails, and so does the suite fuzz until it is mended: ${kind:-not as a fuzzer}"
    fi
}

promise_of() # KIND
{
    local promise=${1%% < *}
    printf '%s' "${promise%% (*}"
}

# libFuzzer knows no end, and is content with any crash: a smaller one is taken only if the same
# promise is broken, wherever.
make_smaller() # FILE KIND
{
    local file=$1 smaller=$1.smaller
    timeout "$seconds" "$program" -minimize_crash=1 -max_total_time="$seconds" \
        -exact_artifact_path="$smaller" "$file" >/dev/null 2>&1 </dev/null || true
    if [ -s "$smaller" ] && [ "$(promise_of "$(kind_of "$smaller")")" = "$(promise_of "$2")" ]; then
        mv "$smaller" "$file"
    fi
    rm -f "$smaller"
}

# --- smoke ---

commit_seed()
{
    local commit
    commit=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo 1)
    printf '%d\n' "0x${commit:0:7}"
}

# Slices of inputs, each of a seed of its own, until the time is over. What a slice has is told
# only if it fails: its name is in the output then.
smoke_random() # PROGRAM FIRST-SEED SECONDS
{
    local program=$1 seed=$2 end=$((SECONDS + $3)) runs=0 output
    until [ "$SECONDS" -ge "$end" ]; do
        output=$(timeout 100 "$program" --random "$seed" "$slice" 2>&1) || {
            printf '%s\n' "$output" | tail -n 20 | sed 's/^/# /'
            return 1
        }
        seed=$((seed + 1)) runs=$((runs + slice))
    done
    echo "# $runs inputs, seeds $2 to $((seed - 1))"
}

tap()
{
    number=$((number + 1))
    if "${@:2}"; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        failed=1
    fi
}

replay() # PROGRAM TARGET
{
    local output
    output=$(timeout 100 "$1" "$corpora/$2" 2>&1) || {
        printf '%s\n' "$output" | tail -n 20 | sed 's/^/# /'
        return 1
    }
}

run_smoke()
{
    local target program share seed number=0 failed=0 slice=50
    seed=$(commit_seed)
    share=$(((seconds + 2 * ${#targets[@]} - 1) / (2 * ${#targets[@]})))
    for target in "${targets[@]}"; do
        program=$build/fuzz/fuzz_${target}_replay
        tap "$target: corpus" replay "$program" "$target"
        tap "$target: fixed seeds" smoke_random "$program" 1000 "$share"
        tap "$target: seeds of the commit" smoke_random "$program" "$seed" "$share"
    done
    echo "1..$number"
    return "$failed"
}

parse "$@"
choose_targets
"run_$action"
