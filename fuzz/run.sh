#!/usr/bin/env bash
# Builds a target with clang's libFuzzer in a build folder of its own and runs it for a while.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build=${FUZZ_BUILD:-$root/build/libfuzzer}

usage()
{
    cat >&2 <<END
usage: fuzz/run.sh TARGET SECONDS [LIBFUZZER-OPTION…]

TARGET is pool. Needs the packages clang-14 and libclang-rt-14-dev. One process. New inputs go to
corpus-TARGET in build/libfuzzer (or \$FUZZ_BUILD), failing ones there to crash-*; the status is
that of libFuzzer, 0 if none was found.
END
    exit 2
}

main()
{
    local target=${1-} seconds=${2-}
    [[ -d $root/fuzz/corpus/$target && $target != "" && $seconds =~ ^[1-9][0-9]*$ ]] || usage
    shift 2
    if [ ! -e "$build/build.ninja" ]; then
        mkdir -p "$build"
        CC=clang-14 meson setup -Dtests=true "$build" "$root" >"$build/setup.log" ||
            { tail -n 20 "$build/setup.log" >&2 && exit 1; }
    fi
    ninja -C "$build" "fuzz/fuzz_$target" >"$build/build.log" ||
        { tail -n 40 "$build/build.log" >&2 && exit 1; }
    mkdir -p "$build/corpus-$target"
    "$build/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=4104 -len_control=0 \
        -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$build/" "$@" \
        "$build/corpus-$target" "$root/fuzz/corpus/$target"
}

main "$@"
