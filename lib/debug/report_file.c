#include "report_file.h"

#include "os_path.h"
#include "os_sink.h"
#include "report.h"

/* All constant from the start on. */
static COLD_ZEROES struct os_path path;
static struct os_identity identity;
static int inherited = -1;

/* Up to a colon or the end; moves on behind it. */
static bool read_number(const char **at, uint64_t *ret_number)
{
    const char *first = *at;
    uint64_t number = 0;

    for (; **at >= '0' && **at <= '9'; (*at)++)
        if (__builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, (uint64_t)(**at - '0'), &number))
            return false;
    *ret_number = number;
    if (*at == first || (**at != ':' && **at != '\0'))
        return false;
    *at += **at == ':';
    return true;
}

static void inherit(const char *value)
{
    uint64_t number;

    if (value == NULL || !read_number(&value, &number) || !read_number(&value, &identity.device) ||
        !read_number(&value, &identity.inode) || *value != '\0' || number > INT32_MAX)
        return;
    inherited = (int)number;
}

void sg_report_file_start(void)
{
    const char *named = sg_os_is_secure() ? NULL : sg_os_environment("SPANGUARD_REPORT_FILE");

    if (named == NULL || named[0] == '\0')
        return;
    inherit(sg_os_environment("SPANGUARD_REPORT_DESCRIPTOR"));
    if (sg_os_absolute_path(named, &path))
        return;
    path.bytes[0] = '\0';
    sg_report_notice("SPANGUARD_REPORT_FILE is not used, its path from / on is too long or "
                     "not known: ",
                     named, "");
}

bool sg_report_file_is_wanted(void)
{
    return path.bytes[0] != '\0';
}

void sg_report_file_append(const struct text *line)
{
    if (sg_os_append_line(path.bytes, line->bytes, line->length))
        return;
    /* The number may be the program's by now: nothing is written to another file. */
    if (inherited >= 0 && sg_os_is_file(inherited, identity) &&
        sg_os_write_line(inherited, line->bytes, line->length))
        return;
    sg_report_notice("SPANGUARD_REPORT_FILE cannot be written: ", path.bytes, "");
}
