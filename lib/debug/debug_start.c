/* Start, end, fork and signals of the debug heap. */
#include "checker.h"
#include "debug_pool.h"
#include "debug_report.h"
#include "debug_state.h"
#include "lifecycle.h"
#include "os_signal.h"
#include "os_thread.h"
#include "span_quarantine.h"
#include "spanguard/spanguard.h"
#include "sweep.h"
#include "ticks.h"

static __thread __attribute__((tls_model("initial-exec"))) uint16_t own_number;

/* Relaxed: numbers, no order. */
static _Atomic uint32_t threads;

uint16_t sg_debug_thread(void)
{
    if (UNLIKELY(own_number == 0))
        own_number = (uint16_t)(atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) + 1);
    return own_number;
}

/* What the tiers do for themselves would stand in the way: redzones see more than canaries, and
 * freed blocks are held here. */
void sg_options_of_debug(struct options *options)
{
    options->pool = POOL_THREE_TIER;
    options->canary = 0;
    options->zero_bytes = 0;
    options->zero_check = 0;
    options->quarantine_slots = 0;
    options->quarantine_bytes = 0;
    options->span_quarantine = options->profile == PROFILE_GUARD ? UINT32_MAX : 64;
    options->guard_large = 1;
    options->guard_free = 1;
    options->sample_bytes = 0;
    options->isolate_classes = 0;
}

/* Freed blocks whose addresses wait in the profile guard: chance takes the next one out of so many.
 */
#define GUARD_HELD_MOST (1u << 18)

void sg_debug_start(void)
{
    if (debug_is_guard())
        sg_span_quarantine_widen(&sg_quarantine_large, GUARD_HELD_MOST);
    sg_checker_start();
    sg_ticks_start();
    sg_debug_report_start();
}

void sg_debug_fork(enum fork_step step)
{
    sg_hold_fork(step);
    sg_sweep_fork(step);
}

/* In the middle of a report of this thread there is no second one, and the first is to end. */
static void on_check_signal(void)
{
    if (!sg_debug_is_reporting())
        sg_debug_check_all("when a signal asked");
}

static void on_leak_signal(void)
{
    if (!sg_debug_is_reporting())
        sg_debug_report_leaks("check", "when a signal asked");
}

/* Behind those of the program and of what it loaded, as far as one can say so. */
static __attribute__((destructor(101))) void at_end(void)
{
    if (sg_options.check_at_exit != 0)
        sg_debug_check_all("at exit");
    if (sg_options.leaks != 0)
        sg_debug_report_leaks("exit", "at exit");
}

static __attribute__((constructor)) void at_load(void)
{
    lifecycle_start();
    if (debug_is_guard()) /* no thread has a cache, and the second one's would have done it */
        sg_os_process_mark();
    if (sg_options.check_signal != 0)
        sg_os_on_signal((int)sg_options.check_signal, on_check_signal);
    if (sg_options.leak_signal != 0)
        sg_os_on_signal((int)sg_options.leak_signal, on_leak_signal);
}

/* For programs that link, and for debuggers. */
EXPORT void spanguard_check(void)
{
    lifecycle_start();
    sg_debug_check_all("when the program asked");
}
