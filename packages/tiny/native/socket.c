/* Sockets. Addresses are the kernel's own bytes (struct sockaddr_*), put together in TypeScript. */
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tiny.h"

TINY_FUNCTION(socket_socket)
{
    TINY_INT(domain, 0);
    TINY_INT(type, 1);
    TINY_INT(protocol, 2);
    return tiny_number(ctx, socket(domain, type, protocol), "socket", NULL);
}

TINY_FUNCTION(socket_bind)
{
    TINY_INT(fd, 0);
    Bytes address;
    if (tiny_bytes(ctx, argv[1], &address)) return JS_EXCEPTION;
    return tiny_result(ctx, bind(fd, (struct sockaddr *)address.data, (socklen_t)address.size), "bind", NULL);
}

TINY_FUNCTION(socket_connect)
{
    TINY_INT(fd, 0);
    Bytes address;
    if (tiny_bytes(ctx, argv[1], &address)) return JS_EXCEPTION;
    return tiny_result(ctx, connect(fd, (struct sockaddr *)address.data, (socklen_t)address.size), "connect", NULL);
}

TINY_FUNCTION(socket_listen)
{
    TINY_INT(fd, 0);
    TINY_INT(backlog, 1);
    return tiny_result(ctx, listen(fd, backlog), "listen", NULL);
}

/* A new descriptor; -1 when nobody is waiting. The peer's address is written into the Uint8Array, if one is given. */
TINY_FUNCTION(socket_accept)
{
    TINY_INT(fd, 0);
    TINY_INT(flags, 1);
    Bytes address = {NULL, 0};
    if (!JS_IsUndefined(argv[2]) && tiny_bytes(ctx, argv[2], &address)) return JS_EXCEPTION;
    socklen_t size = (socklen_t)address.size;
    int peer = accept4(fd, (struct sockaddr *)address.data, address.data ? &size : NULL, flags);
    if (peer < 0 && (errno == EAGAIN || errno == EINTR)) return JS_NewInt32(ctx, -1);
    return tiny_number(ctx, peer, "accept4", NULL);
}

TINY_FUNCTION(socket_shutdown)
{
    TINY_INT(fd, 0);
    TINY_INT(how, 1);
    return tiny_result(ctx, shutdown(fd, how), "shutdown", NULL);
}

/* How many bytes were sent, and with the first of them a copy of a descriptor; -1 when there is no room yet. */
TINY_FUNCTION(socket_send_descriptor)
{
    TINY_INT(fd, 0);
    Bytes bytes;
    if (tiny_bytes(ctx, argv[1], &bytes)) return JS_EXCEPTION;
    TINY_INT(descriptor, 2);
    struct iovec piece = {bytes.data, bytes.size};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof descriptor)];
    } control = {.space = {0}};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof descriptor);
    memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);
    ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return JS_NewInt32(ctx, -1);
    return tiny_number(ctx, sent, "sendmsg", NULL);
}

/* A descriptor that the other side has sent, closed on exec; -1 when nothing has come yet. What else the message says is dropped. */
TINY_FUNCTION(socket_receive_descriptor)
{
    TINY_INT(fd, 0);
    char said[4096];
    struct iovec piece = {said, sizeof said};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
    ssize_t size = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return JS_NewInt32(ctx, -1);
    if (size < 0) return tiny_throw_errno(ctx, "recvmsg", NULL);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    int received[2] = {-1, -1};
    size_t bytes = 0;
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        bytes = header->cmsg_len - CMSG_LEN(0);
    if (bytes > sizeof received) bytes = sizeof received;
    memcpy(received, header ? CMSG_DATA(header) : (void *)said, bytes);
    if (bytes == sizeof received[0]) return JS_NewInt32(ctx, received[0]);
    for (int at = 0; at < 2; at++)
        if (received[at] >= 0) close(received[at]);
    errno = EBADMSG;
    return tiny_throw_errno(ctx, "recvmsg", NULL);
}

TINY_FUNCTION(socket_getsockopt)
{
    TINY_INT(fd, 0);
    TINY_INT(level, 1);
    TINY_INT(name, 2);
    int value = 0;
    socklen_t size = sizeof value;
    if (getsockopt(fd, level, name, &value, &size) < 0) return tiny_throw_errno(ctx, "getsockopt", NULL);
    return JS_NewInt32(ctx, value);
}

TINY_FUNCTION(socket_setsockopt)
{
    TINY_INT(fd, 0);
    TINY_INT(level, 1);
    TINY_INT(name, 2);
    TINY_INT(value, 3);
    return tiny_result(ctx, setsockopt(fd, level, name, &value, sizeof value), "setsockopt", NULL);
}

static const JSCFunctionListEntry entries[] = {
    JS_CFUNC_DEF("socket", 3, socket_socket),         JS_CFUNC_DEF("bind", 2, socket_bind),
    JS_CFUNC_DEF("connect", 2, socket_connect),       JS_CFUNC_DEF("listen", 2, socket_listen),
    JS_CFUNC_DEF("accept", 3, socket_accept),         JS_CFUNC_DEF("shutdown", 2, socket_shutdown),
    JS_CFUNC_DEF("getsockopt", 3, socket_getsockopt), JS_CFUNC_DEF("setsockopt", 4, socket_setsockopt),
    JS_CFUNC_DEF("sendDescriptor", 3, socket_send_descriptor),
    JS_CFUNC_DEF("receiveDescriptor", 1, socket_receive_descriptor),
};
TINY_TABLE(tiny_socket_table, entries);
