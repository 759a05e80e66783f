/* The library's options, read as the library reads them: its own table and parser are linked. */
#ifndef SG_COMMAND_SETTINGS_H
#define SG_COMMAND_SETTINGS_H

#include "command.h"

/* One line for each mistake, "PLACE: what"; ends with a newline unless empty. In its own memory. */
struct mistakes {
    char *text;
    size_t count;
};

/* What /etc says, mistakes included. */
struct mistakes sg_settings_mistakes_of_etc(void);

/* What a text in the form of SPANGUARD_OPTIONS has wrong, without regard to /etc. */
struct mistakes sg_settings_mistakes_of_text(const char *text);

/* Every line of a file, also those for other programs. False: it cannot be read. */
MUST_USE bool sg_settings_mistakes_of_file(const char *path, struct mistakes *ret_mistakes);

/* Names of all options, ended by NULL. */
const char *const *sg_settings_names(void);

/* Whether an option means something to libspanguard-debug.so only. */
MUST_USE bool sg_setting_is_of_debug(const char *name);

/* One option, or all if `name` is NULL: defaults, range, meaning, value and where it was set. */
void sg_settings_print(const char *name, bool is_json);

#endif
