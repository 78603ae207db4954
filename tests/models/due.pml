/* due.pml -- deadlines: who is overdue is ended, and nobody else pays for it.
 *
 * A worker runs the NODES nodes of job A, which has a deadline, and one node of job B, which has none and must be
 * waited for. `due` is 0, BETWEEN two nodes, IN a node, or CONDEMNED. The supervisor may find the worker
 * overdue, or stopped, at any time (a stop is any interleaving), CONDEMN times.
 *
 *     worker                                       supervisor
 *       1 entered = job                              1 due is IN or BETWEEN: CAS due -> CONDEMNED
 *       2 wait while due == CONDEMNED                2 due is 0, and entered is 0 or A: the same, and if
 *       3 A: CAS due -> BETWEEN                        entered is B by now, due = 0 and no more of it
 *       4 claim a node                               3 kill; the worker takes no step more
 *       5 A: CAS due -> IN                           4 a node that it held: charged if due was IN, else
 *       6 run it, mark it DONE                         opened again at no charge
 *       7 A: CAS due -> BETWEEN                      5 entered = 0, due = 0, another is started
 *       8 A: CAS due -> 0
 *       9 entered = 0
 *
 * A CAS of the worker's that fails means that it is condemned: it gives back what it has claimed and not begun, and
 * waits for its end. Checked: only the node that was run when due was found to be IN is charged; no death
 * takes a node of B; all nodes are DONE in the end.
 *
 * holds:   -DNODES=2 -DCONDEMN=2
 * holds:   -DNODES=3 -DCONDEMN=1
 * refused: -DNO_WAIT             step 2 of the worker is left out
 * refused: -DLOOK_FIRST          its look passes its store to entered
 * refused: -DNO_SECOND_LOOK      the supervisor condemns a stopped worker without looking where it is by then
 * refused: -DSTAYS_IN            step 7 is left out
 * refused: -DSTORE_DUE           the worker stores due without looking
 * refused: -DCHARGE_ALL          whatever it held is charged */
#ifndef NODES
#define NODES   2
#define CONDEMN 2
#endif

#define NOWHERE 0
#define A       1
#define B       2

#define ZERO      0
#define BETWEEN   1
#define IN        2
#define CONDEMNED 3

#define OPEN    0
#define RUNNING 1
#define DONE    2
#define NOBODY  255

byte word[NODES + 1]; /* the last one is B's */
byte due, entered;
bool kill, dead, all_done;
byte runs = NOBODY; /* for the checks alone: the node that due says is run */

inline say(what, node)
{
    atomic {
#ifdef STORE_DUE
        condemned = false;
        due = what;
        runs = node;
#else
        condemned = (due == CONDEMNED);
        if
        :: !condemned ->
            due = what;
            runs = node
        :: else
        fi
#endif
    }
}

inline wait_for_death()
{
    false
}

inline enter(job)
{
#ifdef LOOK_FIRST
    due != CONDEMNED;
    entered = job;
#else
    entered = job;
#ifndef NO_WAIT
    due != CONDEMNED;
#endif
#endif
}

proctype Worker()
{
    byte i;
    bool condemned, got;
begin:
    {
        do
        :: all_done ->
end_worker:
            false
        :: enter(A);
            say(BETWEEN, NOBODY);
            if
            :: condemned -> wait_for_death()
            :: else
            fi;
            for (i : 0 .. NODES - 1) {
                atomic {
                    got = (word[i] == OPEN);
                    if
                    :: got -> word[i] = RUNNING
                    :: else
                    fi
                }
                if
                :: got ->
                    say(IN, i);
                    if
                    :: condemned ->
                        word[i] = OPEN;
                        wait_for_death()
                    :: else
                    fi;
                    word[i] = DONE;
#ifndef STAYS_IN
                    say(BETWEEN, NOBODY);
                    if
                    :: condemned -> wait_for_death()
                    :: else
                    fi
#endif
                :: else
                fi
            }
            say(ZERO, NOBODY);
            if
            :: condemned -> wait_for_death()
            :: else
            fi;
            entered = NOWHERE
        :: enter(B);
            atomic {
                got = (word[NODES] == OPEN);
                if
                :: got -> word[NODES] = RUNNING
                :: else
                fi
            }
            if
            :: got -> word[NODES] = DONE
            :: else
            fi;
            entered = NOWHERE
        od
    } unless {
        atomic {
            kill ->
            kill = false;
            dead = true
        }
        !dead -> goto begin
    }
}

proctype Supervisor()
{
    byte condemnations, i, victim;
    bool condemned, charged;
end:
    do
    :: all_done -> break
    :: condemnations < CONDEMN ->
        condemned = false;
        charged = false;
        victim = NOBODY;
        if
        :: atomic {
                due == IN ->
                due = CONDEMNED;
                condemned = true;
                charged = true;
                victim = runs
            }
        :: atomic {
                due == BETWEEN ->
                due = CONDEMNED;
                condemned = true
            }
        :: due == ZERO && entered != B ->
            atomic {
                condemned = (due == ZERO);
                if
                :: condemned -> due = CONDEMNED
                :: else
                fi
            }
#ifndef NO_SECOND_LOOK
            if
            :: condemned && entered == B ->
                due = ZERO;
                condemned = false
            :: else
            fi
#endif
        fi;
        if
        :: condemned ->
            condemnations++;
            kill = true;
            dead;
            for (i : 0 .. NODES) {
                if
                :: word[i] == RUNNING ->
                    assert(i != NODES);
#ifdef CHARGE_ALL
                    assert(i == victim);
#else
                    assert(!charged || i == victim);
#endif
                    word[i] = OPEN
                :: else
                fi
            }
            entered = NOWHERE;
            due = ZERO;
            runs = NOBODY;
            dead = false
        :: else
        fi
    od
}

proctype Waiter()
{
    byte i;
    for (i : 0 .. NODES) {
        word[i] == DONE
    }
    all_done = true
}

init
{
    atomic {
        run Worker();
        run Supervisor();
        run Waiter()
    }
    timeout -> assert(all_done)
}
