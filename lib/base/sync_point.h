/* Named places where threads meet: a lock, an atomic that others read, a slot or span that changes
 * hands. In the build of the fuzz laboratory its scheduler chooses there which thread goes on, see
 * fuzz/README.md. In every other build they are nothing. */
#ifndef SG_BASE_SYNC_POINT_H
#define SG_BASE_SYNC_POINT_H

enum sync_site {
    SYNC_LOCK,    /* about to take a lock                     */
    SYNC_UNLOCK,  /* gave a lock back                         */
    SYNC_SYSCALL, /* before a system call, and after it       */
    SYNC_PUBLISH, /* before others can see what was written   */
    SYNC_READ,    /* before a look without a lock             */
    SYNC_HANDOVER /* slots or spans go from one tier to another, held by nobody else */
};

#ifdef SG_LABORATORY
__attribute__((visibility("hidden"))) void sg_laboratory_sync(enum sync_site site,
                                                              const volatile void *object);
#define SYNC_POINT(site, object) sg_laboratory_sync((site), (object))
#else
#define SYNC_POINT(site, object) ((void)0)
#endif

#endif
