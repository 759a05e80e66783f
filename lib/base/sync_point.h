/* Named places where the deterministic scheduler of the fuzz build may switch threads.
 * Nothing at all in every other build. */
#ifndef SG_BASE_SYNC_POINT_H
#define SG_BASE_SYNC_POINT_H

#ifdef SG_SYNC_POINTS
void sg_sync_point(const char *site);
#define SYNC_POINT(site) sg_sync_point(site)
#else
#define SYNC_POINT(site) ((void)0)
#endif

#endif
