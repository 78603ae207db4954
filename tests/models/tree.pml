/* tree.pml -- node words: claiming, merging upwards, and recovery after a death.
 *
 * A tree of LEAVES leaves is run by WORKERS workers, any of which may be killed between any two of its
 * steps, DEATHS times in all. A word is FREE, DONE, or RUNNING(worker).
 *
 *     claim    CAS FREE -> RUNNING(me); an inner node only when both its children are DONE
 *     run      read the children's partials, write the node's own, which may be torn by a death
 *     mark     CAS RUNNING(me) -> DONE
 *     climb    then, and only then, look at the sibling: if it is DONE too, claim the parent
 *     sweep    over all nodes, only when a death was reported; without deaths climbing is enough
 *
 * The supervisor frees the words of a worker that is known to be dead, reports it, and starts another in
 * its place. Checked: partials that are merged are whole; no node is run by two live workers; the root
 * becomes DONE (no end state without it).
 *
 * holds:   -DLEAVES=4 -DWORKERS=2 -DDEATHS=1
 * holds:   -DLEAVES=3 -DWORKERS=3 -DDEATHS=0
 * holds:   -DLEAVES=3 -DWORKERS=2 -DDEATHS=1
 * holds:   -DLEAVES=2 -DWORKERS=2 -DDEATHS=2
 * refused: -DLOOK_BEFORE_MARK    the sibling is read while the mark waits in a store buffer
 * refused: -DNO_SWEEP            after a death only leaves are looked for
 * refused: -DTAKE_FROM_LIVING    a word is taken back on a timeout
 * refused: -DMERGE_IN_PLACE      a merge writes into its left child's slot */
#ifndef LEAVES
#define LEAVES 3
#define WORKERS 2
#define DEATHS 1
#endif

#define NODES (2 * LEAVES - 1)
#define ROOT  (NODES - 1)
/* Leaves first; nodes 2i and 2i+1 are siblings under LEAVES + i. For 3 leaves: (2, (0, 1)). */
#define PARENT(n)  (LEAVES + (n) / 2)
#define LEFT(n)    (2 * ((n) - LEAVES))
#define RIGHT(n)   (2 * ((n) - LEAVES) + 1)
#define SIBLING(n) ((n) ^ 1)

#define FREE       0
#define DONE       1
#define RUNNING(w) (2 + (w))
#define TORN       255

byte word[NODES];
byte partial[NODES] = TORN; /* the set of leaves that went into it */
byte whole[NODES];          /* what that set must be */
byte work_seq;              /* deaths reported */
bool kill[WORKERS];         /* SIGKILL is on its way: the worker takes no step more */
bool dead[WORKERS];         /* its pidfd is readable */
/* For the checks alone, no part of the protocol: */
byte runners[NODES]; /* live workers that run it */
byte runs[WORKERS];  /* the node + 1 that a worker runs, or 0 */

#ifdef MERGE_IN_PLACE
#define SLOT(n) ((n) < LEAVES -> (n) : (LEFT(n) < LEAVES -> LEFT(n) : LEFT(LEFT(n))))
#else
#define SLOT(n) (n)
#endif

inline claim(n)
{
    d_step {
        got = (word[n] == FREE);
        if
        :: got ->
            word[n] = RUNNING(me);
            runs[me] = n + 1;
            runners[n]++;
            assert(runners[n] == 1);
        :: else
        fi
    }
}

inline reduce(n)
{
    if
    :: n < LEAVES ->
        partial[n] = TORN;
        partial[n] = 1 << n;
    :: else ->
        left = partial[SLOT(LEFT(n))];
        assert(left == whole[LEFT(n)]);
        right = partial[SLOT(RIGHT(n))];
        assert(right == whole[RIGHT(n)]);
        partial[SLOT(n)] = TORN;
        partial[SLOT(n)] = left | right;
    fi
}

inline mark(n)
{
    d_step {
        assert(word[n] == RUNNING(me));
        word[n] = DONE;
        runners[n]--;
        runs[me] = 0;
    }
}

proctype Worker(byte me)
{
    byte i, n, left, right, seen;
    bool got, sibling_done;
begin:
    {
        do
        :: word[ROOT] == DONE -> break
        :: else ->
            seen = work_seq;
            i = 0;
            do
#ifdef NO_SWEEP
            :: i == LEAVES -> break
#else
            :: i == (seen == 0 -> LEAVES : NODES) -> break
#endif
            :: else ->
                got = false;
                if
                :: i < LEAVES -> claim(i)
                :: i >= LEAVES && word[LEFT(i)] == DONE ->
                    if
                    :: word[RIGHT(i)] == DONE -> claim(i)
                    :: else
                    fi
                :: else
                fi;
                n = i;
                do
                :: !got -> break
                :: else ->
                    reduce(n);
#ifdef LOOK_BEFORE_MARK
                    sibling_done = (n != ROOT && word[SIBLING(n)] == DONE);
                    mark(n);
#else
                    mark(n);
                    sibling_done = (n != ROOT && word[SIBLING(n)] == DONE);
#endif
                    got = false;
                    if
                    :: sibling_done ->
                        n = PARENT(n);
                        claim(n)
                    :: else
                    fi
                od;
                i++
            od;
            /* Asleep until a death is reported (wake.pml), or the job is done. */
            (work_seq != seen || word[ROOT] == DONE)
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
            dead[me] = true
        }
        /* The next process in this place. */
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
    byte w, n;
    bool hasty = true, known;
end:
    do
    :: atomic {
            if
            :: dead[0] -> w = 0; known = true
            :: dead[1] -> w = 1; known = true
#if WORKERS > 2
            :: dead[2] -> w = 2; known = true
#endif
#ifdef TAKE_FROM_LIVING
            :: hasty -> hasty = false; known = false; w = 0
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
        work_seq++;
        if
        :: known -> dead[w] = false
        :: else
        fi
    od
}

init
{
    byte i;
    atomic {
        for (i : 0 .. NODES - 1) {
            if
            :: i < LEAVES -> whole[i] = 1 << i
            :: else -> whole[i] = whole[LEFT(i)] | whole[RIGHT(i)]
            fi
        }
        for (i : 0 .. WORKERS - 1) {
            run Worker(i)
        }
        run Killer();
        run Supervisor()
    }
    word[ROOT] == DONE;
    assert(partial[SLOT(ROOT)] == whole[ROOT])
}
