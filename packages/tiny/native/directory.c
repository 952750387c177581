/* Names in the file system: stat, mkdir, links, owners, directory listings. */
#include <dirent.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <limits.h>
#include <fcntl.h>
#include <unistd.h>
#include <stdio.h>

#include "tiny.h"

static JSValue stat_object(JSContext *ctx, const struct stat *st)
{
    JSValue object = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, object, "mode", JS_NewUint32(ctx, st->st_mode));
    JS_SetPropertyStr(ctx, object, "uid", JS_NewUint32(ctx, st->st_uid));
    JS_SetPropertyStr(ctx, object, "gid", JS_NewUint32(ctx, st->st_gid));
    JS_SetPropertyStr(ctx, object, "size", JS_NewInt64(ctx, st->st_size));
    JS_SetPropertyStr(ctx, object, "mtime", JS_NewInt64(ctx, (int64_t)st->st_mtim.tv_sec));
    JS_SetPropertyStr(ctx, object, "dev", JS_NewInt64(ctx, (int64_t)st->st_dev));
    JS_SetPropertyStr(ctx, object, "ino", JS_NewInt64(ctx, (int64_t)st->st_ino));
    JS_SetPropertyStr(ctx, object, "rdev", JS_NewInt64(ctx, (int64_t)st->st_rdev));
    return object;
}

/* Programs look for names that are not there all the time, and an Error costs far more than the call. */
static JSValue undefined_if_missing(JSContext *ctx, const char *syscall, const char *path)
{
    return errno == ENOENT || errno == ENOTDIR ? JS_UNDEFINED : tiny_throw_errno(ctx, syscall, path);
}

#define STAT_CALL(function, call, failure)                  \
    TINY_FUNCTION(function)                                 \
    {                                                       \
        struct stat st;                                     \
        const char *path = tiny_string(ctx, argv[0]);       \
        if (!path) return JS_EXCEPTION;                     \
        JSValue result = call(path, &st) ? failure(ctx, #call, path) : stat_object(ctx, &st); \
        JS_FreeCString(ctx, path);                          \
        return result;                                      \
    }

STAT_CALL(directory_stat, stat, tiny_throw_errno)
STAT_CALL(directory_lstat, lstat, tiny_throw_errno)
STAT_CALL(directory_stat_if_there, stat, undefined_if_missing)
STAT_CALL(directory_lstat_if_there, lstat, undefined_if_missing)

TINY_FUNCTION(directory_fstat)
{
    TINY_INT(fd, 0);
    struct stat st;
    return fstat(fd, &st) ? tiny_throw_errno(ctx, "fstat", NULL) : stat_object(ctx, &st);
}

/* Calls that take one path, and up to two numbers. */
#define PATH_CALL(function, name, call)                     \
    TINY_FUNCTION(function)                                 \
    {                                                       \
        int64_t a = 0, b = 0;                               \
        if (argc > 1 && JS_ToInt64(ctx, &a, argv[1])) return JS_EXCEPTION; \
        if (argc > 2 && JS_ToInt64(ctx, &b, argv[2])) return JS_EXCEPTION; \
        (void)a, (void)b;                                   \
        const char *path = tiny_string(ctx, argv[0]);       \
        if (!path) return JS_EXCEPTION;                     \
        JSValue result = tiny_result(ctx, call, name, path); \
        JS_FreeCString(ctx, path);                          \
        return result;                                      \
    }

PATH_CALL(directory_mkdir, "mkdir", mkdir(path, (mode_t)a))
PATH_CALL(directory_rmdir, "rmdir", rmdir(path))
PATH_CALL(directory_unlink, "unlink", unlink(path))
PATH_CALL(directory_chmod, "chmod", chmod(path, (mode_t)a))
PATH_CALL(directory_chown, "chown", chown(path, (uid_t)a, (gid_t)b))
PATH_CALL(directory_lchown, "lchown", lchown(path, (uid_t)a, (gid_t)b))
PATH_CALL(directory_mknod, "mknod", mknod(path, (mode_t)a, (dev_t)b))
PATH_CALL(directory_chdir, "chdir", chdir(path))
PATH_CALL(directory_chroot, "chroot", chroot(path))
PATH_CALL(directory_access, "access", access(path, (int)a))

/* Calls that take two paths. */
#define TWO_PATH_CALL(function, name, call)                 \
    TINY_FUNCTION(function)                                 \
    {                                                       \
        const char *from = tiny_string(ctx, argv[0]);       \
        if (!from) return JS_EXCEPTION;                     \
        const char *to = tiny_string(ctx, argv[1]);         \
        JSValue result = to ? tiny_result(ctx, call, name, to) : JS_EXCEPTION; \
        JS_FreeCString(ctx, from);                          \
        if (to) JS_FreeCString(ctx, to);                    \
        return result;                                      \
    }

TWO_PATH_CALL(directory_symlink, "symlink", symlink(from, to))
TWO_PATH_CALL(directory_rename, "rename", rename(from, to))
TWO_PATH_CALL(directory_link, "link", link(from, to))

/* Sets when a file was last written, in seconds; of a link, its own. */
TINY_FUNCTION(directory_set_mtime)
{
    TINY_INT64(seconds, 1);
    struct timespec times[2] = {{0, UTIME_OMIT}, {(time_t)seconds, 0}};
    const char *path = tiny_string(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    JSValue result = tiny_result(ctx, utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), "utimensat", path);
    JS_FreeCString(ctx, path);
    return result;
}

/* What an overlay notes on the files of its layers; it means something only where it is. */
#define OVERLAY_NOTES "trusted.overlay."

/* Copies all extended attributes of a file to another; of links, their own. None where either file system has none. */
static int copy_xattrs(const char *from, const char *to)
{
    char names[4096], value[4096];
    ssize_t size = llistxattr(from, names, sizeof names);
    if (size < 0) return errno == ENOTSUP ? 0 : -1;
    for (char *name = names; name < names + size; name += strlen(name) + 1) {
        if (!strncmp(name, OVERLAY_NOTES, sizeof OVERLAY_NOTES - 1)) continue;
        ssize_t length = lgetxattr(from, name, value, sizeof value);
        if (length < 0) return -1;
        if (lsetxattr(to, name, value, (size_t)length, 0) && errno != ENOTSUP) return -1;
    }
    return 0;
}

TWO_PATH_CALL(directory_copy_xattrs, "copy_xattrs", copy_xattrs(from, to))

static JSValue undefined_if_no_link(JSContext *ctx, const char *syscall, const char *path)
{
    return errno == EINVAL ? JS_UNDEFINED : undefined_if_missing(ctx, syscall, path);
}

#define READLINK_CALL(function, failure)                    \
    TINY_FUNCTION(function)                                 \
    {                                                       \
        char target[PATH_MAX];                              \
        const char *path = tiny_string(ctx, argv[0]);       \
        if (!path) return JS_EXCEPTION;                     \
        ssize_t size = readlink(path, target, sizeof target); \
        JSValue result =                                    \
            size < 0 ? failure(ctx, "readlink", path) : JS_NewStringLen(ctx, target, (size_t)size); \
        JS_FreeCString(ctx, path);                          \
        return result;                                      \
    }

READLINK_CALL(directory_readlink, tiny_throw_errno)
READLINK_CALL(directory_readlink_if_link, undefined_if_no_link)

/* The names in a directory, without "." and "..". */
TINY_FUNCTION(directory_readdir)
{
    const char *path = tiny_string(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    DIR *dir = opendir(path);
    if (!dir) {
        JSValue error = tiny_throw_errno(ctx, "opendir", path);
        JS_FreeCString(ctx, path);
        return error;
    }
    JS_FreeCString(ctx, path);
    JSValue names = JS_NewArray(ctx);
    uint32_t count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        JS_SetPropertyUint32(ctx, names, count++, JS_NewString(ctx, entry->d_name));
    }
    closedir(dir);
    return names;
}

TINY_FUNCTION(directory_umask)
{
    TINY_INT(mask, 0);
    return JS_NewInt32(ctx, (int32_t)umask((mode_t)mask));
}

TINY_FUNCTION(directory_fchdir)
{
    TINY_INT(fd, 0);
    return tiny_result(ctx, fchdir(fd), "fchdir", NULL);
}

TINY_FUNCTION(directory_fchown)
{
    TINY_INT(fd, 0);
    TINY_INT64(uid, 1);
    TINY_INT64(gid, 2);
    return tiny_result(ctx, fchown(fd, (uid_t)uid, (gid_t)gid), "fchown", NULL);
}

TINY_FUNCTION(directory_makedev)
{
    TINY_INT(major_number, 0);
    TINY_INT(minor_number, 1);
    return JS_NewInt64(ctx, (int64_t)makedev((unsigned)major_number, (unsigned)minor_number));
}

static const JSCFunctionListEntry entries[] = {
    JS_CFUNC_DEF("stat", 1, directory_stat),         JS_CFUNC_DEF("lstat", 1, directory_lstat),
    JS_CFUNC_DEF("fstat", 1, directory_fstat),       JS_CFUNC_DEF("statIfThere", 1, directory_stat_if_there),
    JS_CFUNC_DEF("lstatIfThere", 1, directory_lstat_if_there),
    JS_CFUNC_DEF("readlinkIfLink", 1, directory_readlink_if_link),
    JS_CFUNC_DEF("mkdir", 2, directory_mkdir),       JS_CFUNC_DEF("rmdir", 1, directory_rmdir),
    JS_CFUNC_DEF("unlink", 1, directory_unlink),     JS_CFUNC_DEF("chmod", 2, directory_chmod),
    JS_CFUNC_DEF("chown", 3, directory_chown),       JS_CFUNC_DEF("mknod", 3, directory_mknod),
    JS_CFUNC_DEF("chdir", 1, directory_chdir),       JS_CFUNC_DEF("chroot", 1, directory_chroot),
    JS_CFUNC_DEF("access", 2, directory_access),     JS_CFUNC_DEF("symlink", 2, directory_symlink),
    JS_CFUNC_DEF("rename", 2, directory_rename),     JS_CFUNC_DEF("readlink", 1, directory_readlink),
    JS_CFUNC_DEF("readdir", 1, directory_readdir),   JS_CFUNC_DEF("umask", 1, directory_umask),
    JS_CFUNC_DEF("makedev", 2, directory_makedev),   JS_CFUNC_DEF("fchdir", 1, directory_fchdir),
    JS_CFUNC_DEF("lchown", 3, directory_lchown),     JS_CFUNC_DEF("link", 2, directory_link),
    JS_CFUNC_DEF("fchown", 3, directory_fchown),
    JS_CFUNC_DEF("setMtime", 2, directory_set_mtime), JS_CFUNC_DEF("copyXattrs", 2, directory_copy_xattrs),
};
TINY_TABLE(tiny_directory_table, entries);
