#!/usr/bin/env bash
# Proves that the harness can fail: plants one defect at a time in a copy of the tree and counts
# the random inputs until it is found. Prints a table; status 1 if a defect survives, if the tree
# without one fails, or if a plant no longer fits the source.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tree=$folder/tree
seconds=60
survivors=0

# Each: name | file | sed script. The script must change the file.
plants()
{
    cat <<'END'
class off by one at one edge|lib/span/size_class.h|s|return (bytes + 15) / 16;|return (bytes + 15 - (bytes == 497)) / 16;|
large class off by one at one edge|lib/span/size_class.h|s|by_1024\[(bytes + 1023) / 1024\]|by_1024[(bytes + 1023 - (bytes == 131073)) / 1024]|
calloc trusts a dirty run|lib/page_cache/page_cache.c|s|\*ret_zeroed = kind == RUN_CLEAN;|*ret_zeroed = true;|
calloc trusts a page that was used|lib/central_cache/central_span.c|s|return (before & pages) == pages \&\& slot|return slot|
realloc loses the last byte|lib/pool/pool.c|s|bytes < old_bytes ? bytes : old_bytes|bytes < old_bytes ? bytes - 1 : old_bytes|
failed realloc frees the block|lib/pool/pool.c|/void \*moved/,/return NULL/s|return NULL;|return free_block(\&block, object, function), NULL;|
page map stale after a merge|lib/page_cache/page_cache.c|/^static void merge/,/^}/{/upper->slots.base, 1/d}
page map stale after growing in place|lib/page_cache/page_cache.c|/^static void absorb/,/^}/{/sg_page_map_set/d}
a span with few free slots is not listed|lib/central_cache/central_list.c|s|span->free_slots == 0 ? MARK|fullness == 0 ? MARK|
a swept span is not listed again|lib/central_cache/central_sweep.c|/^static struct span \*attach/,/^}/s|sg_central_relist(list, span);|;|
a sweep forgets who crosses its end|lib/central_cache/central_sweep.c|s|size_t last = (end - 1 - span|size_t last = (end - slot_bytes - span|
a drain forgets the last class|lib/thread_cache/thread_cache.c|/^void sg_thread_cache_drain/,/^}/s|class < CLASS_COUNT|class < CLASS_COUNT - 1|
aligned beyond a page by half|lib/span/size_class.h|s|bytes > PAGE_BYTES ? bytes / PAGE_BYTES|bytes > PAGE_BYTES ? bytes / PAGE_BYTES / 2|
true size of 256 KiB is refused|lib/pool/pool.c|s|stated.bytes > SMALL_MAX_BYTES|stated.bytes >= SMALL_MAX_BYTES|
pages of a huge size wrap around|lib/base/units.h|s|return (bytes >> PAGE_SHIFT) + .*|return (uint32_t)((bytes + PAGE_BYTES - 1) >> PAGE_SHIFT);|
shrinking leaks the record of the rest|lib/span/span.c|/^void sg_span_destroy/,/^}/s|^    sg_object_pool_give|    if (span->pages != 7) sg_object_pool_give|
large blocks are not counted down|lib/page_cache/large.c|/^bool sg_large_give/,/^}/{/atomic_fetch_sub/d}
END
}

build()
{
    if [ ! -e "$folder/build/build.ninja" ]; then
        meson setup -Dtests=true -Dwerror=false "$folder/build" "$tree" >"$folder/log" 2>&1 ||
            { cat "$folder/log" >&2 && exit 1; }
    fi
    ninja -C "$folder/build" fuzz/fuzz_pool_replay >"$folder/log" 2>&1
}

# What the harness or the allocator said; else the way the process ended.
oracle() # STATUS
{
    local line
    line=$(grep -aE '^(fuzz: |spanguard\[)' "$folder/said" | head -n 1 | cut -c 1-110) || true
    echo "${line:-nothing: status $1}" | sed -E 's/: call [0-9]+, slot [0-9]+$//; s/0x[0-9a-f]+/ADDRESS/g'
}

try() # NAME
{
    local status=0 found start=$SECONDS
    # In braces, so that the shell's own word about the death goes to the file too.
    { timeout "$seconds" "$folder/build/fuzz/fuzz_pool_replay" --random 1 1000000000; } \
        >"$folder/said" 2>&1 || status=$?
    found=$(sed -n 's/^died of random input \([0-9]*\) .*/\1/p' "$folder/said")
    if [ -n "$found" ]; then
        printf '%-42s | %6d | %3d s | %s\n' "$1" "$((found + 1))" "$((SECONDS - start))" \
            "$(oracle "$status")"
    else
        printf '%-42s | %6s | %3d s | NOT FOUND, status %d\n' "$1" - "$((SECONDS - start))" "$status"
        survivors=$((survivors + 1))
    fi
}

# The tree as it is must pass, or nothing that follows means anything.
try_without_plant()
{
    build || { cat "$folder/log" >&2 && exit 1; }
    "$folder/build/fuzz/fuzz_pool_replay" --random 1 1000 >"$folder/said" 2>&1 ||
        { cat "$folder/said" >&2 && exit 1; }
    printf '%-42s | %6s | %5s | %s\n' "planted" "inputs" "time" "what was said"
    printf '%-42s | %6s | %5s | %s\n' "nothing" "1000" "" "passes"
}

try_plant() # NAME FILE SCRIPT
{
    cp "$tree/$2" "$folder/original"
    sed -i "$3" "$tree/$2"
    if cmp -s "$tree/$2" "$folder/original"; then
        printf '%-42s | the plant does not fit %s\n' "$1" "$2"
        survivors=$((survivors + 1))
    elif ! build; then
        printf '%-42s | does not compile\n' "$1"
        tail -n 20 "$folder/log" >&2
        survivors=$((survivors + 1))
    else
        try "$1"
    fi
    cp "$folder/original" "$tree/$2"
}

main()
{
    local name file script
    mkdir "$tree"
    tar -C "$root" --exclude=./build --exclude=./.git -cf - . | tar -C "$tree" -xf -
    try_without_plant
    while IFS='|' read -r name file script; do
        try_plant "$name" "$file" "$script"
    done < <(plants)
    [ "$survivors" -eq 0 ]
}

main
