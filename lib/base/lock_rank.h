/* LOCK ORDER - the only place where it is written.
 *
 * A thread takes locks in strictly increasing rank; a debug build stops on any other order.
 * Fork preparation takes every lock, in (rank, index) order. No lock is held while the
 * program's code runs, and none while we ask the kernel for something that can wait. */
#ifndef SG_BASE_LOCK_RANK_H
#define SG_BASE_LOCK_RANK_H

enum lock_rank {
    RANK_NONE = 0,
    RANK_DEBUG_HOLD,      /* freed blocks of the debug library                           */
    RANK_DEBUG_RECORD,    /* its records                                                 */
    RANK_LIFECYCLE,       /* first use of the library                                    */
    RANK_THREAD_REGISTRY, /* list of live thread caches                                  */
    RANK_CENTRAL_LIST,    /* one per size class: its span lists, its batches in transfer */
    RANK_TYPED,           /* one per partition: its addresses, spans and free slots      */
    RANK_SPAN_QUARANTINE, /* spans that wait before they are reused                      */
    RANK_PAGE_CACHE,      /* free runs, birth and death of spans                         */
    RANK_PAGE_MAP,        /* growth of the radix tree; look-ups are lock-free            */
    RANK_OBJECT_POOL,     /* one per size of metadata object                             */
    RANK_METADATA,        /* chunks of metadata regions                                  */
    RANK_COUNT
};

#endif
