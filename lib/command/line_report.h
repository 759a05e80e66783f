/* The one line that the release library writes for a misuse, read back. */
#ifndef SG_COMMAND_LINE_REPORT_H
#define SG_COMMAND_LINE_REPORT_H

#include "command.h"

#define LINE_FRAMES 8

/* A place as a line has it: base name of a module, offset from where it is loaded. */
struct line_place {
    char module[128]; /* "": none */
    uint64_t offset;
};

struct line_stack {
    uint32_t count;
    struct line_place frames[LINE_FRAMES];
};

struct line_report {
    int process;
    char code[8];
    char title[48];
    char function[64];
    char observation[384];
    char profile[24];
    char class[16]; /* "" if the report is about no block */
    char id[9];
    struct line_stack at; /* one frame, or none */
    struct line_stack allocated;
    struct line_stack freed;
};

/* A line may have something in front, as logs do. False: it is no report. */
MUST_USE bool sg_line_read(const char *line, struct line_report *ret_report);

/* Whether the text is a code: P and three digits. */
MUST_USE bool sg_is_code(const char *text);

#endif
