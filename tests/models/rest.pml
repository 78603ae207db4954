/* rest.pml -- workers that leave for want of work, after some tasks, or as fewer are wanted, and come back on demand.
 *
 * Two rows, of which the first `wanted` are to have a worker; a producer publishes ITEMS, one at a time; somebody asks for
 * another number RESIZES times. A worker may leave whenever it has found nothing, and after any item. The keeper (for
 * threads exec/elastic.c, for processes the supervisor) joins who has left and starts who is to be there.
 *
 *     worker                                      producer
 *       1 s = work_seq                              1 publish
 *       2 row >= wanted: leave                      2 work_seq++
 *       3 sweep; took something: go to 1, or        3 look at each row's state
 *         leave as it has had its tasks             4 anybody sleeps: wake one
 *       4 state = ABSENT; work_seq == s: leave      5 fewer sleep than there are items, and anybody is
 *         as idle, or not yet:                        ABSENT: news++
 *       5 state = SLEEPING; futex_wait(work_seq, s)
 *       6 state = BUSY; go to 1                   who resizes
 *     leave: state = ABSENT, LEFT, news++           wanted = n; work_seq++, wake all; news++
 *
 *     keeper
 *       1 n = news
 *       2 who has LEFT: NONE, which rests if it was idle; work_seq++, wake all
 *       3 a row < wanted that is NONE, and does not rest or there is work: start it
 *       4 sleep while news == n; go to 1
 *
 * All of it seq_cst. Step 4 of the worker only saves a start: the keeper looks for work after it has joined. Checked: when
 * nothing moves any more, all that was published has been taken; nobody is there who is not wanted; who is wanted and not
 * there rests.
 *
 * holds:   -DITEMS=1 -DRESIZES=1
 * holds:   -DITEMS=2 -DRESIZES=0
 * refused: -DTELL_FIRST          who leaves tells the keeper before it can be joined
 * refused: -DNO_NEWS             the producer does not tell the keeper
 * refused: -DLOOK_FIRST          the producer looks at the states while its stores wait in a store buffer
 * refused: -DNEWS_LATE           the keeper reads news after it has looked
 * refused: -DCOUNT_FIRST         who resizes wakes all before the number can be seen */
#ifndef ITEMS
#define ITEMS   1
#define RESIZES 1
#endif

#define WORKERS 2

mtype = { BUSY, SLEEPING, ABSENT };
mtype = { NONE, LIVE, LEFT };

byte pending; /* published and not taken */
byte taken;
/* work_seq and news are compared with what they were, and no more: so each reader has a flag, cleared where it reads the
 * count and set where that moves. */
bool moved[WORKERS], told;
byte wanted = WORKERS;
mtype state[WORKERS] = ABSENT;
mtype place[WORKERS] = NONE;
bool was_idle[WORKERS], rests[WORKERS];
bool asleep[WORKERS]; /* in the kernel, on the futex's queue */

inline move_and_wake_all()
{
    moved[0] = true;
    moved[1] = true;
    asleep[0] = false;
    asleep[1] = false
}

proctype Worker(byte me)
{
end_begin:
    place[me] == LIVE;
    state[me] = BUSY;
    do
    :: moved[me] = false;
        if
        :: me >= wanted -> break
        :: else
        fi;
        atomic {
            if
            :: pending > 0 ->
                pending--;
                taken++;
                if
                :: true -> goto next
                :: true -> goto leave
                fi
            :: else
            fi
        }
        if
        :: true ->
            state[me] = ABSENT;
            was_idle[me] = !moved[me];
            if
            :: was_idle[me] -> break
            :: else
            fi
        :: true ->
            state[me] = SLEEPING;
            asleep[me] = !moved[me]; /* the kernel compares and falls asleep in one step */
end:
            !asleep[me]
        fi;
        state[me] = BUSY;
next:
        skip
    od;
leave:
    state[me] = ABSENT;
#ifdef TELL_FIRST
    told = true;
    place[me] = LEFT;
#else
    place[me] = LEFT;
    told = true;
#endif
    goto end_begin
}

#define LOOK_AT(w)                                        \
    d_step {                                              \
        sleepers = sleepers + (state[w] == SLEEPING -> 1 : 0); \
        is_absent = is_absent || state[w] == ABSENT       \
    }

inline look()
{
    LOOK_AT(0);
    LOOK_AT(1)
}

proctype Producer()
{
    byte i, sleepers;
    bool is_absent;
    do
    :: i == ITEMS -> break
    :: else ->
        i++;
#ifdef LOOK_FIRST
        look();
#endif
        pending++;
        d_step {
            moved[0] = true;
            moved[1] = true
        }
#ifndef LOOK_FIRST
        look();
#endif
        if
        :: sleepers > 0 ->
            atomic { /* one of them, whoever it is */
                if
                :: asleep[0] -> asleep[0] = false
                :: asleep[1] -> asleep[1] = false
                :: else
                fi
            }
        :: else
        fi;
#ifndef NO_NEWS
        if
        :: is_absent && pending > sleepers -> told = true
        :: else
        fi;
#endif
        d_step {
            sleepers = 0;
            is_absent = false
        }
    od
}

proctype Resizer()
{
    byte i;
    do
    :: i == RESIZES -> break
    :: else ->
        i++;
#ifdef COUNT_FIRST
        d_step { move_and_wake_all() }
#endif
        if
        :: wanted = 1
        :: wanted = 2
        fi;
#ifndef COUNT_FIRST
        d_step { move_and_wake_all() }
#endif
        told = true
    od
}

proctype Keeper()
{
    byte i;
    bool has_work;
    do
    :: true ->
#ifndef NEWS_LATE
        told = false;
#endif
        d_step {
            for (i : 0 .. WORKERS - 1) {
                if
                :: place[i] == LEFT ->
                    rests[i] = was_idle[i];
                    was_idle[i] = false;
                    place[i] = NONE;
                    move_and_wake_all()
                :: else
                fi
            }
            i = 0
        }
        has_work = pending > 0;
        d_step {
            for (i : 0 .. WORKERS - 1) {
                if
                :: place[i] == NONE && i < wanted && (!rests[i] || has_work) ->
                    rests[i] = false;
                    place[i] = LIVE
                :: else
                fi
            }
            i = 0;
            has_work = false
        }
#ifdef NEWS_LATE
        told = false;
#endif
end:
        told
    od
}

init
{
    byte i;
    atomic {
        for (i : 0 .. WORKERS - 1) {
            run Worker(i)
        }
        run Keeper();
        run Producer();
        run Resizer()
    }
    timeout ->
    assert(pending == 0 && taken == ITEMS);
    for (i : 0 .. WORKERS - 1) {
        assert(place[i] == (i < wanted && !rests[i] -> LIVE : place[i]));
        assert(i < wanted || place[i] == NONE)
    }
}
