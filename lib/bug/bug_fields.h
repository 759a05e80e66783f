/* The JSON form of a bug as a table: a row for each field, by which it is written and read. */
#ifndef SG_BUG_BUG_FIELDS_H
#define SG_BUG_BUG_FIELDS_H

#include "bug.h"

enum field_type {
    FIELD_BOOL,
    FIELD_U8,
    FIELD_U16,
    FIELD_U32,
    FIELD_U64,
    FIELD_I32,
    FIELD_I64,
    FIELD_ADDRESS, /* uint64_t, as a string in hexadecimal: a number of JSON may be a double */
    FIELD_ID,      /* uint32_t, as a string of eight hexadecimal digits */
    FIELD_STRING,  /* const char *, of bug.strings when read; at most FIELD_STRING_BYTES */
    FIELD_CHARS,   /* char[size] */
    FIELD_BYTES,   /* uint8_t[size] with a count, in hexadecimal */
    FIELD_KIND,    /* enum bug_kind, as its code */
    FIELD_PLACE,   /* enum bug_place, by name */
    FIELD_OBJECT,
    FIELD_ARRAY, /* of objects, with a count */
};

#define FIELD_STRING_BYTES 1024

/* How much is left out, level by level, until the line fits. */
enum field_level {
    LEVEL_ALL,
    LEVEL_NO_SOURCES,
    LEVEL_NO_NAMES,
    LEVEL_LEAST, /* as before, stacks and all strings cut too: always fits */
};
#define LEVEL_LEAST_FRAMES 4
#define LEVEL_LEAST_CHARS 32
#define LEVEL_LEAST_STRING 160 /* bytes; more than any headline takes of a string */

struct field {
    const char *name;
    enum field_type type;
    enum field_level last; /* up to which it is written */
    uint32_t offset;
    uint32_t size;                        /* of CHARS, BYTES, OBJECT, an element of ARRAY */
    uint32_t count_offset, count_most;    /* BYTES, ARRAY */
    const struct field *fields;           /* OBJECT, ARRAY: ends with a row without name */
    bool (*is_there)(const void *object); /* OBJECT: else it is not written */
    uint64_t absent;                      /* the number that is not written: not known */
};

extern HIDDEN const struct field sg_bug_fields[];

/* BUG_PLACE_OVERFLOW + 1 names. */
extern HIDDEN const char *const sg_bug_place_names[];

#define BUG_SCHEMA 1
#define BUG_SCHEMA_NAME "spanguard_report"

#endif
