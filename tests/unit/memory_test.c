/* The copies that the compiler's large ones become. */
#include "compiler.h"
#include "test.h"

void *sg_memset(void *to, int value, size_t bytes);
void *sg_memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *sg_memmove(void *to, const void *from, size_t bytes);

#define BYTES 64

static unsigned char area[3 * BYTES];

static void number_all(void)
{
    for (size_t i = 0; i < sizeof(area); i++)
        area[i] = (unsigned char)i;
}

/* Whether `bytes` numbers from `first` on lie at `at`, and those around are as they were. */
static bool is_moved(size_t at, size_t first, size_t bytes)
{
    for (size_t i = 0; i < sizeof(area); i++) {
        size_t expected = i >= at && i < at + bytes ? first + (i - at) : i;

        if (area[i] != (unsigned char)expected)
            return false;
    }
    return true;
}

TEST(a_move_of_any_distance_keeps_the_bytes)
{
    for (size_t to = 0; to <= 2 * BYTES; to++)
        for (size_t bytes = 0; bytes <= BYTES; bytes += 7) {
            number_all();
            EXPECT(sg_memmove(area + to, area + BYTES, bytes) == area + to);
            EXPECT(is_moved(to, BYTES, bytes));
        }
}

TEST(a_copy_and_a_fill_end_where_they_should)
{
    for (size_t bytes = 0; bytes <= BYTES; bytes++) {
        number_all();
        EXPECT(sg_memcpy(area, area + 2 * BYTES, bytes) == area);
        EXPECT(is_moved(0, 2 * BYTES, bytes));
        number_all();
        EXPECT(sg_memset(area + 1, 0x1ff, bytes) == area + 1);
        EXPECT(area[0] == 0 && area[bytes + 1] == bytes + 1);
        for (size_t i = 1; i <= bytes; i++)
            EXPECT(area[i] == 0xff);
    }
}
