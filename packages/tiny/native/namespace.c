/* Namespaces. */
#include <sched.h>
#include <unistd.h>

#include "tiny.h"

TINY_FUNCTION(namespace_setns)
{
    TINY_INT(fd, 0);
    TINY_INT(type, 1);
    return tiny_result(ctx, setns(fd, type), "setns", NULL);
}

TINY_FUNCTION(namespace_unshare)
{
    TINY_INT64(flags, 0);
    return tiny_result(ctx, unshare((int)flags), "unshare", NULL);
}

TINY_FUNCTION(namespace_sethostname)
{
    size_t size;
    const char *name = JS_ToCStringLen(ctx, &size, argv[0]);
    if (!name) return JS_EXCEPTION;
    JSValue result = tiny_result(ctx, sethostname(name, size), "sethostname", name);
    JS_FreeCString(ctx, name);
    return result;
}

static const JSCFunctionListEntry entries[] = {
    JS_CFUNC_DEF("setns", 2, namespace_setns),
    JS_CFUNC_DEF("unshare", 1, namespace_unshare),
    JS_CFUNC_DEF("sethostname", 1, namespace_sethostname),
};
TINY_TABLE(tiny_namespace_table, entries);
