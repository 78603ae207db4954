/* bench_mpi.cpp -- prints the seconds that one MPI_Allreduce of one double takes, the mean of many; peers_jobs.cpp
 * starts it with mpirun. */
#include <cstdio>

#include <mpi.h>

int main(int argc, char **argv)
{
    const int warm = 1000, count = 20000;
    int rank;
    double mine = 1, sum = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    double begin = 0;
    for (int i = 0; i < warm + count; i++) {
        if (i == warm)
            begin = MPI_Wtime();
        MPI_Allreduce(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    }
    if (rank == 0)
        std::printf("%.9g\n", (MPI_Wtime() - begin) / count);
    MPI_Finalize();
    return 0;
}
