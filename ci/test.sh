#!/usr/bin/env bash
# Installs what the tests need, builds everything, runs the tests and counts them. Its last line
# is "N passed, N failed, N skipped"; ci/count_tap.py says what counts as which.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage()
{
    cat <<END
usage: ci/test.sh [--quick] [SUITE…]

Runs the tests of the named suites, or all. Packages that the tests need and this machine lacks
are installed first (as root, or through sudo): ci/packages.txt and tests/*/packages.txt.
A suite without a test fails; so does a folder of tests/ with tests that no suite is named after.

  --quick    leaves out the suite "slow", and sets SPANGUARD_QUICK=1 for tests that can do less

Skipped tests are listed with their reasons, failed ones with their output. The last line is
"N passed, N failed, N skipped". Status: 0 if nothing failed, 1 if something did, 2 usage.
END
}

suites=()
selection=()
has_installed=
parse()
{
    local argument
    for argument in "$@"; do
        case $argument in
        -h | --help)
            usage
            exit 0
            ;;
        --quick)
            selection+=(--no-suite slow)
            export SPANGUARD_QUICK=1
            ;;
        -*)
            usage >&2
            exit 2
            ;;
        *)
            suites+=("$argument")
            selection+=(--suite "$argument")
            ;;
        esac
    done
}

# Runs one stage and says how long it took.
stage() # NAME FUNCTION
{
    local start=$SECONDS
    "$2"
    printf '== %-8s %4d s\n' "$1" "$((SECONDS - start))"
}

install_all()
{
    local wanted missing tools
    shopt -s nullglob
    wanted=$(cat "$root"/ci/packages.txt "$root"/tests/*/packages.txt |
        sed 's/#.*//' | tr -s '[:space:]' '\n' | sort -u)
    # shellcheck disable=SC2086 # one word is one package
    mapfile -t missing < <(missing_packages $wanted)
    mapfile -t tools < <(missing_build_tools)
    install_packages "${missing[@]}" "${tools[@]}"
    [ "${#missing[@]}" -eq 0 ] || has_installed=1
}

# A build that was set up before the packages came (by run.sh) lacks what needs them: meson asks
# once for a header, and keeps the answer. It asks again, with the options that the build had.
forget_answers()
{
    local options
    mapfile -t options < <(sed -n '/^\[options\]/,/^$/s/^\([a-z_]*\) = /-D\1=/p' \
        "$build/meson-private/cmd_line.txt")
    rm -f "$build/meson-private/coredata.dat"
    logged "meson setup" meson setup "$build" "$root" "${options[@]}"
}

# Tests may have been left out when run.sh configured the build.
configure()
{
    if [ -n "$has_installed" ] && is_configured; then
        forget_answers
    fi
    is_configured || logged "meson setup" meson setup "$build" "$root" -Dtests=true
    if ! meson introspect "$build" --buildoptions | tests_are_on; then
        logged "meson configure" meson configure "$build" -Dtests=true
    fi
}

tests_are_on()
{
    /usr/bin/python3 -c '
import json, sys
print(*(row["value"] for row in json.load(sys.stdin) if row["name"] == "tests"))' |
        grep -qx True
}

compile()
{
    logged "the build" ninja -C "$build"
}

# The suites that must have a test: those that were named, or one for each folder with tests.
required_suites()
{
    local file
    if [ "${#suites[@]}" -gt 0 ]; then
        printf '%s\n' "${suites[@]}"
        return
    fi
    for file in "$root"/tests/*/run.py "$root"/tests/*/meson.build; do
        [ ! -e "$file" ] || basename "$(dirname "$file")"
    done
}

# Meson's own verdict is not used: count_tap.py reads the log that it leaves.
run_tests()
{
    rm -f "$build"/meson-logs/testlog.json
    meson test -C "$build" --no-rebuild --list "${selection[@]}" >"$build/meson-logs/expected.txt"
    meson test -C "$build" --no-rebuild "${selection[@]}" </dev/null || true
}

main()
{
    local required
    parse "$@"
    mapfile -t required < <(required_suites)
    open_log
    lock_tree
    stage packages install_all
    stage setup configure
    stage build compile
    unlock_tree
    close_log

    # Two runs would write the same log. The tests may call run.sh, which takes the other lock.
    exec 8<"$build/meson-logs"
    flock 8
    stage tests run_tests 8<&-
    "$root/ci/count_tap.py" "$build/meson-logs/testlog.json" "$build/meson-logs/expected.txt" \
        "$build/meson-info/intro-tests.json" "${required[@]}"
}

main "$@"
