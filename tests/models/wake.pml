/* wake.pml -- sleeping and waking: no wake-up is lost.
 *
 * WORKERS workers take what a producer publishes, ITEMS in all. The kernel's part is a futex: wait()
 * compares and falls asleep in one step, wake() wakes only those who are asleep by then.
 *
 *     worker                                    producer
 *       1 s = work_seq                            1 publish
 *       2 sweep; took something: go to 1          2 work_seq++
 *       3 sleeping[me] = 1                        3 if anybody's sleeping: wake()
 *       4 work_seq != s: go to 6
 *       5 futex_wait(work_seq, s)
 *       6 sleeping[me] = 0; go to 1
 *
 * All of it seq_cst. A worker may be killed between any two steps, DEATHS times; the supervisor clears
 * its flag, counts work_seq up and wakes all, as the dead one may have been the only one woken. Checked:
 * when nothing moves any more, all that was published has been taken.
 *
 * holds:   -DWORKERS=2 -DITEMS=3 -DDEATHS=1
 * holds:   -DWORKERS=3 -DITEMS=2 -DDEATHS=0
 * holds:   -DWORKERS=3 -DITEMS=1 -DDEATHS=1
 * refused: -DLOOK_FIRST          the producer reads `sleeping` while its stores wait in a store buffer
 * refused: -DCOUNT_FIRST         work_seq is counted up before the work can be found
 * refused: -DREAD_LATE           s is read after the sweep, not before
 * refused: -DFLAG_LATE           a worker falls asleep before its flag can be seen
 * refused: -DNO_WAKE_AFTER_DEATH the supervisor only starts another */
#ifndef WORKERS
#define WORKERS 2
#define ITEMS   2
#define DEATHS  1
#endif

byte pending; /* published and not taken */
byte taken;
byte work_seq;
bool sleeping[WORKERS];
bool asleep[WORKERS]; /* in the kernel, on the futex's queue */
bool kill[WORKERS], dead[WORKERS];

/* Takes one item if there is one. A death does not come between the two halves: what a dead worker
 * had taken is tree.pml's business. */
inline sweep()
{
    d_step {
        got = (pending > 0);
        if
        :: got ->
            pending--;
            taken++
        :: else
        fi
    }
}

proctype Worker(byte me)
{
    byte s;
    bool got;
begin:
    {
        do
        :: true ->
#ifdef READ_LATE
            sweep();
            s = work_seq;
#else
            s = work_seq;
            sweep();
#endif
            if
            :: got
            :: else ->
#ifndef FLAG_LATE
                sleeping[me] = true;
#endif
                if
                :: work_seq != s
                :: else ->
                    d_step { asleep[me] = (work_seq == s) }
#ifdef FLAG_LATE
                    sleeping[me] = true;
#endif
end:
                    !asleep[me]
                fi;
                sleeping[me] = false
            fi
        od
    } unless {
        atomic {
            kill[me] ->
            kill[me] = false;
            asleep[me] = false;
            dead[me] = true
        }
        !dead[me];
        /* Another process starts in its place, at some time, or not at all. */
        if
        :: goto begin
        :: true
        fi
    }
}

/* Wakes at most one, whoever it is. */
inline wake_one()
{
    atomic {
        if
        :: asleep[0] -> asleep[0] = false
        :: asleep[1] -> asleep[1] = false
#if WORKERS > 2
        :: asleep[2] -> asleep[2] = false
#endif
        :: else
        fi
    }
}

inline look()
{
    anybody = false;
    for (w : 0 .. WORKERS - 1) {
        anybody = anybody || sleeping[w]
    }
}

proctype Producer()
{
    byte i, w;
    bool anybody;
    for (i : 1 .. ITEMS) {
#ifdef LOOK_FIRST
        look();
#endif
#ifdef COUNT_FIRST
        work_seq++;
        look();
        if
        :: anybody -> wake_one()
        :: else
        fi;
        pending++
#else
        pending++;
        work_seq++;
#ifndef LOOK_FIRST
        look();
#endif
        if
        :: anybody -> wake_one()
        :: else
        fi
#endif
    }
}

proctype Killer()
{
    byte deaths, w;
    do
    :: deaths < DEATHS ->
        select(w : 0 .. WORKERS - 1);
        if
        :: !kill[w] && !dead[w] -> kill[w] = true
        :: else
        fi;
        deaths++
    :: break
    od
}

proctype Supervisor()
{
    byte w, i;
end:
    do
    :: atomic {
            if
            :: dead[0] -> w = 0
            :: dead[1] -> w = 1
#if WORKERS > 2
            :: dead[2] -> w = 2
#endif
            fi
        }
        sleeping[w] = false;
#ifndef NO_WAKE_AFTER_DEATH
        work_seq++;
        d_step {
            for (i : 0 .. WORKERS - 1) {
                asleep[i] = false
            }
        }
#endif
        dead[w] = false
    od
}

init
{
    byte i;
    atomic {
        for (i : 0 .. WORKERS - 1) {
            run Worker(i)
        }
        run Producer();
        run Killer();
        run Supervisor()
    }
    timeout -> assert(pending == 0 && taken == ITEMS)
}
