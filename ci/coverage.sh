#!/usr/bin/env bash
# Builds everything with clang's coverage in a folder of its own, runs tests and fuzz inputs, and
# says which lines and branches of lib/ and hardening/ they ran, apart and together: those of the
# release library, which are judged, and those that the debug library and the command add.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

build=$root/build/coverage
llvm=${COVERAGE_LLVM:-14}
suites=(unit leaks)
programs=(interface misuse copy memory threads symbols samples situations command
    'interface, profile debug')
random_inputs=2000
kinds=(tests fuzz)
report=(--gaps "$root/ci/coverage_gaps.txt" --need 98 92)

usage()
{
    cat <<END
usage: ci/coverage.sh [--tests | --fuzz | --both | --report] [--no-gate] [FILE…]

  --tests    only the tests (suites ${suites[*]}; ${programs[*]});
             what fuzzing ran before stays
  --fuzz     only the fuzz targets: their corpus, and $random_inputs inputs of a fixed seed
  --both     both (the default)
  --report   neither: the figures of what was recorded
  --no-gate  figures only: no status 1 below 98 % of the lines or 92 % of the branches, or when
             ci/coverage_gaps.txt excuses what is run
  FILE       prints each line and branch of FILE (lib/…) that is not run

Everything is in build/coverage; missed.txt there lists all that is not run. Needs the packages
clang-$llvm and llvm-$llvm (\$COVERAGE_LLVM names another version). Counters are mapped from a file
from the start on, so what a process ran counts however it ends.
END
}

missed=()
parse()
{
    local argument
    for argument in "$@"; do
        case $argument in
        -h | --help) usage && exit 0 ;;
        --tests) kinds=(tests) ;;
        --fuzz) kinds=(fuzz) ;;
        --both) kinds=(tests fuzz) ;;
        --report) kinds=() ;;
        --no-gate) report=() ;;
        -*) usage >&2 && exit 2 ;;
        *) missed+=("$argument") ;;
        esac
    done
}

compile_early() # NAME OPTION…
{
    logged coverage_early.c "clang-$llvm" -O2 -fPIC "${@:2}" -c "$root/ci/coverage_early.c" \
        -o "$build/$1.o"
}

# Constructors run in the order of these: ours, the runtime's, ours.
link_flags()
{
    local builtins
    builtins=$("clang-$llvm" --rtlib=compiler-rt -print-libgcc-file-name)
    printf '%s ' -Wl,-u,__llvm_profile_runtime "$build/keep.o" "${builtins/builtins/profile}" \
        "$build/add.o" -fprofile-instr-generate
}

# The pattern goes into the programs, since the tests clear their environment. %m: one file for a
# program, however many processes run it; %c: a mapping of it holds the counters.
configure()
{
    local flags="-fprofile-instr-generate=$build/profiles/%m%c.profraw -fcoverage-mapping"
    flags+=" -mllvm -runtime-counter-relocation -fprofile-update=atomic -Wno-unknown-pragmas"
    [ ! -e "$build/build.ninja" ] || return 0
    mkdir -p "$build"
    printf '%s\n' "$llvm" >"$build/llvm-version"
    compile_early keep -DBEFORE_RUNTIME
    compile_early add
    CC=clang-$llvm logged "meson setup" meson setup "$build" "$root" -Dtests=true -Dwerror=false \
        -Dc_args="$flags" -Dc_link_args="$(link_flags)"
}

# The suite of the command runs it as another user too: the files that it counts in are made before
# that, for all to write to.
open_counters()
{
    local name
    for name in spanguard spanguard-symbolize; do
        [ ! -x "$build/$name" ] || "$build/$name" --help </dev/null >/dev/null 2>&1 || true
    done
    LD_PRELOAD=$build/libspanguard.so true
    chmod -R a+rwX "$build/profiles"
}

# A test that fails here for the compiler's sake is no failure of the coverage: it is said.
run_tests()
{
    local log=$build/tests.log
    open_counters
    meson test -C "$build" --no-rebuild "${suites[@]/#/--suite=}" </dev/null >"$log" 2>&1 ||
        say "some tests failed under coverage: see $log"
    meson test -C "$build" --no-rebuild "${programs[@]}" </dev/null >>"$log" 2>&1 ||
        say "some tests failed under coverage: see $log"
}

run_fuzz()
{
    local program name
    for program in "$build"/fuzz/fuzz_*_replay; do
        name=${program##*/fuzz_}
        name=${name%_replay}
        timeout 600 "$program" "$root/fuzz/corpus/$name" --random 1 "$random_inputs" \
            </dev/null >"$build/fuzz-$name.log" 2>&1 ||
            say "fuzz target $name failed under coverage: see $build/fuzz-$name.log"
    done
}

# Runs what records, and keeps what it recorded apart.
record() # KIND
{
    rm -rf "$build/profiles" "$build/recorded/$1"
    mkdir -p "$build/profiles" "$build/recorded"
    "run_$1"
    mv "$build/profiles" "$build/recorded/$1"
    mkdir "$build/profiles"
}

main()
{
    local kind
    parse "$@"
    open_log
    configure
    logged "the build" ninja -C "$build"
    close_log
    for kind in "${kinds[@]}"; do
        record "$kind"
    done
    "$root/ci/coverage_report.py" --build "$build" "${report[@]}" --missed "${missed[@]}"
}

main "$@"
