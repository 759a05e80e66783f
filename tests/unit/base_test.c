#include "bits.h"
#include "format.h"
#include "list.h"
#include "test.h"

#include <string.h>

TEST(text_that_does_not_fit_is_cut_off_and_terminated)
{
    char buffer[8];
    struct text text = sg_text_begin(buffer, sizeof(buffer));

    sg_text_string(&text, "abcdefghij");
    EXPECT(strcmp(buffer, "abcdefg") == 0);
    sg_text_string(&text, "more");
    EXPECT_EQUAL(text.length, 7);
}

TEST(numbers_are_written_in_full)
{
    char buffer[64];
    struct text text = sg_text_begin(buffer, sizeof(buffer));

    sg_text_decimal(&text, UINT64_MAX);
    sg_text_string(&text, " ");
    sg_text_hex(&text, UINT64_MAX);
    sg_text_string(&text, " ");
    sg_text_decimal(&text, 0);
    EXPECT(strcmp(buffer, "18446744073709551615 0xffffffffffffffff 0") == 0);
}

TEST(alignment_goes_to_the_next_multiple)
{
    EXPECT_EQUAL(align_up(1, 16), 16);
    EXPECT_EQUAL(align_up(16, 16), 16);
    EXPECT_EQUAL(align_down(31, 16), 16);
    EXPECT_EQUAL(log2_ceil(1), 0);
    EXPECT_EQUAL(log2_ceil(5), 3);
    EXPECT_EQUAL(log2_ceil(8), 3);
    EXPECT(!is_power_of_two(0) && is_power_of_two(1) && !is_power_of_two(48));
    EXPECT_EQUAL(rotate_right(1, 0), 1);
    EXPECT_EQUAL(rotate_right(1, 1), (uint64_t)1 << 63);
}

TEST(a_list_gives_back_what_was_pushed)
{
    struct list_node nodes[3], *head = NULL;

    for (int i = 0; i < 3; i++)
        list_push(&head, &nodes[i]);
    list_unlink(&head, &nodes[1]);
    EXPECT(head == &nodes[2] && head->next == &nodes[0] && nodes[0].prev == &nodes[2]);
    list_unlink(&head, &nodes[2]);
    list_unlink(&head, &nodes[0]);
    EXPECT(head == NULL);
}

static void say_where(const char *where, const char *text)
{
    (void)where;
    fputs(text, stderr);
    fflush(stderr);
}

static void unlink_twice(void)
{
    struct list_node nodes[2], *head = NULL;

    sg_panic_hook = say_where;
    list_push(&head, &nodes[0]);
    list_push(&head, &nodes[1]);
    list_unlink(&head, &nodes[0]);
    list_unlink(&head, &nodes[0]);
}

TEST(a_node_that_its_neighbours_do_not_know_is_found)
{
    EXPECT(test_dies_saying(unlink_twice, "a list link is damaged"));
}
