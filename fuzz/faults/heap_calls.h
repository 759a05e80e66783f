/* Calls on the tiers as lib/api makes them, the fast paths in front. */
#ifndef SG_FUZZ_FAULTS_HEAP_CALLS_H
#define SG_FUZZ_FAULTS_HEAP_CALLS_H

#include "shadow.h"

/* MALLOC, CALLOC or ALIGNED. */
void *heap_make(const struct call *call);
struct answer heap_answer(void *block);
void heap_free(void *block, uint8_t maker);

/* With the call's bytes, alignment and maker. */
void heap_free_stated(void *block, const struct call *call);

bool heap_is_live(const void *block);

#endif
