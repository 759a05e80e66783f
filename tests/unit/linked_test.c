/* A program that links libspanguard.a instead of preloading the shared library. */
#include "spanguard/spanguard.h"
#include "test.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static void *volatile sink;

TEST(a_program_can_link_the_static_library)
{
    sink = malloc(100);
    EXPECT(strlen(spanguard_version()) > 0);
    EXPECT_EQUAL(malloc_usable_size(sink), 100);
    free(sink);
}

static void free_twice(void)
{
    sink = malloc(100);
    free(sink);
    free(sink);
}

TEST(the_linked_library_reports_misuse)
{
    EXPECT(test_dies_saying(free_twice, "P203 double free: free: a block of "));
}
