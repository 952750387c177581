/* Descriptors: open, read, write, dup, pipe, fcntl, ioctl, locks. */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tiny.h"

TINY_FUNCTION(file_open)
{
    TINY_INT(flags, 1);
    TINY_INT(mode, 2);
    const char *path = tiny_string(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    JSValue result = tiny_number(ctx, open(path, flags, mode), "open", path);
    JS_FreeCString(ctx, path);
    return result;
}

/* struct open_how of linux/openat2.h, which musl's headers lack. */
struct open_how {
    uint64_t flags, mode, resolve;
};

/* `resolve` says what the path may lead through (RESOLVE_*); the folder is where it begins, unless it is absolute. */
TINY_FUNCTION(file_openat2)
{
    TINY_INT64(flags, 1);
    TINY_INT64(mode, 2);
    TINY_INT64(resolve, 3);
    int32_t folder = AT_FDCWD;
    if (!JS_IsUndefined(argv[4]) && JS_ToInt32(ctx, &folder, argv[4])) return JS_EXCEPTION;
    const char *path = tiny_string(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    struct open_how how = {.flags = (uint64_t)flags, .mode = (uint64_t)mode, .resolve = (uint64_t)resolve};
    JSValue result = tiny_number(ctx, syscall(SYS_openat2, folder, path, &how, sizeof how), "openat2", path);
    JS_FreeCString(ctx, path);
    return result;
}

TINY_FUNCTION(file_close)
{
    TINY_INT(fd, 0);
    return tiny_result(ctx, close(fd), "close", NULL);
}

/* The part of the buffer that the call names by offset and length. */
static int slice(JSContext *ctx, JSValueConst *argv, Bytes *out)
{
    int64_t offset, length;
    if (tiny_bytes(ctx, argv[1], out)) return -1;
    if (JS_ToInt64(ctx, &offset, argv[2]) || JS_ToInt64(ctx, &length, argv[3])) return -1;
    if (offset < 0 || length < 0 || (uint64_t)offset + (uint64_t)length > out->size) {
        JS_ThrowRangeError(ctx, "offset and length reach past the buffer");
        return -1;
    }
    out->data += offset;
    out->size = (size_t)length;
    return 0;
}

/* Bytes moved; -1 when a non-blocking descriptor is not ready. */
static JSValue moved(JSContext *ctx, ssize_t result, const char *syscall)
{
    if (result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return JS_NewInt32(ctx, -1);
    return tiny_number(ctx, result, syscall, NULL);
}

TINY_FUNCTION(file_read)
{
    TINY_INT(fd, 0);
    Bytes bytes;
    if (slice(ctx, argv, &bytes)) return JS_EXCEPTION;
    ssize_t result;
    do result = read(fd, bytes.data, bytes.size);
    while (result < 0 && errno == EINTR);
    return moved(ctx, result, "read");
}

/* Reads at a position of the file, which the descriptor's own position is no part of. */
TINY_FUNCTION(file_pread)
{
    TINY_INT(fd, 0);
    TINY_INT64(position, 4);
    Bytes bytes;
    if (slice(ctx, argv, &bytes)) return JS_EXCEPTION;
    ssize_t result;
    do result = pread(fd, bytes.data, bytes.size, position);
    while (result < 0 && errno == EINTR);
    return moved(ctx, result, "pread");
}

TINY_FUNCTION(file_write)
{
    TINY_INT(fd, 0);
    Bytes bytes;
    if (slice(ctx, argv, &bytes)) return JS_EXCEPTION;
    ssize_t result;
    do result = write(fd, bytes.data, bytes.size);
    while (result < 0 && errno == EINTR);
    return moved(ctx, result, "write");
}

/* Writes at a position of the file, which the descriptor's own position is no part of. */
TINY_FUNCTION(file_pwrite)
{
    TINY_INT(fd, 0);
    TINY_INT64(position, 4);
    Bytes bytes;
    if (slice(ctx, argv, &bytes)) return JS_EXCEPTION;
    ssize_t result;
    do result = pwrite(fd, bytes.data, bytes.size, position);
    while (result < 0 && errno == EINTR);
    return moved(ctx, result, "pwrite");
}

/* Moves bytes from a pipe to another descriptor without a copy where the kernel can; to a position of a file, if one is given. */
TINY_FUNCTION(file_splice)
{
    TINY_INT(from, 0);
    TINY_INT(to, 1);
    TINY_INT64(length, 2);
    TINY_INT(flags, 3);
    int64_t position = -1;
    if (argc > 4 && !JS_IsUndefined(argv[4]) && JS_ToInt64(ctx, &position, argv[4])) return JS_EXCEPTION;
    ssize_t result;
    do {
        loff_t at = position;
        result = splice(from, NULL, to, position < 0 ? NULL : &at, (size_t)length, (unsigned)flags);
    }
    while (result < 0 && errno == EINTR);
    return moved(ctx, result, "splice");
}

/* Copies bytes from a pipe to another one, where they stay in the first: both have the same pages. */
TINY_FUNCTION(file_tee)
{
    TINY_INT(from, 0);
    TINY_INT(to, 1);
    TINY_INT64(length, 2);
    TINY_INT(flags, 3);
    ssize_t result;
    do result = tee(from, to, (size_t)length, (unsigned)flags);
    while (result < 0 && errno == EINTR);
    return moved(ctx, result, "tee");
}

TINY_FUNCTION(file_dup2)
{
    TINY_INT(from, 0);
    TINY_INT(to, 1);
    return tiny_number(ctx, dup2(from, to), "dup2", NULL);
}

TINY_FUNCTION(file_pipe2)
{
    TINY_INT(flags, 0);
    int fds[2];
    if (pipe2(fds, flags) < 0) return tiny_throw_errno(ctx, "pipe2", NULL);
    JSValue pair = JS_NewArray(ctx);
    JS_SetPropertyUint32(ctx, pair, 0, JS_NewInt32(ctx, fds[0]));
    JS_SetPropertyUint32(ctx, pair, 1, JS_NewInt32(ctx, fds[1]));
    return pair;
}

TINY_FUNCTION(file_fcntl)
{
    TINY_INT(fd, 0);
    TINY_INT(command, 1);
    TINY_INT64(argument, 2);
    return tiny_number(ctx, fcntl(fd, command, (long)argument), "fcntl", NULL);
}

/* The argument is a number, or a Uint8Array that the kernel reads or fills. */
TINY_FUNCTION(file_ioctl)
{
    TINY_INT(fd, 0);
    TINY_INT64(request, 1);
    if (JS_IsNumber(argv[2])) {
        TINY_INT64(argument, 2);
        return tiny_number(ctx, ioctl(fd, (unsigned long)request, (long)argument), "ioctl", NULL);
    }
    Bytes bytes;
    if (tiny_bytes(ctx, argv[2], &bytes)) return JS_EXCEPTION;
    return tiny_number(ctx, ioctl(fd, (unsigned long)request, bytes.data), "ioctl", NULL);
}

TINY_FUNCTION(file_fsync)
{
    TINY_INT(fd, 0);
    return tiny_result(ctx, fsync(fd), "fsync", NULL);
}

TINY_FUNCTION(file_ftruncate)
{
    TINY_INT(fd, 0);
    TINY_INT64(size, 1);
    return tiny_result(ctx, ftruncate(fd, size), "ftruncate", NULL);
}

/* Whether the lock of the open file was taken, or let go: with LOCK_NB, false when somebody else has it. */
TINY_FUNCTION(file_flock)
{
    TINY_INT(fd, 0);
    TINY_INT(operation, 1);
    int result;
    do result = flock(fd, operation);
    while (result < 0 && errno == EINTR);
    if (result < 0 && errno == EWOULDBLOCK) return JS_FALSE;
    return result < 0 ? tiny_throw_errno(ctx, "flock", NULL) : JS_TRUE;
}

static const JSCFunctionListEntry entries[] = {
    JS_CFUNC_DEF("open", 3, file_open),   JS_CFUNC_DEF("close", 1, file_close),
    JS_CFUNC_DEF("read", 4, file_read),   JS_CFUNC_DEF("write", 4, file_write),
    JS_CFUNC_DEF("pread", 5, file_pread),
    JS_CFUNC_DEF("dup2", 2, file_dup2),   JS_CFUNC_DEF("pipe2", 1, file_pipe2),
    JS_CFUNC_DEF("fcntl", 3, file_fcntl), JS_CFUNC_DEF("ioctl", 3, file_ioctl),
    JS_CFUNC_DEF("openat2", 5, file_openat2), JS_CFUNC_DEF("ftruncate", 2, file_ftruncate),
    JS_CFUNC_DEF("fsync", 1, file_fsync), JS_CFUNC_DEF("splice", 4, file_splice),
    JS_CFUNC_DEF("pwrite", 5, file_pwrite), JS_CFUNC_DEF("tee", 4, file_tee),
    JS_CFUNC_DEF("flock", 2, file_flock),
};
TINY_TABLE(tiny_file_table, entries);
