/* The `spanguard` command: a table of commands, each in a file of its own. What all of them share:
 * exit codes, messages, verdicts. Runs beside programs, never inside them: stdio and malloc are
 * fine here. */
#ifndef SG_COMMAND_COMMAND_H
#define SG_COMMAND_COMMAND_H

#include "compiler.h"

#define PRINTS(string, first) __attribute__((format(printf, string, first)))

/* What the command exits with, where it does not exit as the program does. */
enum {
    STATUS_OK = 0,
    STATUS_NO = 1, /* not protected, mistakes found */
    STATUS_USAGE = 2,
    STATUS_REPORTS = 86,  /* run --ci: there are reports */
    STATUS_REFUSED = 125, /* nothing was run */
    STATUS_NOT_EXECUTABLE = 126,
    STATUS_NOT_FOUND = 127,
};

struct flag {
    char letter;       /* what sg_flags_next() returns; a small number if it is no letter */
    const char *name;  /* of the long form, or NULL */
    const char *value; /* how its value is called, "[VALUE]" if it may be left out, or NULL */
    const char *help;
};

struct command {
    const char *name;
    const char *arguments; /* for the first line of its help */
    const char *summary;   /* one line, no full stop */
    const char *details;   /* for its help, or NULL */
    const struct flag *flags;
    size_t flag_count;
    bool runs_program; /* behind the first argument that is no option, nothing is ours */
    int (*run)(const struct command *command, int argc, char **argv);
};

#define FLAG_COUNT(flags) (sizeof(flags) / sizeof((flags)[0]))

/* The next option of the command's arguments, which is a letter of its flags, its value in
 * `optarg`. "--" ends them; other arguments are moved behind them or, where a program is to be run,
 * end them. `--help` prints the
 * command's help, a wrong option what is wrong: then FLAGS_LEAVE, and *ret_status is set. */
enum { FLAGS_END = -1, FLAGS_LEAVE = -2 };
int sg_flags_next(const struct command *command, int argc, char **argv, int *ret_status);

/* A mistake in the arguments: says so, and where help is. The result is STATUS_USAGE. */
int sg_usage_error(const struct command *command, const char *format, ...) PRINTS(2, 3);

extern const struct command sg_command_run, sg_command_explain, sg_command_doctor,
    sg_command_options, sg_command_config;

/* "spanguard: ..." and a newline, on stderr. */
void sg_complain(const char *format, ...) PRINTS(1, 2);

/* A printed string of its own; ends the command if there is no memory. */
MUST_USE char *sg_printed(const char *format, ...) PRINTS(1, 2);

/* Memory, or the end. */
MUST_USE void *sg_allocate(size_t bytes);
MUST_USE void *sg_reallocate(void *old, size_t bytes);

/* Why something cannot be, in one sentence; the status to leave with for that. */
struct verdict {
    int status;
    char reason[1536];
};

/* Fills the verdict; the result is false. */
bool sg_refuse(struct verdict *verdict, int status, const char *format, ...) PRINTS(3, 4);

/* The word of the list, which ends with NULL, that is most like `word`; NULL if none is. */
MUST_USE const char *sg_nearest(const char *word, const char *const *list);

/* ", did you mean 'X'?", or "". In static memory. */
MUST_USE const char *sg_did_you_mean(const char *word, const char *const *list);

#endif
