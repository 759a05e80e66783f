/* Figures about the heap: they follow what the program does, and never lie with zeros. */
#include "check.h"

#include <malloc.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* mallinfo() */

enum { COUNT = 4000, BYTES = 1000 };
static const size_t large_bytes = 8 << 20;

/* Where glibc counts a block that it mapped is not where it counts the others. */
static size_t in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

TEST(mallinfo2_grows_by_what_is_allocated_and_falls_again)
{
    static void *blocks[COUNT];
    size_t before = in_use(), peak, after;

    for (int i = 0; i < COUNT; i++)
        blocks[i] = malloc(BYTES);
    peak = in_use();
    for (int i = 0; i < COUNT; i++)
        free(blocks[i]);
    malloc_trim(0);
    after = in_use();
    EXPECT(peak >= before + COUNT * BYTES);
    EXPECT(peak <= before + COUNT * BYTES / 2 * 3);
    EXPECT(after <= before + COUNT * BYTES / 10);
}

TEST(mallinfo2_sees_a_large_block)
{
    size_t before = in_use(), peak;
    void *block = malloc(large_bytes);

    peak = in_use();
    free(block);
    EXPECT(peak >= before + large_bytes);
    EXPECT(peak <= before + large_bytes / 2 * 3);
    EXPECT(in_use() < before + large_bytes / 2);
}

TEST(the_fields_of_mallinfo2_agree_with_each_other)
{
    void *small = malloc(5000), *large = malloc(large_bytes);
    struct mallinfo2 info = mallinfo2();

    EXPECT(info.arena + info.hblkhd >= large_bytes);
    EXPECT(info.uordblks + info.fordblks <= info.arena + info.hblkhd);
    EXPECT((info.hblks == 0) == (info.hblkhd == 0));
    EXPECT(info.uordblks > 0);
    EXPECT(info.arena + info.hblkhd < (size_t)1 << 40);
    EXPECT(info.keepcost <= info.fordblks);
    free(small);
    free(large);
}

TEST(mallinfo_is_mallinfo2_in_ints)
{
    void *block = malloc(3000);
    struct mallinfo narrow = mallinfo();
    struct mallinfo2 wide = mallinfo2();

    EXPECT_EQUAL(narrow.uordblks, (int)wide.uordblks);
    EXPECT_EQUAL(narrow.arena, (int)wide.arena);
    EXPECT_EQUAL(narrow.hblks, (int)wide.hblks);
    EXPECT_EQUAL(narrow.hblkhd, (int)wide.hblkhd);
    free(block);
}

TEST(malloc_trim_returns_0_or_1_and_harms_no_live_block)
{
    enum { EACH = 5000 };
    static char *blocks[2000];
    int wrong = 0;

    for (int i = 0; i < 2000; i++)
        memset(blocks[i] = malloc(EACH), i & 0x7f, EACH);
    for (int i = 0; i < 2000; i += 2)
        free(blocks[i]);
    for (size_t pad = 0; pad <= 1 << 20; pad = pad * 4 + 1000) {
        int released = malloc_trim(pad);

        EXPECT(released == 0 || released == 1);
    }
    for (int i = 1; i < 2000; i += 2) {
        wrong += blocks[i][0] != (i & 0x7f) || blocks[i][EACH - 1] != (i & 0x7f);
        free(blocks[i]);
    }
    EXPECT_EQUAL(wrong, 0);
}

TEST(mallopt_accepts_the_parameters_that_it_documents)
{
    static const struct {
        int parameter, value;
    } known[] = {
        {M_MXFAST, 64},      {M_TRIM_THRESHOLD, 131072}, {M_TOP_PAD, 0}, {M_MMAP_THRESHOLD, 131072},
        {M_MMAP_MAX, 65536}, {M_CHECK_ACTION, 3},        {M_PERTURB, 0}, {M_ARENA_TEST, 2},
        {M_ARENA_MAX, 8},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        EXPECT_EQUAL(mallopt(known[i].parameter, known[i].value), 1);
    free(malloc(opaque(100)));
}

TEST(malloc_info_with_options_is_EINVAL_and_prints_nothing)
{
    static const int options[] = {1, -1, 2, 1 << 30};
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);

    for (int i = 0; i < 4; i++) {
        errno = 0;
        int result = malloc_info(options[i], stream);

        EXPECT(result != 0);
        EXPECT(result == EINVAL || errno == EINVAL);
    }
    fclose(stream);
    EXPECT_EQUAL(length, 0);
    free(text);
}

TEST(malloc_info_can_write_to_a_stream_that_allocates)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);

    EXPECT_EQUAL(malloc_info(0, stream), 0);
    EXPECT_EQUAL(fclose(stream), 0);
    EXPECT(length > 20 && strncmp(text, "<malloc", 7) == 0);
    free(text);
}
