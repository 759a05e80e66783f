/* The words of a line of JSON, one after the other. Nothing is allocated; nothing recurses. */
#ifndef SG_BUG_BUG_SCAN_H
#define SG_BUG_BUG_SCAN_H

#include "compiler.h"

struct scan {
    const char *at, *end;
};

struct scan_number {
    uint64_t value;
    bool is_negative;
    bool is_whole; /* else it has a fraction or an exponent, or more than 64 bits */
};

/* The next byte that is no blank, without taking it; 0 at the end. */
HIDDEN MUST_USE char sg_scan_peek(struct scan *scan);

/* Takes this byte if it is the next one that is no blank. */
HIDDEN MUST_USE bool sg_scan_take(struct scan *scan, char byte);

/* A string, decoded: at most capacity - 1 bytes of it, and a terminator. */
HIDDEN MUST_USE bool sg_scan_string(struct scan *scan, char *ret_bytes, size_t capacity,
                                    size_t *ret_length);
HIDDEN MUST_USE bool sg_scan_number(struct scan *scan, struct scan_number *ret_number);
HIDDEN MUST_USE bool sg_scan_bool(struct scan *scan, bool *ret_value);

/* Passes over any value. */
HIDDEN MUST_USE bool sg_scan_skip(struct scan *scan);

#endif
