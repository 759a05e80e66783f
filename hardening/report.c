#include "report.h"

#include "os_file.h"
#include "os_thread.h"
#include "report_sink.h"
#include "report_text.h"

#include <stdlib.h>

COLD_ZEROES char sg_report_last[REPORT_LINE_BYTES];

/* Held while the last line is copied. A second one at that moment is not kept: it is no later. */
static _Atomic bool last_is_busy;

/* Not atomic: written once, before there is a second thread; sealed then. */
static SEALED struct report_settings settings = {.profile = "hardened", .target = REPORT_STDERR};

void sg_report_configure(const struct report_settings *wanted)
{
    settings = *wanted;
}

static struct text begin_line(char *buffer)
{
    struct text text = sg_text_begin(buffer, REPORT_LINE_BYTES - 1); /* room for the newline */

    sg_text_string(&text, "spanguard[");
    sg_text_decimal(&text, (uint64_t)sg_os_process_id());
    sg_text_string(&text, "]: ");
    return text;
}

static void end_line(struct text *text, const char *code)
{
    text->bytes[text->length++] = '\n';
    sg_report_send(&settings, REPORT_JOURNAL_SOCKET, text, code);
}

static void keep(const struct text *text)
{
    /* Acquire and release: the next to copy sees this copy complete. */
    if (atomic_exchange_explicit(&last_is_busy, true, memory_order_acquire))
        return;
    __builtin_memcpy(sg_report_last, text->bytes, text->length);
    sg_report_last[text->length] = '\0';
    atomic_store_explicit(&last_is_busy, false, memory_order_release);
}

static bool has_block(enum misuse_kind kind)
{
    return kind != MISUSE_STALE && kind != MISUSE_FOREIGN && kind != MISUSE_REENTRY &&
           kind != MISUSE_ENTRY;
}

static void say_class(struct text *text, const struct misuse *misuse)
{
    sg_text_string(text, " class=");
    if (misuse->class == REPORT_CLASS_LARGE)
        sg_text_string(text, "large");
    else
        sg_text_decimal(text, misuse->class);
}

void sg_report_line_of(const struct misuse *misuse)
{
    char buffer[REPORT_LINE_BYTES];
    struct text text = begin_line(buffer);

    text.capacity--; /* room for the parenthesis */
    sg_report_say_finding(&text, misuse);
    sg_text_string(&text, " (profile=");
    sg_text_string(&text, settings.profile);
    if (has_block(misuse->kind))
        say_class(&text, misuse);
    sg_text_string(&text, " ");
    sg_report_say_places(&text, misuse);
    sg_report_say_stacks(&text, misuse);
    text.capacity++;
    sg_text_string(&text, ")");
    keep(&text);
    end_line(&text, sg_report_code(misuse->kind));
}

void sg_report_misuse(const struct misuse *misuse)
{
    sg_report_line_of(misuse);
    abort();
}

void sg_report_notice(const char *first, const char *second, const char *third)
{
    char buffer[REPORT_LINE_BYTES];
    struct text text = begin_line(buffer);

    sg_text_string(&text, first);
    sg_text_string(&text, second);
    sg_text_string(&text, third);
    end_line(&text, NULL);
}

void sg_report_lines(const struct text *lines, const char *code)
{
    sg_report_send(&settings, REPORT_JOURNAL_SOCKET, lines, code);
}

void sg_report_panic(const char *where, const char *text_of_panic)
{
    sg_report_notice(where, ": broken invariant: ", text_of_panic);
}
