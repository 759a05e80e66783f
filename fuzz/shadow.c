#include "shadow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer blocks are looked at in pieces: up to which length one piece for each step. */
#define DENSE_BYTES_MAX (1 * KIB)
#define NEAR_BYTES_MAX (8 * KIB)
#define NEAR_STEP_BYTES (1 * KIB)
#define PAGES_BYTES_MAX (128 * KIB)
#define PAGES_STEP_BYTES (4 * KIB)
#define FAR_STEP_BYTES (64 * KIB)
#define PIECE_BYTES ((size_t)64)

static unsigned call_number;

void shadow_note_call(unsigned number)
{
    call_number = number;
}

void shadow_fail(const char *oracle, unsigned slot)
{
    fprintf(stderr, "fuzz: %s: call %u, slot %u\n", oracle, call_number, slot);
    abort();
}

void shadow_start(struct shadow *shadow, bool is_dense)
{
    *shadow = (struct shadow){.is_dense = is_dense};
}

/* A part of a block, by offsets. */
struct piece {
    size_t from;
    size_t end;
};

static size_t step_of(const struct shadow *shadow, size_t bytes)
{
    if (shadow->is_dense || bytes <= DENSE_BYTES_MAX)
        return 0; /* all of it is one piece */
    if (bytes <= NEAR_BYTES_MAX)
        return NEAR_STEP_BYTES;
    return bytes <= PAGES_BYTES_MAX ? PAGES_STEP_BYTES : FAR_STEP_BYTES;
}

/* The first piece that starts at or after `from`; empty at the end. Its first and last bytes, and
 * the bytes behind addresses that are multiples of a step: the same ones for every block there, so
 * that what one leaves behind is seen through the next. */
static struct piece piece_at(const struct shadow *shadow, const struct shadow_block *block,
                             size_t from)
{
    size_t bytes = block->filled_bytes;
    size_t step = step_of(shadow, bytes);
    size_t last = bytes < PIECE_BYTES ? 0 : bytes - PIECE_BYTES;

    if (from >= bytes)
        return (struct piece){bytes, bytes};
    if (step == 0)
        return (struct piece){from, bytes};
    if (from == 0)
        return (struct piece){0, PIECE_BYTES};

    size_t start = from + (step - ((uintptr_t)block->address + from) % step) % step;
    if (start > last)
        start = from > last ? bytes : last;
    return (struct piece){start, start + PIECE_BYTES < bytes ? start + PIECE_BYTES : bytes};
}

#define PATTERN_STEP 0x9e3779b97f4a7c15u

typedef uint64_t two_words __attribute__((vector_size(16), aligned(1), may_alias));

/* The eight bytes at `offset`, a multiple of eight, of the pattern. */
static uint64_t word_of(uint64_t key, size_t offset)
{
    return key + offset / 8 * PATTERN_STEP;
}

static uint8_t byte_of(uint64_t key, size_t offset)
{
    return (uint8_t)(word_of(key, offset & ~(size_t)7) >> offset % 8 * 8);
}

static two_words words_of(uint64_t key, size_t offset)
{
    return (two_words){word_of(key, offset), word_of(key, offset + 8)};
}

/* Up to where single bytes must be looked at before words can be. */
static size_t word_start(struct piece piece)
{
    size_t start = (piece.from + 7) & ~(size_t)7;

    return start < piece.end ? start : piece.end;
}

static void fill_piece(const struct shadow_block *block, struct piece piece)
{
    const two_words step = {2 * PATTERN_STEP, 2 * PATTERN_STEP};
    size_t offset = piece.from;

    for (; offset < word_start(piece); offset++)
        block->address[offset] = (char)byte_of(block->key, offset);
    for (two_words words = words_of(block->key, offset); offset + 16 <= piece.end; offset += 16) {
        *(two_words *)(void *)(block->address + offset) = words;
        words += step;
    }
    for (; offset < piece.end; offset++)
        block->address[offset] = (char)byte_of(block->key, offset);
}

/* Whether the bytes of the piece, now at `address`, are those of the block's pattern. */
static bool piece_is_whole(const struct shadow_block *block, struct piece piece,
                           const char *address)
{
    const two_words step = {2 * PATTERN_STEP, 2 * PATTERN_STEP};
    two_words wrong = {0, 0};
    size_t offset = piece.from;

    for (; offset < word_start(piece); offset++)
        if ((uint8_t)address[offset] != byte_of(block->key, offset))
            return false;
    for (two_words words = words_of(block->key, offset); offset + 16 <= piece.end; offset += 16) {
        wrong |= words ^ *(const two_words *)(const void *)(address + offset);
        words += step;
    }
    for (; offset < piece.end; offset++)
        if ((uint8_t)address[offset] != byte_of(block->key, offset))
            return false;
    return (wrong[0] | wrong[1]) == 0;
}

static bool piece_is_zero(const struct shadow_block *block, struct piece piece)
{
    const char *bytes = block->address + piece.from;
    size_t count = piece.end - piece.from;

    /* The first is zero and each is like the next. */
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0;
}

static void fill(struct shadow *shadow, unsigned slot, size_t bytes)
{
    struct shadow_block *block = &shadow->blocks[slot];

    block->key = (slot + OPS_SLOTS * ++shadow->generation) * 0xd6e8feb86659fd93u;
    block->key ^= block->key >> 29; /* so that all its bytes depend on the generation */
    block->filled_bytes = bytes;
    for (struct piece piece = piece_at(shadow, block, 0); piece.from < bytes;
         piece = piece_at(shadow, block, piece.end))
        fill_piece(block, piece);
}

static void require_zero(const struct shadow *shadow, unsigned slot)
{
    struct shadow_block block = shadow->blocks[slot];

    block.filled_bytes = block.bytes;
    for (struct piece piece = piece_at(shadow, &block, 0); piece.from < block.bytes;
         piece = piece_at(shadow, &block, piece.end))
        if (!piece_is_zero(&block, piece))
            shadow_fail("calloc is not zero", slot);
}

/* Also blocks of no bytes have addresses of their own. */
static size_t extent(const struct shadow_block *block)
{
    return block->usable_bytes == 0 ? 1 : block->usable_bytes;
}

static void require_apart(const struct shadow *shadow, unsigned slot)
{
    const struct shadow_block *block = &shadow->blocks[slot];

    for (unsigned i = 0; i < OPS_SLOTS; i++) {
        const struct shadow_block *other = &shadow->blocks[i];

        if (i != slot && other->address != NULL &&
            block->address < other->address + extent(other) &&
            other->address < block->address + extent(block))
            shadow_fail("live blocks overlap", slot);
    }
}

static void admit(struct shadow *shadow, const struct call *call, struct answer answer)
{
    size_t alignment = call->alignment > MIN_ALIGNMENT ? call->alignment : MIN_ALIGNMENT;

    if (call->must_fail)
        shadow_fail("an impossible size was had", call->slot);
    if ((uintptr_t)answer.address % alignment != 0)
        shadow_fail("misaligned", call->slot);
    if (answer.usable_bytes < call->bytes)
        shadow_fail("usable is less than asked for", call->slot);
    shadow->blocks[call->slot] = (struct shadow_block){
        .address = answer.address,
        .bytes = call->bytes,
        .usable_bytes = answer.usable_bytes,
        .maker = call->maker,
    };
    require_apart(shadow, call->slot);
}

void shadow_give(struct shadow *shadow, const struct call *call, struct answer answer)
{
    if (answer.address == NULL) {
        if (!call->must_fail)
            shadow_fail("out of memory", call->slot);
        return;
    }
    admit(shadow, call, answer);
    if (call->kind == CALL_CALLOC)
        require_zero(shadow, call->slot);
    fill(shadow, call->slot, call->bytes);
}

static struct piece end_of_kept(const struct shadow_block *block, size_t bytes)
{
    size_t kept = bytes < block->filled_bytes ? bytes : block->filled_bytes;

    return (struct piece){kept < PIECE_BYTES ? 0 : kept - PIECE_BYTES, kept};
}

void shadow_prepare_move(struct shadow *shadow, const struct call *call)
{
    const struct shadow_block *block = &shadow->blocks[call->slot];

    shadow_verify(shadow, call->slot);
    fill_piece(block, end_of_kept(block, call->bytes));
}

static void require_kept(const struct shadow *shadow, const struct shadow_block *before,
                         const struct call *call, const char *address)
{
    struct piece end = end_of_kept(before, call->bytes);

    if (!piece_is_whole(before, end, address))
        shadow_fail("realloc lost the last bytes", call->slot);
    for (struct piece piece = piece_at(shadow, before, 0); piece.from < end.end;
         piece = piece_at(shadow, before, piece.end)) {
        struct piece kept = {piece.from, piece.end < end.end ? piece.end : end.end};

        if (!piece_is_whole(before, kept, address))
            shadow_fail("realloc lost contents", call->slot);
    }
}

void shadow_move(struct shadow *shadow, const struct call *call, struct answer answer)
{
    struct shadow_block before = shadow->blocks[call->slot];

    if (answer.address == NULL) {
        if (!call->must_fail)
            shadow_fail("out of memory", call->slot);
        shadow_verify(shadow, call->slot); /* as it was */
        return;
    }
    admit(shadow, call, answer);
    require_kept(shadow, &before, call, answer.address);
    fill(shadow, call->slot, call->bytes);
}

void shadow_fill_usable(struct shadow *shadow, unsigned slot)
{
    shadow_verify(shadow, slot);
    fill(shadow, slot, shadow->blocks[slot].usable_bytes);
}

void shadow_verify(const struct shadow *shadow, unsigned slot)
{
    const struct shadow_block *block = &shadow->blocks[slot];

    for (struct piece piece = piece_at(shadow, block, 0); piece.from < block->filled_bytes;
         piece = piece_at(shadow, block, piece.end))
        if (!piece_is_whole(block, piece, block->address))
            shadow_fail("contents changed", slot);
}

void *shadow_take(struct shadow *shadow, unsigned slot)
{
    void *address = shadow->blocks[slot].address;

    shadow_verify(shadow, slot);
    shadow->blocks[slot] = (struct shadow_block){.address = NULL};
    return address;
}
