/* peers_main.cpp -- the C and C++ libraries that one would use instead, as one player. */
#include "peers.h"

size_t peer_rows;

static std::string environment(const char *name)
{
    const char *value = std::getenv(name);
    return value == nullptr ? "" : value;
}

int main(int argc, char **argv)
{
    static peer_task task;
    std::string shape = environment("SHEAF_PEER_SHAPE");
    task.kernel = environment("SHEAF_PEER_KERNEL");
    task.dtype = environment("SHEAF_PEER_DTYPE");
    task.workers =
        std::max<size_t>(1, std::strtoull(environment("SHEAF_PEER_WORKERS").c_str(), nullptr, 10));
    for (size_t at = 0; at < shape.size(); at = shape.find('x', at) + 1) {
        task.shape.push_back(std::strtoull(shape.c_str() + at, nullptr, 10));
        if (shape.find('x', at) == std::string::npos)
            break;
    }
    std::string key = environment("SHEAF_PEER_KEY");
    sheaf_attach_options options = {};
    options.access = SHEAF_READ_ONLY;
    if (!key.empty())
        need(sheaf_attach(&task.array, key.c_str(), &options), "attach");
    if (task.kernel == "svd")
        add_svd_peers(task);
    else if (task.kernel == "scrypt")
        add_scrypt_peers(task);
    else if (task.kernel == "executors")
        add_job_peers(task);
    else if (task.array != nullptr && task.kernel != "hash")
        add_reduce_peers(task);
    if (peer_rows == 0)
        return 0;
    return bench_main(argc, argv);
}
