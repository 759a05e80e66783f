/* Lines of a report for people: at most 90 columns, and 24 lines of them. What does not fit ends
 * with three dots; nothing that a terminal would obey gets in but our own colours. */
#ifndef SG_BUG_BUG_SCREEN_H
#define SG_BUG_BUG_SCREEN_H

#include "bug_words.h"

#define SCREEN_COLUMNS 90
#define SCREEN_LINES 24
#define SCREEN_INDENT 11 /* columns of the labels at the left */

enum screen_style { STYLE_PLAIN, STYLE_BOLD, STYLE_RED, STYLE_DIM };

struct screen {
    struct text *text;
    unsigned lines; /* that are complete */
    unsigned column;
    size_t last_fit; /* length of the text where there was still room for the dots */
    bool has_colour;
    bool is_styled;
    bool is_cut; /* the current line is full */
};

HIDDEN struct screen sg_screen_begin(struct text *text, bool has_colour);
HIDDEN void sg_screen_put(struct screen *screen, const char *string);
HIDDEN void sg_screen_style(struct screen *screen, enum screen_style style);

/* Blanks up to a column, one at least if something else stands before it. */
HIDDEN void sg_screen_pad(struct screen *screen, unsigned column);

/* Columns left on this line. */
HIDDEN MUST_USE unsigned sg_screen_room(const struct screen *screen);

HIDDEN void sg_screen_end_line(struct screen *screen);

/* Ends the line and begins another with this at its left, "" for one that goes on. */
HIDDEN void sg_screen_row(struct screen *screen, const char *label);

/* `string` on this line and up to `more` others, broken at blanks. */
HIDDEN void sg_screen_wrap(struct screen *screen, const char *string, unsigned more);

/* Parts of the text report. */
HIDDEN void sg_screen_chain(struct screen *screen, const struct bug *bug,
                            const struct bug_stack *stack, unsigned lines);
HIDDEN void sg_screen_frames(struct screen *screen, const struct bug *bug);
HIDDEN void sg_screen_memory(struct screen *screen, const struct bug *bug);
HIDDEN void sg_screen_leaks(struct screen *screen, const struct bug *bug);
HIDDEN void sg_screen_next(struct screen *screen, const struct bug *bug);

/* Frames that say something: those of libc that call main, or a thread's function, are left out. */
HIDDEN MUST_USE uint32_t sg_screen_frame_count(const struct bug_stack *stack);

#endif
