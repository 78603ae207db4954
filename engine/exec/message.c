/* message.c -- sendmsg and recvmsg with SCM_RIGHTS. */
#include "exec/message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "job/board.h"

/* Room for one descriptor, aligned as cmsghdr wants it. */
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

bool message_send(int socket, const struct message *message, int descriptor)
{
    union control control;
    struct iovec part = {.iov_base = (void *)message, .iov_len = sizeof *message};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor >= 0) {
        memset(&control, 0, sizeof control);
        packet.msg_control = control.bytes;
        packet.msg_controllen = sizeof control.bytes;
        struct cmsghdr *rights = CMSG_FIRSTHDR(&packet);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof descriptor);
        memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &packet, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)sizeof *message;
}

bool message_receive(int socket, struct message *message, int *descriptor)
{
    union control control;
    struct iovec part = {.iov_base = message, .iov_len = sizeof *message};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
    int none;
    ssize_t received;
    if (descriptor == NULL) {
        descriptor = &none;
    } else {
        packet.msg_control = control.bytes;
        packet.msg_controllen = CMSG_LEN(sizeof *descriptor); /* CMSG_SPACE has room for two */
    }
    *descriptor = -1;
    do
        received = recvmsg(socket, &packet, MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    struct cmsghdr *rights = received >= 0 ? CMSG_FIRSTHDR(&packet) : NULL;
    if (rights != NULL && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS &&
        rights->cmsg_len == CMSG_LEN(sizeof *descriptor))
        memcpy(descriptor, CMSG_DATA(rights), sizeof *descriptor);
    if (received == (ssize_t)sizeof *message && (packet.msg_flags & MSG_TRUNC) == 0 &&
        message->magic == BOARD_MAGIC)
        return true;
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
    return false;
}
