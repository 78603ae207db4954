/* slot.pml -- using a job's slot again: no worker writes into a job of another generation.
 *
 * One slot, JOBS jobs in it one after the other, WORKERS workers. `open` is the generation that may be
 * entered, 0 between two jobs; `content` is the job whose words lie in the slot now.
 *
 *     worker                                    owner
 *       1 g = open; 0: nothing to do              1 open = 0              the job has ended
 *       2 entered[me] = g                         2 wait until no entered[] names the slot
 *       3 open != g: go to 5                      3 content = g + 1       its words are written anew
 *       4 read and write the words of g           4 open = g + 1
 *       5 entered[me] = 0; go to 1
 *
 * All of it seq_cst: either the worker sees that the slot has closed, or the owner sees that it entered.
 * A worker may be stopped for any time (that is what interleaving is) or killed between any two steps,
 * DEATHS times; then, and only then, the supervisor clears its record. Checked: what is written is of
 * the generation that was entered; the owner gets through all JOBS jobs.
 *
 * holds:   -DWORKERS=2 -DJOBS=3 -DDEATHS=2
 * holds:   -DWORKERS=3 -DJOBS=2 -DDEATHS=1
 * refused: -DNO_SECOND_LOOK      step 3 is left out
 * refused: -DLOOK_BEFORE_ENTER   step 3's load passes step 2's store, as release and acquire allow
 * refused: -DSCAN_FIRST          the owner scans entered[] before its close can be seen
 * refused: -DCLEAR_LIVING        the record of a worker that is only stopped is cleared
 * refused: -DNO_CLEAR            that of a dead one is not */
#ifndef WORKERS
#define WORKERS 2
#define JOBS    3
#define DEATHS  1
#endif

byte open = 1;
byte content = 1;
byte entered[WORKERS];
bool kill[WORKERS], dead[WORKERS];
bool all_done;

inline scan()
{
    for (w : 0 .. WORKERS - 1) {
        entered[w] == 0
    }
}

proctype Worker(byte me)
{
    byte g;
    bool current;
begin:
    {
end:
        do
        :: all_done -> break
        :: open != 0 ->
            g = open;
            current = true;
#ifdef LOOK_BEFORE_ENTER
            current = (open == g);
            entered[me] = g;
#else
            entered[me] = g;
#ifndef NO_SECOND_LOOK
            current = (open == g);
#endif
#endif
            if
            :: g != 0 && current ->
                assert(content == g); /* a CAS on a node word */
                assert(content == g)  /* a partial is written; it may be stopped in between */
            :: else
            fi;
            entered[me] = 0
        od
    } unless {
        atomic {
            kill[me] ->
            kill[me] = false;
            dead[me] = true
        }
        !dead[me] -> goto begin
    }
}

proctype Owner()
{
    byte g, w;
    for (g : 1 .. JOBS - 1) {
#ifdef SCAN_FIRST
        scan();
        open = 0;
#else
        open = 0;
        scan();
#endif
        content = g + 1;
        open = g + 1
    }
    all_done = true
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
    byte w;
    bool hasty = true;
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
#ifndef NO_CLEAR
        entered[w] = 0;
#endif
        dead[w] = false
#ifdef CLEAR_LIVING
    :: hasty -> hasty = false; entered[0] = 0
#endif
    od
}

init
{
    byte i;
    atomic {
        for (i : 0 .. WORKERS - 1) {
            run Worker(i)
        }
        run Owner();
        run Killer();
        run Supervisor()
    }
    timeout -> assert(all_done)
}
