/* Processes: fork, exec, wait, credentials, limits. */
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tiny.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/*
 * fork, with clone's namespace flags. The engine has no threads, so the child may go on in JavaScript; it must end in
 * execve or exit. The plain system call is used because libc's fork takes no flags.
 */
TINY_FUNCTION(process_fork)
{
    TINY_INT64(flags, 0);
    long pid = syscall(SYS_clone, (unsigned long)flags | SIGCHLD, 0, 0, 0, 0);
    return tiny_number(ctx, pid, "clone", NULL);
}

TINY_FUNCTION(process_execve)
{
    const char *path = tiny_string(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    JSValue result = JS_EXCEPTION;
    char **arguments = tiny_strings(ctx, argv[1]);
    char **environment = arguments ? tiny_strings(ctx, argv[2]) : NULL;
    if (environment) {
        execve(path, arguments, environment);
        result = tiny_throw_errno(ctx, "execve", path);
    }
    tiny_free_strings(arguments);
    tiny_free_strings(environment);
    JS_FreeCString(ctx, path);
    return result;
}

TINY_FUNCTION(process_exit)
{
    TINY_INT(code, 0);
    _exit(code);
}

/* [pid, status], or null when no child has changed (WNOHANG) or none is left. */
TINY_FUNCTION(process_waitpid)
{
    TINY_INT(pid, 0);
    TINY_INT(options, 1);
    int status = 0;
    pid_t found;
    do found = waitpid(pid, &status, options);
    while (found < 0 && errno == EINTR);
    if (found == 0 || (found < 0 && errno == ECHILD)) return JS_NULL;
    if (found < 0) return tiny_throw_errno(ctx, "waitpid", NULL);
    JSValue pair = JS_NewArray(ctx);
    JS_SetPropertyUint32(ctx, pair, 0, JS_NewInt32(ctx, found));
    JS_SetPropertyUint32(ctx, pair, 1, JS_NewInt32(ctx, status));
    return pair;
}

TINY_FUNCTION(process_kill)
{
    TINY_INT(pid, 0);
    TINY_INT(signal, 1);
    return tiny_result(ctx, kill(pid, signal), "kill", NULL);
}

TINY_FUNCTION(process_pidfd_open)
{
    TINY_INT(pid, 0);
    return tiny_number(ctx, syscall(SYS_pidfd_open, pid, 0), "pidfd_open", NULL);
}

TINY_FUNCTION(process_getpid)
{
    return JS_NewInt32(ctx, getpid());
}

TINY_FUNCTION(process_setsid)
{
    return tiny_number(ctx, setsid(), "setsid", NULL);
}

TINY_FUNCTION(process_setuid)
{
    TINY_INT64(id, 0);
    return tiny_result(ctx, setresuid((uid_t)id, (uid_t)id, (uid_t)id), "setresuid", NULL);
}

TINY_FUNCTION(process_setgid)
{
    TINY_INT64(id, 0);
    return tiny_result(ctx, setresgid((gid_t)id, (gid_t)id, (gid_t)id), "setresgid", NULL);
}

TINY_FUNCTION(process_setgroups)
{
    gid_t groups[256];
    int64_t count;
    JSValue length = JS_GetPropertyStr(ctx, argv[0], "length");
    int failed = JS_ToInt64(ctx, &count, length);
    JS_FreeValue(ctx, length);
    if (failed) return JS_EXCEPTION;
    if (count > 256) return JS_ThrowRangeError(ctx, "more than 256 groups");
    for (int64_t i = 0; i < count; i++) {
        int64_t group;
        JSValue item = JS_GetPropertyUint32(ctx, argv[0], (uint32_t)i);
        failed = JS_ToInt64(ctx, &group, item);
        JS_FreeValue(ctx, item);
        if (failed) return JS_EXCEPTION;
        groups[i] = (gid_t)group;
    }
    return tiny_result(ctx, setgroups((size_t)count, groups), "setgroups", NULL);
}

TINY_FUNCTION(process_prctl)
{
    TINY_INT(option, 0);
    TINY_INT64(argument, 1);
    int64_t second = 0;
    if (argc > 2 && JS_ToInt64(ctx, &second, argv[2])) return JS_EXCEPTION;
    return tiny_number(ctx, prctl(option, (unsigned long)argument, (unsigned long)second, 0, 0), "prctl", NULL);
}

/* The kernel's structs of capset(2), version 3, which musl does not have. */
typedef struct {
    uint32_t version;
    int pid;
} CapabilityHeader;
typedef struct {
    uint32_t effective, permitted, inheritable;
} CapabilityData;

/* Each set is a number with bit n for capability n. */
TINY_FUNCTION(process_capset)
{
    TINY_INT64(effective, 0);
    TINY_INT64(permitted, 1);
    TINY_INT64(inheritable, 2);
    CapabilityHeader header = {0x20080522, 0};
    CapabilityData sets[2] = {
        {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)},
    };
    return tiny_result(ctx, (int)syscall(SYS_capset, &header, sets), "capset", NULL);
}

TINY_FUNCTION(process_setrlimit)
{
    TINY_INT(resource, 0);
    TINY_INT64(soft, 1);
    TINY_INT64(hard, 2);
    struct rlimit limit = {(rlim_t)soft, (rlim_t)hard};
    return tiny_result(ctx, setrlimit(resource, &limit), "setrlimit", NULL);
}

/* Closes every descriptor from the first to the last of a range. */
TINY_FUNCTION(process_close_range)
{
    TINY_INT64(first, 0);
    TINY_INT64(last, 1);
    return tiny_result(ctx, (int)syscall(SYS_close_range, (unsigned)first, (unsigned)last, 0), "close_range", NULL);
}

static const JSCFunctionListEntry entries[] = {
    JS_CFUNC_DEF("closeRange", 2, process_close_range),
    JS_CFUNC_DEF("fork", 1, process_fork),           JS_CFUNC_DEF("execve", 3, process_execve),
    JS_CFUNC_DEF("exit", 1, process_exit),           JS_CFUNC_DEF("waitpid", 2, process_waitpid),
    JS_CFUNC_DEF("kill", 2, process_kill),           JS_CFUNC_DEF("pidfdOpen", 1, process_pidfd_open),
    JS_CFUNC_DEF("getpid", 0, process_getpid),       JS_CFUNC_DEF("setsid", 0, process_setsid),
    JS_CFUNC_DEF("setuid", 1, process_setuid),       JS_CFUNC_DEF("setgid", 1, process_setgid),
    JS_CFUNC_DEF("setgroups", 1, process_setgroups), JS_CFUNC_DEF("prctl", 2, process_prctl),
    JS_CFUNC_DEF("setrlimit", 3, process_setrlimit), JS_CFUNC_DEF("capset", 3, process_capset),
};
TINY_TABLE(tiny_process_table, entries);
