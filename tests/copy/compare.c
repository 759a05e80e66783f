/* Every function of the preloaded library against plain loops, and on the same random inputs:
 * lengths, alignments, overlap where the function allows it. usage: compare SEED ROUNDS */
#include "calls.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOM 20000u

static unsigned char start[ROOM], expected[ROOM], arena[ROOM] __attribute__((aligned(64)));
static uint64_t state;

static size_t below(size_t limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state % limit);
}

/* What one call is about; all in bytes, from the start of the arena. */
struct inputs {
    size_t to, from, bytes, length, target_length, unit;
};

static void plain_move(size_t to, size_t from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        expected[to + i] = start[from + i];
}

static void plain_fill(size_t to, int value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        expected[to + i] = (unsigned char)value;
}

static size_t least(size_t one, size_t other)
{
    return one < other ? one : other;
}

static void plain_wide_fill(size_t to, size_t bytes)
{
    plain_fill(to, 0, bytes);
    for (size_t i = 0; i < bytes; i += 4)
        expected[to + i] = 0x61;
}

/* Moves, then `unit` zero bytes; for the string functions. */
static void plain_string(size_t to, const struct inputs *in, size_t bytes)
{
    plain_move(to, in->from, bytes);
    plain_fill(to + bytes, 0, in->unit);
}

static void plain_padded(const struct inputs *in)
{
    size_t moved = least(in->length, in->bytes);

    plain_move(in->to, in->from, moved);
    plain_fill(in->to + moved, 0, in->bytes - moved);
}

#define TO ((void *)(arena + in->to))
#define FROM ((const void *)(arena + in->from))
#define COUNT (in->bytes / in->unit)
#define MOVED plain_move(in->to, in->from, in->bytes)
#define APPENDED(most) plain_string(in->to + in->target_length, in, least(in->length, most))
#define STRING_END (in->to + in->length)
#define PADDED_END (in->to + least(in->length, in->bytes))
#define BYTES_END (in->to + in->bytes)

/* name, unit, is a string function, call, plain loop, offset that comes back */
#define PAIRS(X)                                                                                   \
    X(memcpy, 1, false, memcpy(TO, FROM, COUNT), MOVED, in->to)                                    \
    X(memmove, 1, false, memmove(TO, FROM, COUNT), MOVED, in->to)                                  \
    X(mempcpy, 1, false, mempcpy(TO, FROM, COUNT), MOVED, BYTES_END)                               \
    X(bcopy, 1, false, (bcopy(FROM, TO, COUNT), TO), MOVED, in->to)                                \
    X(wmemcpy, 4, false, wmemcpy(TO, FROM, COUNT), MOVED, in->to)                                  \
    X(wmemmove, 4, false, wmemmove(TO, FROM, COUNT), MOVED, in->to)                                \
    X(wmempcpy, 4, false, wmempcpy(TO, FROM, COUNT), MOVED, BYTES_END)                             \
    X(memset, 1, false, memset(TO, 0x1a5, COUNT), plain_fill(in->to, 0xa5, in->bytes), in->to)     \
    X(bzero, 1, false, (bzero(TO, COUNT), TO), plain_fill(in->to, 0, in->bytes), in->to)           \
    X(explicit_bzero, 1, false, (explicit_bzero(TO, COUNT), TO), plain_fill(in->to, 0, in->bytes), \
      in->to)                                                                                      \
    X(wmemset, 4, false, wmemset(TO, 0x61, COUNT), plain_wide_fill(in->to, in->bytes), in->to)     \
    X(memccpy, 1, true, memccpy(TO, FROM, 0, COUNT),                                               \
      plain_move(in->to, in->from, least(in->length + 1, in->bytes)),                              \
      in->length < in->bytes ? STRING_END + 1 : SIZE_MAX)                                          \
    X(strcpy, 1, true, strcpy(TO, FROM), plain_string(in->to, in, in->length), in->to)             \
    X(stpcpy, 1, true, stpcpy(TO, FROM), plain_string(in->to, in, in->length), STRING_END)         \
    X(strncpy, 1, true, strncpy(TO, FROM, COUNT), plain_padded(in), in->to)                        \
    X(stpncpy, 1, true, stpncpy(TO, FROM, COUNT), plain_padded(in), PADDED_END)                    \
    X(strcat, 1, true, strcat(TO, FROM), APPENDED(SIZE_MAX), in->to)                               \
    X(strncat, 1, true, strncat(TO, FROM, COUNT), APPENDED(in->bytes), in->to)                     \
    X(wcscpy, 4, true, wcscpy(TO, FROM), plain_string(in->to, in, in->length), in->to)             \
    X(wcpcpy, 4, true, wcpcpy(TO, FROM), plain_string(in->to, in, in->length), STRING_END)         \
    X(wcsncpy, 4, true, wcsncpy(TO, FROM, COUNT), plain_padded(in), in->to)                        \
    X(wcpncpy, 4, true, wcpncpy(TO, FROM, COUNT), plain_padded(in), PADDED_END)                    \
    X(wcscat, 4, true, wcscat(TO, FROM), APPENDED(SIZE_MAX), in->to)                               \
    X(wcsncat, 4, true, wcsncat(TO, FROM, COUNT), APPENDED(in->bytes), in->to)

#define PAIR(name, unit, strings, call, plain, back)                                               \
    static __attribute__((noinline)) void *call_##name(const struct inputs *in)                    \
    {                                                                                              \
        return call;                                                                               \
    }                                                                                              \
    static size_t plain_##name(const struct inputs *in)                                            \
    {                                                                                              \
        plain;                                                                                     \
        return back;                                                                               \
    }
PAIRS(PAIR)

static const struct pair {
    const char *name;
    size_t unit;
    bool strings;
    void *(*call)(const struct inputs *in);
    size_t (*plain)(const struct inputs *in);
} pairs[] = {
#define ROW(name, unit, strings, call, plain, back)                                                \
    {#name, unit, strings, call_##name, plain_##name},
    PAIRS(ROW)};

/* Mostly short, at times long enough for every loop. */
static size_t any_bytes(void)
{
    static const size_t limits[] = {17, 70, 300, 1100, 6000};

    return below(limits[below(5)]);
}

/* Strings lie apart; blocks anywhere, often one over the other. */
static struct inputs choose(const struct pair *pair)
{
    size_t unit = pair->unit;
    struct inputs in = {.to = 100 + unit * below(80),
                        .bytes = any_bytes() / unit * unit,
                        .length = any_bytes() / unit * unit,
                        .unit = unit};

    in.from = pair->strings ? 13000 / unit * unit + unit * below(64)
                            : in.to + unit * below(2 * in.bytes / unit + 65);
    if (!pair->strings && below(2) == 0) {
        size_t other = in.from;

        in.from = in.to;
        in.to = other;
    }
    in.target_length = below(200) / unit * unit;
    return in;
}

static void prepare(const struct pair *pair, const struct inputs *in)
{
    for (size_t i = 0; i < ROOM; i++)
        start[i] = (unsigned char)(1 + below(255));
    for (size_t i = 0; pair->strings && i < in->unit; i++)
        start[in->from + in->length + i] = start[in->to + in->target_length + i] = 0;
    for (size_t i = 0; i < ROOM; i++)
        arena[i] = expected[i] = start[i];
}

static bool try(const struct pair *pair, const struct inputs *in)
{
    prepare(pair, in);
    size_t back = pair->plain(in);
    unsigned char *found = pair->call(in);
    bool same = found == (back == SIZE_MAX ? NULL : arena + back);

    for (size_t i = 0; i < ROOM; i++)
        same = same && arena[i] == expected[i];
    if (!same)
        printf("# to %zu from %zu bytes %zu length %zu after %zu\n", in->to, in->from, in->bytes,
               in->length, in->target_length);
    return same;
}

int main(int argc, char *argv[])
{
    int failed = 0;

    if (argc != 3)
        return 2;
    state = strtoull(argv[1], NULL, 10) * 2654435769u + 1;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        bool right = true;

        for (long round = strtol(argv[2], NULL, 10); right && round > 0; round--) {
            struct inputs in = choose(&pairs[i]);

            right = try(&pairs[i], &in);
        }
        printf("%s %s\n", right ? "ok" : "not ok", pairs[i].name);
        failed |= !right;
    }
    return failed;
}
