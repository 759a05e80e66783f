#include "debug_report.h"

#include "debug_state.h"
#include "leak.h"
#include "os_file.h"
#include "os_process.h"
#include "os_sink.h"
#include "os_thread.h"
#include "report.h"
#include "report_file.h"
#include "spanguard/spanguard.h"
#include "sweep.h"
#include "symbols.h"

#include <stdlib.h>

#define FRAMES_MAX 32
#define SYMBOLS_MILLISECONDS 2000
#define WAIT_MILLISECONDS 10000
#define WAIT_OTHER_MILLISECONDS 3000

static COLD_ZEROES struct bug current;
static COLD_ZEROES char buffer[BUG_REPORT_BYTES];

/* os_thread_tag() of the thread that reports; 0: none does. IS_WRITTEN is added once its report is
 * out and only the end of the process is left, which a handler of SIGABRT may prevent by a jump. */
#define IS_WRITTEN ((uintptr_t)1)
static _Atomic uintptr_t reporter;
/* Where that is. Relaxed: read long after, to tell whether the reporter can still exist. */
static _Atomic int reporter_process;

/* Constant from the start on. */
static const char *suppressions;

/* A debugger stops here: the report is written, nothing was done yet. `report` is its text. */
EXPORT NOINLINE void spanguard_on_report(const char *report)
{
    __asm__ volatile("" : : "r"(report) : "memory");
}

void sg_debug_report_start(void)
{
    const char *known = sg_os_is_secure() ? NULL : sg_os_environment("SPANGUARD_SUPPRESSIONS");

    sg_report_file_start();
    if (known != NULL && known[0] != '\0')
        suppressions = sg_leak_read_suppressions(known);
}

const char *sg_debug_suppressions(void)
{
    return suppressions;
}

/* Acquire: the bug of the last reporter is written out. */
static bool replace_reporter(uintptr_t *expected)
{
    if (!atomic_compare_exchange_strong_explicit(&reporter, expected, os_thread_tag(),
                                                 memory_order_acquire, memory_order_relaxed))
        return false;
    store_relaxed(&reporter_process, sg_os_process_id());
    return true;
}

/* Whether the holder will not go on with its report, or not after so long.
 *
 * It may belong to another process: to the parent when it forked, and then nobody ends that report
 * here; or to a child of vfork, in our memory, that ended with its report. If it was the child of
 * this very thread it has ended, else it may yet be at work. The same holds if its report is out:
 * this very thread is back, or called from the handler; with another one the process ends. */
static bool may_follow(uintptr_t holder, uint64_t waited)
{
    bool is_own = (holder & ~IS_WRITTEN) == os_thread_tag();
    bool is_here = load_relaxed(&reporter_process) == sg_os_process_id();

    return (!is_here || (holder & IS_WRITTEN) != 0) && (is_own || waited > WAIT_OTHER_MILLISECONDS);
}

/* Waits while another thread reports; false: it is this one, or it takes too long. */
static bool become_reporter(void)
{
    uint64_t start = sg_os_milliseconds();
    _Atomic uint32_t never = 0;

    for (;;) {
        uintptr_t holder = 0;

        if (replace_reporter(&holder))
            return true;
        uint64_t waited = sg_os_milliseconds() - start;
        if (may_follow(holder, waited)) {
            if (replace_reporter(&holder))
                return true;
            continue;
        }
        bool is_here = load_relaxed(&reporter_process) == sg_os_process_id();
        if (is_here && (holder == os_thread_tag() || waited > WAIT_MILLISECONDS))
            return false;
        (void)sg_os_wait(&never, 0, 10);
    }
}

bool sg_debug_is_reporting(void)
{
    return load_relaxed(&reporter) == os_thread_tag() &&
           load_relaxed(&reporter_process) == sg_os_process_id();
}

static void add_writer(struct bug *bug, const void *context)
{
    uintptr_t frames[FRAMES_MAX];
    uint32_t count = (uint32_t)sg_unwind(frames, FRAMES_MAX, context);

    sg_bug_add_stack(bug, &bug->at, (struct depot_stack){count, frames}, context != NULL);
}

static const char *program_name(struct bug *bug)
{
    char path[OS_PROGRAM_PATH_BYTES];
    const char *name = path;

    if (!sg_os_executable_path(path))
        return "program";
    for (const char *byte = path; *byte != '\0'; byte++)
        if (*byte == '/')
            name = byte + 1;
    return sg_bug_keep(bug, name, __builtin_strlen(name));
}

struct bug *sg_debug_bug_begin(enum bug_kind kind, const char *function, const void *context)
{
    struct bug *bug = &current;

    if (!become_reporter()) {
        sg_report_notice(sg_bug_code(kind), ": found while another report is written: ", function);
        if (sg_options.on_report != ON_REPORT_CONTINUE)
            abort();
        return NULL;
    }
    __builtin_memset(bug, 0, sizeof(*bug));
    bug->kind = kind;
    bug->function = function;
    bug->process = sg_os_process_id();
    bug->program = program_name(bug);
    bug->profile = debug_is_guard() ? "guard" : "debug";
    bug->thread = sg_debug_thread();
    bug->found = "at the instruction";
    add_writer(bug, context);
    return bug;
}

static void write_core(const struct bug *bug)
{
    struct text text = sg_text_begin(buffer, sizeof(buffer));

    sg_bug_say_core(&text, bug);
    sg_report_lines(&text, sg_bug_code(bug->kind));
}

static void write_json_file(const struct bug *bug)
{
    struct text text = sg_text_begin(buffer, sizeof(buffer));

    if (!sg_report_file_is_wanted())
        return;
    sg_bug_say_json(&text, bug);
    sg_report_file_append(&text);
}

static bool is_coloured(void)
{
    return sg_options.report == REPORT_TO_STDERR && sg_os_environment("NO_COLOR") == NULL &&
           sg_os_is_terminal(OS_STDERR);
}

static void write_whole(const struct bug *bug)
{
    struct text text = sg_text_begin(buffer, sizeof(buffer));

    if (sg_options.report_format == FORMAT_JSONL)
        sg_bug_say_json(&text, bug);
    else if (sg_options.report_format == FORMAT_ASAN)
        sg_bug_say_asan(&text, bug);
    else
        sg_bug_say_text(&text, bug, is_coloured());
    sg_report_lines(&text, sg_bug_code(bug->kind));
}

void sg_debug_bug_end(struct bug *bug, bool is_final)
{
    sg_bug_identify(bug);
    if (sg_os_is_secure())
        sg_debug_withhold_addresses(bug);
    write_core(bug);
    if (sg_options.symbols != 0)
        (void)sg_symbols_find(bug, SYMBOLS_MILLISECONDS);
    write_json_file(bug);
    write_whole(bug);
    spanguard_on_report(buffer);
    if (is_final && sg_options.on_report == ON_REPORT_ABORT) {
        sg_sweep_give_up();
        /* Release: pairs with become_reporter(). */
        atomic_store_explicit(&reporter, os_thread_tag() | IS_WRITTEN, memory_order_release);
        abort();
    }
    if (is_final && sg_options.on_report == ON_REPORT_EXIT)
        _Exit((int)sg_options.exit_code);
    sg_debug_bug_cancel();
}

void sg_debug_bug_cancel(void)
{
    /* Release: pairs with become_reporter(). */
    atomic_store_explicit(&reporter, 0, memory_order_release);
}
