/* Readiness: epoll, and the engine's queue of promise jobs. */
#include <sys/epoll.h>

#include "tiny.h"

#define MAX_EVENTS 64

TINY_FUNCTION(event_epoll_create)
{
    return tiny_number(ctx, epoll_create1(EPOLL_CLOEXEC), "epoll_create1", NULL);
}

TINY_FUNCTION(event_epoll_ctl)
{
    TINY_INT(epoll, 0);
    TINY_INT(operation, 1);
    TINY_INT(fd, 2);
    TINY_INT64(events, 3);
    struct epoll_event event = {.events = (uint32_t)events, .data.fd = fd};
    return tiny_result(ctx, epoll_ctl(epoll, operation, fd, &event), "epoll_ctl", NULL);
}

/* Fills an Int32Array with (fd, events) pairs and returns how many; 0 on a timeout or a signal. */
TINY_FUNCTION(event_epoll_wait)
{
    TINY_INT(epoll, 0);
    TINY_INT(timeout, 2);
    Bytes bytes;
    if (tiny_bytes(ctx, argv[1], &bytes)) return JS_EXCEPTION;
    struct epoll_event events[MAX_EVENTS];
    size_t room = bytes.size / 8;
    int count = epoll_wait(epoll, events, (int)(room < MAX_EVENTS ? room : MAX_EVENTS), timeout);
    if (count < 0) return errno == EINTR ? JS_NewInt32(ctx, 0) : tiny_throw_errno(ctx, "epoll_wait", NULL);
    int32_t *out = (int32_t *)bytes.data;
    for (int i = 0; i < count; i++) {
        out[2 * i] = events[i].data.fd;
        out[2 * i + 1] = (int32_t)events[i].events;
    }
    return JS_NewInt32(ctx, count);
}

/* Runs the promise jobs that are due, and those they make; throws what a job throws. */
TINY_FUNCTION(event_run_jobs)
{
    JSContext *job_context;
    for (;;) {
        int result = JS_ExecutePendingJob(JS_GetRuntime(ctx), &job_context);
        if (result < 0) return JS_EXCEPTION;
        if (result == 0) return JS_UNDEFINED;
    }
}

static JSValue rejection_handler;

static void track_rejection(JSContext *ctx, JSValueConst promise, JSValueConst reason, JS_BOOL handled, void *opaque)
{
    (void)opaque;
    JSValueConst arguments[3] = {promise, reason, JS_NewBool(ctx, handled)};
    JSValue result = JS_Call(ctx, rejection_handler, JS_UNDEFINED, 3, arguments);
    JS_FreeValue(ctx, JS_IsException(result) ? JS_GetException(ctx) : result);
}

/* The function is called with (promise, reason, handled) when a promise is rejected without, or later gets, a handler. */
TINY_FUNCTION(event_on_rejection)
{
    rejection_handler = JS_DupValue(ctx, argv[0]); /* set once, kept for the life of the program */
    JS_SetHostPromiseRejectionTracker(JS_GetRuntime(ctx), track_rejection, NULL);
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry entries[] = {
    JS_CFUNC_DEF("epollCreate", 0, event_epoll_create), JS_CFUNC_DEF("epollCtl", 4, event_epoll_ctl),
    JS_CFUNC_DEF("epollWait", 3, event_epoll_wait),     JS_CFUNC_DEF("runJobs", 0, event_run_jobs),
    JS_CFUNC_DEF("onRejection", 1, event_on_rejection),
};
TINY_TABLE(tiny_event_table, entries);
