/* A module that calls back, with ROOM bytes on its stack. */
struct tour;

int capture_module_call(struct tour *tour, int (*back)(struct tour *tour));

__attribute__((visibility("default"), noipa)) int capture_module_call(struct tour *tour,
                                                                      int (*back)(struct tour *))
{
    volatile char room[ROOM];

    room[0] = 1;
    return back(tour) + room[0];
}
