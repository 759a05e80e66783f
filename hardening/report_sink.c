#include "report_sink.h"

#include "os_file.h"
#include "os_sink.h"

static struct os_piece piece(const char *string)
{
    return (struct os_piece){string, __builtin_strlen(string)};
}

/* systemd's journal, in its native protocol. */
static bool to_journal(const char *path, const struct text *line, const char *code)
{
    struct os_piece pieces[] = {
        piece(code != NULL ? "PRIORITY=2\n" : "PRIORITY=4\n"), /* critical; warning */
        piece("SYSLOG_IDENTIFIER=spanguard\nMESSAGE="),
        {line->bytes, line->length}, /* its newline ends the field, and it has no other */
        piece("SPANGUARD_CODE="),
        piece(code != NULL ? code : ""),
        piece("\n"),
    };

    return sg_os_send(path, pieces, code != NULL ? 6 : 3);
}

void sg_report_send(const struct report_settings *settings, const char *journal,
                    const struct text *line, const char *code)
{
    switch (settings->target) {
    case REPORT_JOURNAL:
        if (to_journal(journal, line, code))
            return;
        break;
    case REPORT_DESCRIPTOR:
        if (sg_os_write_line(settings->descriptor, line->bytes, line->length))
            return;
        break;
    case REPORT_STDERR:
        break;
    }
    (void)sg_os_write_line(OS_STDERR, line->bytes, line->length);
}
