#!/usr/bin/env bash
# Builds a target for a fuzzing engine, in a build folder of its own, and runs it for a while.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
builds=${FUZZ_BUILD:-$root/build}
engine=libfuzzer
suffix=_fast
is_build=

usage()
{
    cat >&2 <<END
usage: fuzz/run.sh [--engine libfuzzer|afl] [--sanitize] TARGET SECONDS [OPTION-OF-THE-ENGINE…]
       fuzz/run.sh --engine afl --build TARGET      builds it, before several run at once

TARGET is one of fuzz/meson.build, such as pool. libFuzzer needs clang-19 or clang-14 and its
compiler-rt (libclang-rt-19-dev, libclang-rt-14-dev; --sanitize: with ASan and UBSan, several times
slower); AFL++ needs the package afl++. One process. New inputs go to corpus-TARGET in
build/libfuzzer or build/afl (or in \$FUZZ_BUILD/…), failing ones there to crash-* or
default/crashes (MAIN/crashes with -M MAIN). The status is not 0 if one was found.
END
    exit 2
}

clang()
{
    command -v clang-19 || command -v clang-14 || command -v clang
}

# FOLDER COMPILER TARGET…
build()
{
    local folder=$1 compiler=$2
    shift 2
    mkdir -p "$folder"
    if [ ! -e "$folder/build.ninja" ]; then
        CC=$compiler meson setup -Dtests=true -Dwerror=false "$folder" "$root" \
            >"$folder/setup.log" 2>&1 || { tail -n 20 "$folder/setup.log" >&2 && exit 1; }
    fi
    ninja -C "$folder" "$@" >"$folder/build.log" 2>&1 ||
        { tail -n 40 "$folder/build.log" >&2 && exit 1; }
}

dictionary() # OPTION TARGET
{
    [ ! -e "$root/fuzz/$2.dict" ] || echo "$1$root/fuzz/$2.dict"
}

run_libfuzzer() # TARGET SECONDS OPTION…
{
    local target=$1 seconds=$2 folder=$builds/libfuzzer options
    shift 2
    build "$folder" "$(clang)" "fuzz/fuzz_$target$suffix"
    mkdir -p "$folder/corpus-$target"
    mapfile -t options < <(dictionary -dict= "$target")
    "$folder/fuzz/fuzz_$target$suffix" -max_total_time="$seconds" -max_len=4104 -len_control=0 \
        -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$folder/" \
        "${options[@]}" "$@" "$folder/corpus-$target" "$root/fuzz/corpus/$target"
}

# The mutator is a library in afl-fuzz itself: it must not be instrumented, so another compiler
# builds it. Trimming by bytes would break records.
build_afl() # TARGET
{
    build "$builds/libfuzzer" "$(clang)" "fuzz/fuzz_${1}_mutator.so"
    AFL_QUIET=1 AFL_LLVM_DENYLIST=$root/fuzz/afl_denylist \
        build "$builds/afl" afl-clang-fast "fuzz/fuzz_${1}_afl"
}

run_afl() # TARGET SECONDS OPTION…
{
    local target=$1 seconds=$2 folder=$builds/afl instance=default options statistics
    shift 2
    [[ ${1-} != -[MS] ]] || instance=$2
    build_afl "$target"
    mapfile -t options < <(dictionary -x "$target")
    AFL_CUSTOM_MUTATOR_LIBRARY=$builds/libfuzzer/fuzz/fuzz_${target}_mutator.so \
    AFL_CUSTOM_MUTATOR_ONLY=1 AFL_DISABLE_TRIM=1 AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 \
    AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
        afl-fuzz -i "$root/fuzz/corpus/$target" -o "$folder/corpus-$target" -V "$seconds" \
        -t 20000 "${options[@]}" "$@" -- "$folder/fuzz/fuzz_${target}_afl"
    statistics=$folder/corpus-$target/$instance/fuzzer_stats
    grep -E '^(execs_done|execs_per_sec|stability|corpus_count|saved_crashes|saved_hangs) ' \
        "$statistics"
    grep -q '^saved_crashes *: 0$' "$statistics"
}

main()
{
    while [[ ${1-} == --* ]]; do
        case $1 in
        --engine) engine=${2-} && shift ;;
        --sanitize) suffix= ;;
        --build) is_build=yes ;;
        *) usage ;;
        esac
        shift
    done
    [[ $engine == libfuzzer || $engine == afl ]] || usage
    if [[ $is_build && $engine == afl && -d $root/fuzz/corpus/${1-}/ && $# -eq 1 ]]; then
        build_afl "$1"
        return
    fi
    [[ ! $is_build && ${1-} != "" && -d $root/fuzz/corpus/$1 && ${2-} =~ ^[1-9][0-9]*$ ]] || usage
    "run_$engine" "$@"
}

main "$@"
