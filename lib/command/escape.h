/* Strings of unknown origin in files of results: JSON, XML, GitHub's commands. What is no UTF-8
 * becomes a replacement character. */
#ifndef SG_COMMAND_ESCAPE_H
#define SG_COMMAND_ESCAPE_H

#include "compiler.h"

#include <stdio.h>

/* With the quotes. */
void sg_put_json(FILE *file, const char *string);

/* For attributes and for text. */
void sg_put_xml(FILE *file, const char *string);

/* A path as a URI: absolute ones with file:// in front. With quotes, for JSON. */
void sg_put_uri(FILE *file, const char *path);

/* The text of a workflow command of GitHub; a property has more that must not stand there. */
void sg_put_workflow(FILE *file, const char *string, bool is_property);

#endif
