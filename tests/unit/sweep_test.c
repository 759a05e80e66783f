/* Who looks at which record: claims, and how many may look at once; names of functions as numbers. */
#include "record_name.h"
#include "sweep.h"
#include "test.h"

static struct record record = {.number = 7};

TEST(a_claim_is_of_one_state_and_goes_back_to_it)
{
    struct sweep *sweep = sg_sweep_begin();

    EXPECT(sweep != NULL);
    record_become(&record, RECORD_FREED);
    EXPECT(!sg_sweep_claim(sweep, &record, RECORD_LIVE));
    EXPECT(sg_sweep_await(&record) == SWEEP_NOBODY);
    EXPECT(sg_sweep_claim(sweep, &record, RECORD_FREED));
    EXPECT(record.state == RECORD_BUSY && sg_sweep_await(&record) == SWEEP_OWN);
    sg_sweep_leave(sweep, &record);
    EXPECT(record.state == RECORD_FREED && sg_sweep_await(&record) == SWEEP_NOBODY);
    sg_sweep_end(sweep);
}

TEST(so_many_look_at_once_and_no_more)
{
    struct sweep *sweeps[200];
    int count = 0;

    while (count < 200 && (sweeps[count] = sg_sweep_begin()) != NULL)
        count++;
    EXPECT_EQUAL(count, 128);
    sg_sweep_end(sweeps[5]);
    EXPECT(sg_sweep_begin() == sweeps[5]);
    EXPECT(sg_sweep_begin() == NULL);
    while (count > 0)
        sg_sweep_end(sweeps[--count]);
}

TEST(what_this_thread_looks_at_can_be_given_up)
{
    struct record *real = sg_record_create(1 << 20); /* one that is found by its number */
    struct sweep *sweep = sg_sweep_begin();

    EXPECT(real != NULL && sweep != NULL);
    record_become(real, RECORD_FREED);
    EXPECT(sg_sweep_claim(sweep, real, RECORD_FREED));
    sg_sweep_give_up();
    EXPECT(real->state == RECORD_FREED && sg_sweep_await(real) == SWEEP_NOBODY);
    EXPECT(sg_sweep_begin() == sweep);
    sg_sweep_end(sweep);
}

TEST(each_name_has_a_number_of_its_own_while_there_are_any)
{
    static const char names[300][2];
    bool is_given[256] = {false};

    for (int i = 0; i < 255; i++) {
        uint8_t number = sg_record_name_number(names[i]);

        EXPECT(number != 0 && !is_given[number] && sg_record_name(number) == names[i]);
        is_given[number] = true;
    }
    EXPECT_EQUAL(sg_record_name_number(names[255]), 0);
    EXPECT(sg_record_name_number(names[17]) != 0 && sg_record_name(0) == NULL);
}
