/* Mounts. */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tiny.h"

TINY_FUNCTION(mount_mount)
{
    const char *source = NULL, *type = NULL, *data = NULL;
    JSValue result = JS_EXCEPTION;
    TINY_INT64(flags, 3);
    const char *target = tiny_string(ctx, argv[1]);
    if (!target) return JS_EXCEPTION;
    if (!tiny_optional_string(ctx, argv[0], &source) && !tiny_optional_string(ctx, argv[2], &type) &&
        !tiny_optional_string(ctx, argv[4], &data))
        result = tiny_result(ctx, mount(source, target, type, (unsigned long)flags, data), "mount", target);
    JS_FreeCString(ctx, target);
    if (source) JS_FreeCString(ctx, source);
    if (type) JS_FreeCString(ctx, type);
    if (data) JS_FreeCString(ctx, data);
    return result;
}

TINY_FUNCTION(mount_umount)
{
    TINY_INT(flags, 1);
    const char *target = tiny_string(ctx, argv[0]);
    if (!target) return JS_EXCEPTION;
    JSValue result = tiny_result(ctx, umount2(target, flags), "umount2", target);
    JS_FreeCString(ctx, target);
    return result;
}

TINY_FUNCTION(mount_pivot_root)
{
    const char *root = tiny_string(ctx, argv[0]);
    if (!root) return JS_EXCEPTION;
    const char *old = tiny_string(ctx, argv[1]);
    JSValue result = old ? tiny_result(ctx, (int)syscall(SYS_pivot_root, root, old), "pivot_root", root) : JS_EXCEPTION;
    JS_FreeCString(ctx, root);
    if (old) JS_FreeCString(ctx, old);
    return result;
}

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

/* The kernel's struct mount_attr, which musl does not have. */
typedef struct {
    uint64_t set, clear, propagation, user_namespace;
} MountAttributes;

TINY_FUNCTION(mount_mount_setattr)
{
    MountAttributes attributes = {0, 0, 0, 0};
    TINY_INT(flags, 1);
    TINY_INT64(set, 2);
    TINY_INT64(clear, 3);
    attributes.set = (uint64_t)set;
    attributes.clear = (uint64_t)clear;
    const char *target = tiny_string(ctx, argv[0]);
    if (!target) return JS_EXCEPTION;
    long result = syscall(SYS_mount_setattr, AT_FDCWD, target, (unsigned)flags, &attributes, sizeof attributes);
    JSValue value = tiny_result(ctx, (int)result, "mount_setattr", target);
    JS_FreeCString(ctx, target);
    return value;
}

static const JSCFunctionListEntry entries[] = {
    JS_CFUNC_DEF("mountSetattr", 4, mount_mount_setattr),
    JS_CFUNC_DEF("mount", 5, mount_mount),
    JS_CFUNC_DEF("umount", 2, mount_umount),
    JS_CFUNC_DEF("pivotRoot", 2, mount_pivot_root),
};
TINY_TABLE(tiny_mount_table, entries);
