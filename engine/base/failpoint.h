/* failpoint.h -- named places where a test makes a worker process die or stop.
 *
 *     SHEAF_FAILPOINT=PLACE:SIGNAL:FIRST:LAST[:VISIT]
 *
 * The worker processes of incarnations FIRST to LAST raise SIGNAL (a number; 0: they exit with status 7)
 * the first (or VISITth) time they come to PLACE. In builds that assert, and under sanitizers; in all others a place is
 * nothing. tests/test_failpoints.c goes through all of them. */
#ifndef SHEAF_BASE_FAILPOINT_H
#define SHEAF_BASE_FAILPOINT_H

#include <stdint.h>

#if !defined(NDEBUG) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FAILPOINT_IS_BUILT

/* Once, as a worker process starts: reads the variable. */
void failpoint_arm(uint64_t incarnation);

void failpoint_reach(const char *place);

#define FAILPOINT_ARM(incarnation) failpoint_arm(incarnation)
#define FAILPOINT(place)           failpoint_reach(place)

#else

#define FAILPOINT_ARM(incarnation) ((void)0)
#define FAILPOINT(place)           ((void)0)

#endif

#endif
