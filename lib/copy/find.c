#include "copy.h"

#include <emmintrin.h>

static ALWAYS_INLINE uint32_t matches(const __m128i *block, __m128i wanted)
{
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_load_si128(block), wanted));
}

static size_t least(size_t one, size_t other)
{
    return one < other ? one : other;
}

/* Four blocks at a time, from `*block` on: the bytes that hold no match, or at least `bytes`. */
static size_t skip_far(const __m128i *block, __m128i wanted, size_t bytes)
{
    size_t done = 0;

    while (((uintptr_t)block & 63) != 0 && done < bytes && matches(block, wanted) == 0) {
        block++;
        done += 16;
    }
    if (((uintptr_t)block & 63) != 0)
        return done;
    for (; done < bytes; done += 64, block += 4) {
        __m128i first = _mm_cmpeq_epi8(_mm_load_si128(block), wanted);
        __m128i second = _mm_cmpeq_epi8(_mm_load_si128(block + 1), wanted);
        __m128i third = _mm_cmpeq_epi8(_mm_load_si128(block + 2), wanted);
        __m128i fourth = _mm_cmpeq_epi8(_mm_load_si128(block + 3), wanted);

        if (_mm_movemask_epi8((first | second) | (third | fourth)) != 0)
            break;
    }
    return done;
}

size_t sg_copy_find(const void *from, uint8_t value, size_t bytes)
{
    /* An aligned block never reaches into a page that the string does not reach. */
    uint32_t skipped = (uintptr_t)from & 15;
    const __m128i *block = (const __m128i *)((const char *)from - skipped);
    __m128i wanted = _mm_set1_epi8((char)value);
    size_t done = 16 - skipped;

    if (bytes == 0)
        return 0;
    uint32_t found = matches(block, wanted) >> skipped;
    if (found != 0)
        return least((size_t)__builtin_ctz(found), bytes);
    if (done >= bytes)
        return bytes;

    size_t far = skip_far(++block, wanted, bytes - done);
    for (block += far / 16, done += far; done < bytes; done += 16) {
        found = matches(block++, wanted);
        if (found != 0)
            return least(done + (size_t)__builtin_ctz(found), bytes);
    }
    return bytes;
}
