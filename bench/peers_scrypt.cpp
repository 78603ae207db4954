/* peers_scrypt.cpp -- scrypt by OpenSSL, libsodium and libscrypt: one call for each password, over the
 * workers by OpenMP. The task's shape is passwords x N x r x p. */
#include "peers.h"

#if __has_include(<openssl/evp.h>)
#include <openssl/evp.h>
#define HAS_OPENSSL 1
#endif
#if __has_include(<sodium.h>)
#include <sodium.h>
#define HAS_SODIUM 1
#endif
#if __has_include(<libscrypt.h>)
#include <libscrypt.h>
#define HAS_LIBSCRYPT 1
#endif

namespace
{

enum { KEY_BYTES = 64 };

struct cost {
    uint64_t n;
    uint32_t r, p;
};

using derive = bool(const std::string &password, const cost &cost, uint8_t *key);

const std::string salt = "NaCl";

#if HAS_OPENSSL
bool openssl(const std::string &password, const cost &cost, uint8_t *key)
{
    return EVP_PBE_scrypt(password.data(), password.size(),
                          reinterpret_cast<const unsigned char *>(salt.data()), salt.size(), cost.n,
                          cost.r, cost.p, uint64_t{1} << 40, key, KEY_BYTES) == 1;
}
#endif

#if HAS_SODIUM
bool sodium(const std::string &password, const cost &cost, uint8_t *key)
{
    return crypto_pwhash_scryptsalsa208sha256_ll(
               reinterpret_cast<const uint8_t *>(password.data()), password.size(),
               reinterpret_cast<const uint8_t *>(salt.data()), salt.size(), cost.n, cost.r, cost.p,
               key, KEY_BYTES) == 0;
}
#endif

#if HAS_LIBSCRYPT
bool libscrypt(const std::string &password, const cost &cost, uint8_t *key)
{
    return libscrypt_scrypt(reinterpret_cast<const uint8_t *>(password.data()), password.size(),
                            reinterpret_cast<const uint8_t *>(salt.data()), salt.size(), cost.n,
                            cost.r, cost.p, key, KEY_BYTES) == 0;
}
#endif

void add(const peer_task &task, const char *name, size_t workers, derive *one)
{
    cost cost = {task.shape[1], static_cast<uint32_t>(task.shape[2]),
                 static_cast<uint32_t>(task.shape[3])};
    size_t count = task.shape[0];
    add_peer(name, workers, 0, [=] {
        bool is_well = true;
#pragma omp parallel for schedule(dynamic) reduction(&& : is_well) num_threads(static_cast<int>(workers))
        for (size_t i = 0; i < count; i++) {
            uint8_t key[KEY_BYTES];
            is_well = one("password " + std::to_string(i), cost, key) && is_well;
            benchmark::DoNotOptimize(key);
        }
        if (!is_well) {
            std::fprintf(stderr, "a peer refuses scrypt's parameters\n");
            std::exit(1);
        }
    });
}

} // namespace

void add_scrypt_peers(const peer_task &task)
{
    if (task.shape.size() != 4)
        return;
    for (size_t workers = 1;; workers = task.workers) {
#if HAS_OPENSSL
        add(task, "OpenSSL, EVP_PBE_scrypt", workers, openssl);
#else
        add_missing("OpenSSL", workers, "not installed (package libssl-dev)");
#endif
#if HAS_SODIUM
        add(task, "libsodium", workers, sodium);
#else
        add_missing("libsodium", workers, "not installed (package libsodium-dev)");
#endif
#if HAS_LIBSCRYPT
        add(task, "libscrypt", workers, libscrypt);
#else
        add_missing("libscrypt", workers, "not installed (package libscrypt-dev)");
#endif
        if (workers == task.workers || task.shape[0] < 2) /* one password is for one thread */
            break;
    }
}
