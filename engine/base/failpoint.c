/* failpoint.c -- dying and stopping as asked for. */
#include "base/failpoint.h"

#ifdef FAILPOINT_IS_BUILT

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"

enum { EXIT_ASKED_FOR = 7 };

/* Written before the process has a second thread. */
static char armed[32];
static int signal_number;

void failpoint_arm(uint64_t incarnation)
{
    unsigned long long first;
    unsigned long long last;
    const char *wish = config_get(CONFIG_FAILPOINT);
    if (wish != NULL &&
        sscanf(wish, "%31[^:]:%d:%llu:%llu", armed, &signal_number, &first, &last) == 4 &&
        first <= incarnation && incarnation <= last)
        return;
    armed[0] = '\0';
}

void failpoint_reach(const char *place)
{
    if (armed[0] == '\0' || strcmp(armed, place) != 0)
        return;
    armed[0] = '\0';
    if (signal_number == 0)
        _exit(EXIT_ASKED_FOR);
    signal(signal_number, SIG_DFL); /* a sanitizer may have a handler of its own */
    raise(signal_number);
}

#endif
