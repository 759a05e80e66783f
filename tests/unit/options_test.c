#include "options.h"
#include "test.h"

TEST(a_size_may_have_a_unit)
{
    sg_options_apply("dirty_bytes=3M:thread_cache_bytes=4096");
    EXPECT_EQUAL(sg_options.dirty_bytes, 3 << 20);
    EXPECT_EQUAL(sg_options.thread_cache_bytes, 4096);
}

static void expect_unchanged(const char *text)
{
    sg_options_apply("dirty_bytes=77");
    sg_options_apply(text);
    EXPECT_EQUAL(sg_options.dirty_bytes, 77);
}

TEST(a_wrong_value_changes_nothing)
{
    expect_unchanged("dirty_bytes=");
    expect_unchanged("dirty_bytes");
    expect_unchanged("dirty_bytes=-1");
    expect_unchanged("dirty_bytes=12X");
    expect_unchanged("dirty_bytes=12KK");
    expect_unchanged("dirty_bytes=99999999999999999999");
    expect_unchanged("dirty_bytes=18014398509481984K");
    expect_unchanged("dirty_bytes=2000000000000");
}

TEST(entries_after_a_wrong_one_count)
{
    sg_options_apply("nonsense=1::=:dirty_bytes=5");
    EXPECT_EQUAL(sg_options.dirty_bytes, 5);
}
