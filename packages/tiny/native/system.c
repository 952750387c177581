/* The machine: clocks, power, kernel modules, random bytes. */
#include <sys/reboot.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tiny.h"

/* Milliseconds, with a fraction. */
TINY_FUNCTION(system_clock)
{
    TINY_INT(clock, 0);
    struct timespec now;
    if (clock_gettime(clock, &now) < 0) return tiny_throw_errno(ctx, "clock_gettime", NULL);
    return JS_NewFloat64(ctx, (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6);
}

TINY_FUNCTION(system_set_clock)
{
    TINY_INT(clock, 0);
    TINY_INT64(seconds, 1);
    TINY_INT64(nanoseconds, 2);
    struct timespec now = {(time_t)seconds, (long)nanoseconds};
    return tiny_result(ctx, clock_settime(clock, &now), "clock_settime", NULL);
}

TINY_FUNCTION(system_sync)
{
    sync();
    return JS_UNDEFINED;
}

TINY_FUNCTION(system_reboot)
{
    TINY_INT64(command, 0);
    return tiny_result(ctx, reboot((int)command), "reboot", NULL);
}

TINY_FUNCTION(system_finit_module)
{
    TINY_INT(fd, 0);
    const char *parameters = tiny_string(ctx, argv[1]);
    if (!parameters) return JS_EXCEPTION;
    JSValue result = tiny_result(ctx, (int)syscall(SYS_finit_module, fd, parameters, 0), "finit_module", NULL);
    JS_FreeCString(ctx, parameters);
    return result;
}

TINY_FUNCTION(system_getrandom)
{
    Bytes bytes;
    if (tiny_bytes(ctx, argv[0], &bytes)) return JS_EXCEPTION;
    return tiny_number(ctx, getrandom(bytes.data, bytes.size, 0), "getrandom", NULL);
}

/* The kernel's word for an errno that came by another way than a call's result. */
TINY_FUNCTION(system_strerror)
{
    TINY_INT(code, 0);
    return JS_NewString(ctx, strerror(code));
}

static const JSCFunctionListEntry entries[] = {
    JS_CFUNC_DEF("clock", 1, system_clock),         JS_CFUNC_DEF("sync", 0, system_sync),
    JS_CFUNC_DEF("reboot", 1, system_reboot),       JS_CFUNC_DEF("finitModule", 2, system_finit_module),
    JS_CFUNC_DEF("getrandom", 1, system_getrandom), JS_CFUNC_DEF("strerror", 1, system_strerror),
    JS_CFUNC_DEF("setClock", 3, system_set_clock),
};
TINY_TABLE(tiny_system_table, entries);
