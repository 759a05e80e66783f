/* Reports, as files of results want them: one for each id. */
#ifndef SG_COMMAND_FINDINGS_H
#define SG_COMMAND_FINDINGS_H

#include "line_report.h"

struct bug;

/* All strings belong to it, none is NULL. */
struct finding {
    char code[8];
    char id[9];
    int process; /* the first that reported it */
    unsigned count;
    char *title;
    char *message; /* one line */
    char *text;    /* the whole report */
    char *program;
    char *function; /* where: "" if not known, as the next two */
    char *file;     /* relative to the current folder if it lies below it */
    char *place;    /* "module+0xOFFSET" */
    unsigned line;  /* 0: not known */
    unsigned column;
};

struct findings {
    struct finding *items;
    size_t count;
    unsigned total; /* each time an id was reported */
    const char *program;
    int status;
};

/* Takes the finding over; one with an id that is there already only counts. */
void sg_findings_add(struct findings *findings, struct finding finding);

void sg_finding_free(struct finding *finding);

/* `line` is the text that was reported. */
MUST_USE struct finding sg_finding_of_line(const struct line_report *report, const char *line);
MUST_USE struct finding sg_finding_of_bug(const struct bug *bug);

#endif
