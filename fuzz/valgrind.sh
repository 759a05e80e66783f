#!/usr/bin/env bash
# Replays a part of each corpus under memcheck, helgrind and DRD, in builds that tell them of our
# locks and atomics (lib/base/annotate.h). Status 1 if one of them finds anything. As TAP.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build=$root/build/valgrind
seconds=60
slice=6 # inputs of one process: each starts valgrind anew
tools=(memcheck helgrind drd)
targets=()

usage()
{
    cat <<END
usage: fuzz/valgrind.sh [--seconds N] [--tool memcheck|helgrind|drd] [TARGET…]

For N seconds in all (60), shared by the tools and the targets (all with a corpus): the shortest
inputs first. At least $slice inputs of each. Builds into build/valgrind; needs gcc and valgrind.
END
}

parse()
{
    while [ $# -gt 0 ]; do
        case $1 in
        -h | --help) usage && exit 0 ;;
        --seconds) seconds=${2:?} && shift ;;
        --tool) tools=("${2:?}") && shift ;;
        -*) usage >&2 && exit 2 ;;
        *) targets+=("$1") ;;
        esac
        shift
    done
    [ "${#targets[@]}" -gt 0 ] || mapfile -t targets < <(cd "$root/fuzz/corpus" && printf '%s\n' *)
}

# DRD's requests and helgrind's exclude each other: a build each. Valgrind 3.19 wants DWARF 4.
folder_of() # TOOL
{
    case $1 in
    drd) echo "$build/drd" ;;
    *) echo "$build/helgrind" ;;
    esac
}

build_for() # TOOL
{
    local folder log target programs=() program flags="-gdwarf-4 -DSG_VALGRIND"
    folder=$(folder_of "$1") log=$build/build.log
    [ "$1" != drd ] || flags+=" -DSG_VALGRIND_DRD"
    mkdir -p "$folder"
    if [ ! -e "$folder/build.ninja" ]; then
        CC=gcc meson setup "$folder" "$root" -Dtests=true -Dc_args="$flags" >"$log" 2>&1 ||
            { tail -n 20 "$log" >&2 && exit 1; }
    fi
    ninja -C "$folder" build.ninja >"$log" 2>&1 || { tail -n 20 "$log" >&2 && exit 1; }
    for target in "${targets[@]}"; do
        program=fuzz/fuzz_${target}_replay
        grep -q "^build $program:" "$folder/build.ninja" && programs+=("$program")
    done
    ninja -C "$folder" "${programs[@]}" >"$log" 2>&1 ||
        { tail -n 20 "$log" >&2 && exit 1; }
}

checked() # TOOL PROGRAM FILE…
{
    local options=(--error-exitcode=99 -q --num-callers=20)
    [ "$1" != memcheck ] || options+=(--leak-check=no)
    timeout 200 valgrind --tool="$1" "${options[@]}" "${@:2}" 2>&1
}

replay() # TOOL TARGET SECONDS
{
    local program files output done=0 end=$((SECONDS + $3))
    program=$(folder_of "$1")/fuzz/fuzz_${2}_replay
    mapfile -t files < <(find "$root/fuzz/corpus/$2" -type f -printf '%s %p\n' | sort -n |
        cut -d' ' -f2-)
    while [ "$done" -lt "${#files[@]}" ]; do
        output=$(checked "$1" "$program" "${files[@]:done:slice}") || {
            printf '%s\n' "$output" | head -n 60 | sed 's/^/# /'
            return 1
        }
        done=$((done + slice))
        [ "$SECONDS" -lt "$end" ] || break
    done
    echo "# $((done < ${#files[@]} ? done : ${#files[@]})) of ${#files[@]} inputs"
}

main()
{
    local tool target number=0 failed=0 share
    parse "$@"
    share=$((seconds / (${#tools[@]} * ${#targets[@]})))
    mkdir -p "$build"
    for tool in "${tools[@]}"; do
        build_for "$tool"
        for target in "${targets[@]}"; do
            [ -x "$(folder_of "$tool")/fuzz/fuzz_${target}_replay" ] || continue # a corpus alone
            number=$((number + 1))
            if replay "$tool" "$target" "$share"; then
                echo "ok $number - $tool finds nothing in $target"
            else
                echo "not ok $number - $tool finds nothing in $target"
                failed=1
            fi
        done
    done
    echo "1..$number"
    return "$((failed || number == 0))"
}

main "$@"
