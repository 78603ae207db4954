/* sweeps.pml -- a job of two sweeps: up a tree of two tasks, and when its root is done, down, task by task.
 *
 * The words of the way down follow those of the way up: nodes 0, 1 and their merge 2; then 3, 4 and 5, the end of the
 * job. WORKERS workers, of which DEATHS may be killed between any two steps.
 *
 *     worker
 *       1 s = work_seq
 *       2 sweep up: claim what is FREE and ready; run it; DONE; then its parent, if the sibling is DONE
 *       3 the root of the way up was ours: work_seq++
 *       4 that root is DONE: sweep down in the same way
 *       5 sleep while work_seq == s, unless the job has ended; go to 1
 *
 *     supervisor, once a worker is dead: its words RUNNING -> FREE, work_seq++, another is started
 *
 * A task of the way down reads the root's partial, which nothing overwrites, and writes what is its own, whole if it lives
 * (again after a death). Checked: what is merged is whole, what is read on the way down is the root's, no node is run by
 * two that live; the last node becomes DONE, and both tasks of the way down have been written whole by then.
 *
 * holds:   -DWORKERS=2 -DDEATHS=1
 * holds:   -DWORKERS=2 -DDEATHS=0 -DMEET
 * refused: -DDOWN_EARLY          step 4 does not look at the root
 * refused: -DNO_SWEEP_DOWN       on the way down only the tasks are looked for, not their parent
 * refused: -DWORKERS=2 -DDEATHS=0 -DMEET -DNO_ANNOUNCE   step 3 is left out: who sleeps does not come to help
 * refused: -DWORKERS=2 -DDEATHS=0 -DMEET -DREAD_LATE    s is read after the sweeps, not before */
#ifndef WORKERS
#define WORKERS 2
#define DEATHS  1
#endif

#define NODES 6
#define ROOT  2
#define LAST  5

#define FREE       0
#define DONE       1
#define RUNNING(w) (2 + (w))

#define NOTHING 0
#define TORN    1
#define WHOLE   2

byte word[NODES];
byte partial[3];  /* of the way up */
byte written[2];  /* by the tasks of the way down */
bool moved[WORKERS]; /* work_seq, as each worker sees it: cleared where it reads the count, set where that moves */
#ifdef MEET
byte meet; /* tasks of the way down that have begun: each waits for the other, so both workers must have come */
#endif
bool kill[WORKERS], dead[WORKERS];
byte runs[WORKERS]; /* the node + 1 that a worker runs, or 0: for the checks alone */
byte runners[NODES];

inline move()
{
    d_step {
        for (k : 0 .. WORKERS - 1) {
            moved[k] = true
        }
        k = 0
    }
}

inline claim(n)
{
    d_step {
        got = (word[n] == FREE);
        if
        :: got ->
            word[n] = RUNNING(me);
            runs[me] = n + 1;
            runners[n]++;
            assert(runners[n] == 1)
        :: else
        fi
    }
}

inline reduce(n)
{
    if
    :: n < ROOT ->
        partial[n] = TORN;
        partial[n] = WHOLE
    :: n == ROOT ->
        assert(partial[0] == WHOLE && partial[1] == WHOLE);
        partial[ROOT] = TORN;
        partial[ROOT] = WHOLE
    :: n > ROOT && n < LAST ->
        assert(partial[ROOT] == WHOLE);
        written[n - 3] = TORN;
#ifdef MEET
        meet++;
        meet == 2;
#endif
        written[n - 3] = WHOLE
    :: n == LAST -> assert(written[0] == WHOLE && written[1] == WHOLE)
    fi
}

inline mark(n)
{
    d_step {
        assert(word[n] == RUNNING(me));
        word[n] = DONE;
        runners[n]--;
        runs[me] = 0
    }
}

/* One sweep over the nodes from `base` on: two tasks, and what is above them. */
inline sweep(base)
{
    i = base;
    do
#ifdef NO_SWEEP_DOWN
    :: i == base + (base == 0 -> 3 : 2) -> break
#else
    :: i == base + 3 -> break
#endif
    :: else ->
        got = false;
        if
        :: i < base + 2 -> claim(i)
        :: else ->
            if
            :: word[base] == DONE ->
                if
                :: word[base + 1] == DONE -> claim(i)
                :: else
                fi
            :: else
            fi
        fi;
        n = i;
        do
        :: !got -> break
        :: else ->
            reduce(n);
            is_task = (n < base + 2);
            mark(n);
            sibling_done = (is_task && word[base + 1 - (n - base)] == DONE);
#ifndef NO_ANNOUNCE
            if
            :: n == ROOT -> move()
            :: else
            fi;
#endif
            got = false;
            if
            :: sibling_done ->
                n = base + 2;
                claim(n)
            :: else
            fi
        od;
        i++
    od
}

proctype Worker(byte me)
{
    byte i, k, n;
    bool got, sibling_done, is_task;
begin:
    {
        do
        :: word[LAST] == DONE -> break
        :: else ->
#ifndef READ_LATE
            moved[me] = false;
#endif
            sweep(0);
#ifndef DOWN_EARLY
            if
            :: word[ROOT] == DONE -> sweep(3)
            :: else
            fi;
#else
            sweep(3);
#endif
#ifdef READ_LATE
            moved[me] = false;
#endif
            true;
            d_step { /* forgotten, so that there are fewer states */
                i = 0;
                n = 0;
                got = false;
                sibling_done = false;
                is_task = false
            }
            (moved[me] || word[LAST] == DONE)
        od
    } unless {
        atomic {
            kill[me] ->
            kill[me] = false;
            if
            :: runs[me] > 0 ->
                runners[runs[me] - 1]--;
                runs[me] = 0
            :: else
            fi;
            dead[me] = true;
            i = 0;
            n = 0;
            got = false;
            sibling_done = false;
            is_task = false
        }
        !dead[me] -> goto begin
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
    byte w, k, n;
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
        for (n : 0 .. NODES - 1) {
            d_step {
                if
                :: word[n] == RUNNING(w) -> word[n] = FREE
                :: else
                fi
            }
        }
        move();
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
        run Killer();
        run Supervisor()
    }
    word[LAST] == DONE;
    assert(partial[ROOT] == WHOLE && written[0] == WHOLE && written[1] == WHOLE)
}
