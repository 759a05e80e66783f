/* The shapes of two threads. The ring hands over whole batches: the cost of sleeping and waking
 * is spread over hundreds of blocks, and nobody spins, since spinning would count as CPU time. */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

#include "pairs.h"

enum { BATCHES = 4 };

struct crew {
    pthread_barrier_t begin, end;
    sem_t empty_batches, full_batches;
    pthread_t threads[2];
    struct workload work[2];
    bool handover;
    bool stopping; /* written before `begin`, read after it; so are the two below */
    size_t pairs;
    size_t done[2]; /* written before `end`, read after it */
};

static struct crew the_crew;
static void *tables[2][MOST_LIVE];

static size_t produce(struct crew *crew)
{
    struct workload *ring = &crew->work[0];
    size_t batch = ring->live_count / BATCHES;
    size_t done = 0;

    for (size_t turn = 0; done < crew->pairs; turn++, done += batch) {
        void **blocks = ring->live + turn % BATCHES * batch;

        sem_wait(&crew->empty_batches);
        for (size_t i = 0; i < batch; i++)
            blocks[i] = take_block(ring->block_bytes);
        sem_post(&crew->full_batches);
    }
    return done;
}

static size_t consume(struct crew *crew)
{
    struct workload *ring = &crew->work[0];
    size_t batch = ring->live_count / BATCHES;
    size_t done = 0;

    for (size_t turn = 0; done < crew->pairs; turn++, done += batch) {
        void **blocks = ring->live + turn % BATCHES * batch;

        sem_wait(&crew->full_batches);
        for (size_t i = 0; i < batch; i++)
            free(blocks[i]);
        sem_post(&crew->empty_batches);
    }
    return 0;
}

static size_t work_chunk(struct crew *crew, int self)
{
    if (!crew->handover)
        return run_fifo(&crew->work[self], crew->pairs / 2);
    return self == 0 ? produce(crew) : consume(crew);
}

/* One CPU each where there are two: left to the scheduler, a run has both on one CPU or not, and
 * the price of a block that crosses between CPUs differs several times over. */
static void move_to_own_cpu(int self)
{
    cpu_set_t allowed, own;
    int seen = 0;

    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < 2)
        return;
    CPU_ZERO(&own);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && seen++ == self)
            CPU_SET(cpu, &own);
    sched_setaffinity(0, sizeof own, &own);
}

static void worker(struct crew *crew, int self)
{
    move_to_own_cpu(self);
    pin_heap(&crew->work[self]);
    for (;;) {
        pthread_barrier_wait(&crew->begin);
        if (crew->stopping)
            break;
        crew->done[self] = work_chunk(crew, self);
        pthread_barrier_wait(&crew->end);
    }
    unpin_heap(&crew->work[self]);
}

static void *first_worker(void *crew)
{
    worker(crew, 0);
    return NULL;
}

static void *second_worker(void *crew)
{
    worker(crew, 1);
    return NULL;
}

struct crew *crew_start(const struct workload *work, bool handover)
{
    struct crew *crew = &the_crew;

    pthread_barrier_init(&crew->begin, NULL, 3);
    pthread_barrier_init(&crew->end, NULL, 3);
    sem_init(&crew->empty_batches, 0, BATCHES);
    sem_init(&crew->full_batches, 0, 0);
    crew->handover = handover;
    crew->stopping = false;
    for (int i = 0; i < 2; i++) {
        crew->work[i] = *work;
        crew->work[i].live = tables[i];
    }
    if (pthread_create(&crew->threads[0], NULL, first_worker, crew) != 0 ||
        pthread_create(&crew->threads[1], NULL, second_worker, crew) != 0)
        abort();
    return crew;
}

size_t crew_run(struct crew *crew, size_t pairs)
{
    crew->pairs = pairs;
    pthread_barrier_wait(&crew->begin);
    pthread_barrier_wait(&crew->end);
    return crew->done[0] + crew->done[1];
}

void crew_stop(struct crew *crew)
{
    crew->stopping = true;
    pthread_barrier_wait(&crew->begin);
    pthread_join(crew->threads[0], NULL);
    pthread_join(crew->threads[1], NULL);
    pthread_barrier_destroy(&crew->begin);
    pthread_barrier_destroy(&crew->end);
    sem_destroy(&crew->empty_batches);
    sem_destroy(&crew->full_batches);
}
