/* A preload with nothing in it: the loader's own work is all that it costs. */
extern const int sg_bench_empty;
const int sg_bench_empty = 0;
