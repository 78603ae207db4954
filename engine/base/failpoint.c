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
static unsigned long long visits_left; /* until then it passes */

void failpoint_arm(uint64_t incarnation)
{
    unsigned long long first;
    unsigned long long last;
    visits_left = 1;
    const char *wish = config_get(CONFIG_FAILPOINT);
    if (wish != NULL &&
        sscanf(wish, "%31[^:]:%d:%llu:%llu:%llu", armed, &signal_number, &first, &last,
               &visits_left) >= 4 &&
        first <= incarnation && incarnation <= last)
        return;
    armed[0] = '\0';
}

void failpoint_reach(const char *place)
{
    if (armed[0] == '\0' || strcmp(armed, place) != 0 || --visits_left != 0)
        return;
    armed[0] = '\0';
    if (signal_number == 0)
        _exit(EXIT_ASKED_FOR);
    signal(signal_number, SIG_DFL); /* a sanitizer may have a handler of its own */
    raise(signal_number);
}

#endif
