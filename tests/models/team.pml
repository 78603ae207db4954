/* team.pml -- a team of threads that changes its size: all of a region leave it, and those of the next are all there.
 *
 * THREADS threads at most. The master opens a region of `wanted` threads, and another when all of them have left it;
 * somebody asks for another number RESIZES times, which may be the old one again.
 *
 *     who resizes              master                         a thread of the region
 *       1 wanted = n             1 r = regions                  1 s = work_seq
 *       2 regions++              2 size = wanted                2 regions != r: leave
 *       3 work_seq++, wake all   3 open a region of size        3 sleep while work_seq == s; go to 1
 *                                4 all have left: go to 1
 *
 * All of it seq_cst. Checked: when nothing moves any more, as many threads are in the region as are wanted.
 *
 * holds:   -DTHREADS=2 -DRESIZES=3
 * holds:   -DTHREADS=3 -DRESIZES=2
 * refused: -DBY_SIZE             threads leave when `wanted` is not their number: it may be back before the last has looked
 * refused: -DCOUNT_FIRST         regions is counted up before the number can be seen
 * refused: -DSIZE_FIRST          the master reads the number before regions
 * refused: -DNO_WAKE             step 3 of who resizes is left out */
#ifndef THREADS
#define THREADS 2
#define RESIZES 3
#endif

byte wanted = THREADS;
byte regions, work_seq;
byte region, size;
byte is_in; /* threads that are in the region */
bool goes[THREADS];

proctype Thread(byte me)
{
    byte s;
end:
    do
    :: goes[me] ->
        do
        :: s = work_seq;
            if
#ifdef BY_SIZE
            :: wanted != size -> break
#else
            :: regions != region -> break
#endif
            :: else
            fi;
end_asleep:
            work_seq != s
        od;
        true;
        d_step {
            goes[me] = false;
            is_in--
        }
    od
}

proctype Master()
{
    byte i;
    do
    :: true ->
#ifdef SIZE_FIRST
        size = wanted;
        region = regions;
#else
        region = regions;
        size = wanted;
#endif
        d_step {
            is_in = size;
            for (i : 0 .. size - 1) {
                goes[i] = true
            }
        }
end:
        is_in == 0
    od
}

proctype Resizer()
{
    byte i, n;
    for (i : 1 .. RESIZES) {
        select(n : 1 .. THREADS);
#ifdef COUNT_FIRST
        regions++;
        wanted = n;
#else
        wanted = n;
        regions++;
#endif
#ifndef NO_WAKE
        work_seq++
#endif
    }
}

init
{
    byte i;
    atomic {
        for (i : 0 .. THREADS - 1) {
            run Thread(i)
        }
        run Master();
        run Resizer()
    }
    timeout -> assert(is_in == wanted)
}
