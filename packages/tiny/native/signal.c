/* Signals: masks, signalfd, sigwait. Sets are arrays of signal numbers. */
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tiny.h"

static int signal_set(JSContext *ctx, JSValueConst array, sigset_t *set)
{
    int64_t count;
    JSValue length = JS_GetPropertyStr(ctx, array, "length");
    int failed = JS_ToInt64(ctx, &count, length);
    JS_FreeValue(ctx, length);
    if (failed) return -1;
    sigemptyset(set);
    for (int64_t i = 0; i < count; i++) {
        int32_t number;
        JSValue item = JS_GetPropertyUint32(ctx, array, (uint32_t)i);
        failed = JS_ToInt32(ctx, &number, item);
        JS_FreeValue(ctx, item);
        if (failed) return -1;
        sigaddset(set, number);
    }
    return 0;
}

TINY_FUNCTION(signal_sigprocmask)
{
    sigset_t set;
    TINY_INT(how, 0);
    if (signal_set(ctx, argv[1], &set)) return JS_EXCEPTION;
    return tiny_result(ctx, sigprocmask(how, &set, NULL), "sigprocmask", NULL);
}

/* Puts every signal back to its default action, as a program to be exec'ed expects. */
TINY_FUNCTION(signal_reset)
{
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    return JS_UNDEFINED;
}

TINY_FUNCTION(signal_ignore)
{
    TINY_INT(number, 0);
    return signal(number, SIG_IGN) == SIG_ERR ? tiny_throw_errno(ctx, "signal", NULL) : JS_UNDEFINED;
}

TINY_FUNCTION(signal_signalfd)
{
    sigset_t set;
    if (signal_set(ctx, argv[0], &set)) return JS_EXCEPTION;
    return tiny_number(ctx, signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC), "signalfd", NULL);
}

/* The next signal's number; -1 when none is pending. */
TINY_FUNCTION(signal_read)
{
    TINY_INT(fd, 0);
    struct signalfd_siginfo info;
    ssize_t size = read(fd, &info, sizeof info);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return JS_NewInt32(ctx, -1);
    if (size < 0) return tiny_throw_errno(ctx, "read", NULL);
    return JS_NewInt32(ctx, (int32_t)info.ssi_signo);
}

/* Blocks until one of the signals (which must be masked) arrives. */
TINY_FUNCTION(signal_sigwait)
{
    sigset_t set;
    int number;
    if (signal_set(ctx, argv[0], &set)) return JS_EXCEPTION;
    errno = sigwait(&set, &number);
    return errno ? tiny_throw_errno(ctx, "sigwait", NULL) : JS_NewInt32(ctx, number);
}

static const JSCFunctionListEntry entries[] = {
    JS_CFUNC_DEF("sigprocmask", 2, signal_sigprocmask), JS_CFUNC_DEF("resetSignals", 0, signal_reset),
    JS_CFUNC_DEF("ignoreSignal", 1, signal_ignore),     JS_CFUNC_DEF("signalfd", 1, signal_signalfd),
    JS_CFUNC_DEF("readSignal", 1, signal_read),         JS_CFUNC_DEF("sigwait", 1, signal_sigwait),
};
TINY_TABLE(tiny_signal_table, entries);
