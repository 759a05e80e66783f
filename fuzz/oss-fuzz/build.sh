#!/usr/bin/env bash
# Builds each fuzz target as OSS-Fuzz and ClusterFuzzLite want it: with $CC, $CFLAGS and
# $LIB_FUZZING_ENGINE, into $OUT, its corpus and its options beside it. $WORK keeps the objects.
set -euo pipefail

root=$PWD
[ -f "$root/fuzz/oss-fuzz/build.sh" ] || root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
: "${CC:?}" "${CXX:?}" "${LIB_FUZZING_ENGINE:?}" "${OUT:?}" "${WORK:?}"

# Meson only says what a target consists of; its own flags for sanitizers are not those wanted here.
rm -rf "$WORK/meson"
env -u CFLAGS -u CXXFLAGS -u LDFLAGS CC="$CC" meson setup -Dtests=true "$WORK/meson" "$root" \
    >"$WORK/meson.log" || { tail -n 20 "$WORK/meson.log" >&2 && exit 1; }
"$root/fuzz/oss-fuzz/build_targets.py" "$WORK/meson" "$OUT"

for corpus in "$root"/fuzz/corpus/*/; do
    name=fuzz_$(basename "$corpus")
    [ -x "$OUT/$name" ] || continue
    (cd "$corpus" && python3 -m zipfile -c "$OUT/${name}_seed_corpus.zip" ./*)
    printf '[libfuzzer]\nlen_control = 0\nmax_len = 8192\ntimeout = 25\n' >"$OUT/$name.options"
    [ ! -e "$root/fuzz/${name#fuzz_}.dict" ] ||
        cp "$root/fuzz/${name#fuzz_}.dict" "$OUT/$name.dict"
done
