/* message.h -- what goes over the socket between a worker process and its supervisor: fixed-size messages,
 * at most one descriptor with each. SOCK_SEQPACKET keeps their bounds. */
#ifndef SHEAF_EXEC_MESSAGE_H
#define SHEAF_EXEC_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

enum message_kind {
    MESSAGE_HELLO =
        1, /* worker: number[0] = BOARD_ABI, [1] = registry_hash(), [2] = symbol_registry_hash() */
    MESSAGE_READY = 4, /* worker: the initializer has run */
    MESSAGE_WANT = 2,  /* worker: the descriptor of segment row number[0], generation number[1] */
    MESSAGE_GIVE = 3,  /* supervisor: here it is; number[0] = 1, or 0 without one */
};

struct message {
    uint32_t magic; /* BOARD_MAGIC */
    uint32_t kind;
    uint64_t number[3];
};

/* False if the other end is gone, or errno says what else. descriptor: -1 for none. Never raises SIGPIPE. */
bool message_send(int socket, const struct message *message, int descriptor);

/* Receives one message, waiting for it if the socket blocks. *descriptor: the one that came with it, to be
 * closed by the caller, or -1; NULL: none is taken, whatever is sent. False: the other end is gone, nothing is there, or what came is no message. */
bool message_receive(int socket, struct message *message, int *descriptor);

#endif
