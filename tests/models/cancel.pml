/* cancel.pml -- how a job ends: done, failed or cancelled, once, and nobody touches its arrays from then on.
 *
 * A job of NODES tasks; WORKERS workers, of which DEATHS may be killed between any two steps; FAILS tasks may fail; the
 * owner may cancel at any time, and takes the arrays away as soon as the job has ended.
 *
 *     worker                                        owner
 *       1 CAS state QUEUED -> RUNNING                 CAS state QUEUED -> CANCELLED
 *       2 CAS node OPEN -> RUNNING(me)                state is DONE, FAILED or CANCELLED: the arrays go
 *       3 state is not RUNNING: give the node back  supervisor, once a worker is dead
 *       4 read the arrays                             its nodes RUNNING -> OPEN
 *       5 node -> DONE; all are: CAS state -> DONE    steps 5 and 7 for whatever it left undone
 *       6 or node -> FAILED, CAS state RUNNING -> FAILING
 *       7 state is FAILING and no node RUNNING: CAS state FAILING -> FAILED
 *
 * All of it seq_cst: a claimer sees FAILING, or whoever looks for RUNNING nodes sees the claim. Checked: the arrays are
 * there when they are read; a job that was cancelled was never begun, and one that was not is DONE or
 * FAILED in the end, FAILED if a task has failed.
 *
 * holds:   -DNODES=2 -DWORKERS=2 -DDEATHS=1 -DFAILS=1
 * holds:   -DNODES=3 -DWORKERS=2 -DDEATHS=0 -DFAILS=1
 * refused: -DCANCEL_STORE        cancel looks at the state, then writes it
 * refused: -DNO_SECOND_LOOK      step 3 is left out
 * refused: -DSCAN_FIRST          step 7 looks for RUNNING nodes while step 6 waits in a store buffer
 * refused: -DNO_END_BY_SUPERVISOR the nodes of the dead are opened, and that is all */
#ifndef NODES
#define NODES   2
#define WORKERS 2
#define DEATHS  1
#define FAILS   1
#endif

mtype = { QUEUED, RUNS, FAILING, DONE, FAILED, CANCELLED };

#define OPEN     0
#define COMPLETE 1
#define BROKEN   2
#define HELD(w)  (3 + (w))
#define IS_ENDED (state == DONE || state == FAILED || state == CANCELLED)

mtype state = QUEUED;
byte node[NODES];
byte completed;
byte fails;
byte work_seq; /* deaths reported */
bool arrays = true;
bool was_begun, has_failed, was_cancelled;
bool kill[WORKERS], dead[WORKERS];

inline move_state(from, to)
{
    d_step {
        moved = (state == from);
        if
        :: moved -> state = to
        :: else
        fi
    }
}

inline look_for_holders()
{
    held = false;
    for (k : 0 .. NODES - 1) {
        held = held || node[k] >= HELD(0)
    }
}

/* Step 7, and the end of a job whose nodes are all done. */
inline end_if_due()
{
    if
    :: state == FAILING ->
        look_for_holders();
        if
        :: !held -> move_state(FAILING, FAILED)
        :: else
        fi
    :: else
    fi;
    if
    :: completed == NODES -> move_state(RUNS, DONE)
    :: else
    fi
}

proctype Worker(byte me)
{
    byte i, k, seen;
    bool moved, held, mine;
begin:
    {
        do
        :: IS_ENDED ->
end_worker:
            false
        :: else ->
            seen = work_seq;
            move_state(QUEUED, RUNS);
            if
            :: state == RUNS -> was_begun = true
            :: else
            fi;
            for (i : 0 .. NODES - 1) {
                if
                :: state == RUNS ->
                    d_step {
                        mine = (node[i] == OPEN);
                        if
                        :: mine -> node[i] = HELD(me)
                        :: else
                        fi
                    }
                    if
                    :: mine ->
                        if
#ifdef NO_SECOND_LOOK
                        :: false
#else
                        :: state != RUNS -> node[i] = OPEN
#endif
                        :: else ->
                            assert(arrays);
                            if
                            :: true ->
                                d_step {
                                    node[i] = COMPLETE;
                                    completed++
                                }
                            :: fails < FAILS ->
                                d_step {
                                    fails++;
                                    has_failed = true;
                                    node[i] = BROKEN
                                }
#ifdef SCAN_FIRST
                                look_for_holders();
                                move_state(RUNS, FAILING);
                                if
                                :: !held -> move_state(FAILING, FAILED)
                                :: else
                                fi
#else
                                move_state(RUNS, FAILING)
#endif
                            fi
                        fi
                    :: else
                    fi
                :: else
                fi
            }
            end_if_due();
            (work_seq != seen || IS_ENDED)
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
    bool moved;
    if
#ifdef CANCEL_STORE
    :: state == QUEUED ->
        state = CANCELLED;
        was_cancelled = true
#else
    :: move_state(QUEUED, CANCELLED);
        was_cancelled = moved
#endif
    :: true
    fi;
    IS_ENDED -> arrays = false
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
    byte w, i, k;
    bool moved, held;
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
        for (i : 0 .. NODES - 1) {
            d_step {
                if
                :: node[i] == HELD(w) -> node[i] = OPEN
                :: else
                fi
            }
#ifndef NO_END_BY_SUPERVISOR
            if
            :: node[i] == BROKEN -> move_state(RUNS, FAILING)
            :: else
            fi
#endif
        }
#ifndef NO_END_BY_SUPERVISOR
        end_if_due();
#endif
        work_seq++;
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
        run Owner();
        run Killer();
        run Supervisor()
    }
    timeout ->
    assert(IS_ENDED);
    assert((state == CANCELLED) == was_cancelled);
    assert(!was_cancelled || !was_begun);
    assert(has_failed == (state == FAILED))
}
