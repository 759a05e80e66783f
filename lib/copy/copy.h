/* The work behind the checked copies: own code that calls nothing, so that no interposed copy can
 * end up in itself, and that needs no relocation, because a resolver of another library may copy
 * before the loader has got to this one. */
#ifndef SG_COPY_COPY_H
#define SG_COPY_COPY_H

#include "compiler.h"

/* Found out by the constructor; until then all zero, which is always right. */
struct copy_machine {
    bool has_wide_vectors; /* 32-byte vectors: AVX2 */
    bool checks_reads;
};

extern HIDDEN struct copy_machine sg_copy_machine;

/* More than 64 bytes; overlap is allowed. */
HIDDEN void sg_copy_move_narrow(void *to, const void *from, size_t bytes);
HIDDEN void sg_copy_move_wide(void *to, const void *from, size_t bytes);
HIDDEN void sg_copy_fill_narrow(void *to, uint8_t value, size_t bytes);
HIDDEN void sg_copy_fill_wide(void *to, uint8_t value, size_t bytes);

/* The number of bytes before the first `value`, or `bytes`. Reads whole 16-byte blocks, and none
 * behind the one that holds the result. */
HIDDEN size_t sg_copy_find(const void *from, uint8_t value, size_t bytes);

#define SHORT_BYTES 64

/* Of constant size: one or a few moves, never a call. */
#define LOAD(type, from)                                                                           \
    ({                                                                                             \
        type loaded_;                                                                              \
        __builtin_memcpy(&loaded_, (from), sizeof(loaded_));                                       \
        loaded_;                                                                                   \
    })
#define STORE(to, value)                                                                           \
    do {                                                                                           \
        __auto_type stored_ = (value);                                                             \
        __builtin_memcpy((to), &stored_, sizeof(stored_));                                         \
    } while (0)

typedef uint8_t vector16 __attribute__((vector_size(16)));

/* Head and tail, which overlap where they must; all loads come before all stores. */
#define MOVE_ENDS(name, type)                                                                      \
    static ALWAYS_INLINE void name(char *to, const char *from, size_t bytes)                       \
    {                                                                                              \
        type head = LOAD(type, from);                                                              \
        type tail = LOAD(type, from + bytes - sizeof(type));                                       \
                                                                                                   \
        STORE(to, head);                                                                           \
        STORE(to + bytes - sizeof(type), tail);                                                    \
    }
MOVE_ENDS(move_ends_of_2, uint16_t)
MOVE_ENDS(move_ends_of_4, uint32_t)
MOVE_ENDS(move_ends_of_8, uint64_t)
MOVE_ENDS(move_ends_of_16, vector16)

static ALWAYS_INLINE void move_tiny(char *to, const char *from, size_t bytes)
{
    if (bytes >= 8)
        move_ends_of_8(to, from, bytes);
    else if (bytes >= 4)
        move_ends_of_4(to, from, bytes);
    else if (bytes >= 2)
        move_ends_of_2(to, from, bytes);
    else if (bytes == 1)
        *to = *from;
}

static ALWAYS_INLINE void move_short(char *to, const char *from, size_t bytes)
{
    if (bytes < 16) {
        move_tiny(to, from, bytes);
        return;
    }
    if (bytes <= 32) {
        move_ends_of_16(to, from, bytes);
        return;
    }
    vector16 head = LOAD(vector16, from), second = LOAD(vector16, from + 16);
    vector16 last_but_one = LOAD(vector16, from + bytes - 32);
    vector16 tail = LOAD(vector16, from + bytes - 16);
    STORE(to, head);
    STORE(to + 16, second);
    STORE(to + bytes - 32, last_but_one);
    STORE(to + bytes - 16, tail);
}

static ALWAYS_INLINE void copy_move(void *to, const void *from, size_t bytes)
{
    if (LIKELY(bytes <= SHORT_BYTES))
        move_short(to, from, bytes);
    else if (sg_copy_machine.has_wide_vectors)
        sg_copy_move_wide(to, from, bytes);
    else
        sg_copy_move_narrow(to, from, bytes);
}

static ALWAYS_INLINE void fill_short(char *to, uint8_t value, size_t bytes)
{
    uint64_t word = value * 0x0101010101010101u;
    vector16 full = (vector16){0} + value;

    if (bytes > 32) {
        STORE(to, full);
        STORE(to + 16, full);
        STORE(to + bytes - 32, full);
        STORE(to + bytes - 16, full);
    } else if (bytes >= 16) {
        STORE(to, full);
        STORE(to + bytes - 16, full);
    } else if (bytes >= 8) {
        STORE(to, word);
        STORE(to + bytes - 8, word);
    } else if (bytes >= 4) {
        STORE(to, (uint32_t)word);
        STORE(to + bytes - 4, (uint32_t)word);
    } else if (bytes > 0) {
        to[0] = (char)value;
        to[bytes / 2] = (char)value;
        to[bytes - 1] = (char)value;
    }
}

static ALWAYS_INLINE void copy_fill(void *to, uint8_t value, size_t bytes)
{
    if (LIKELY(bytes <= SHORT_BYTES))
        fill_short(to, value, bytes);
    else if (sg_copy_machine.has_wide_vectors)
        sg_copy_fill_wide(to, value, bytes);
    else
        sg_copy_fill_narrow(to, value, bytes);
}

#endif
