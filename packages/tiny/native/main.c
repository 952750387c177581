/* Starts the engine, gives the program its system calls as the module "tiny:sys", and runs it. */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "tiny.h"

extern char **environ;

static const TinyTable *const tables[] = {
    &tiny_file_table,  &tiny_directory_table, &tiny_process_table, &tiny_namespace_table, &tiny_mount_table,
    &tiny_event_table, &tiny_signal_table,    &tiny_socket_table,  &tiny_system_table,    &tiny_text_table,
    &tiny_security_table, &tiny_memory_table,
};
#define TABLES (sizeof tables / sizeof tables[0])

static char **arguments;
static double started;

static JSValue string_array(JSContext *ctx, char **strings)
{
    JSValue array = JS_NewArray(ctx);
    for (uint32_t i = 0; strings[i]; i++) JS_SetPropertyUint32(ctx, array, i, JS_NewString(ctx, strings[i]));
    return array;
}

static int fill_module(JSContext *ctx, JSModuleDef *module)
{
    for (size_t i = 0; i < TABLES; i++)
        if (JS_SetModuleExportList(ctx, module, tables[i]->entries, tables[i]->count)) return -1;
    if (JS_SetModuleExport(ctx, module, "argv", string_array(ctx, arguments))) return -1;
    if (JS_SetModuleExport(ctx, module, "startedAt", JS_NewFloat64(ctx, started))) return -1;
    return JS_SetModuleExport(ctx, module, "environ", string_array(ctx, environ));
}

static int declare_module(JSContext *ctx)
{
    JSModuleDef *module = JS_NewCModule(ctx, "tiny:sys", fill_module);
    if (!module) return -1;
    for (size_t i = 0; i < TABLES; i++) JS_AddModuleExportList(ctx, module, tables[i]->entries, tables[i]->count);
    JS_AddModuleExport(ctx, module, "argv");
    JS_AddModuleExport(ctx, module, "startedAt");
    return JS_AddModuleExport(ctx, module, "environ");
}

/* No eval: the parser is left out of the binary, and a program can run only what was compiled into it. */
static JSContext *new_context(JSRuntime *runtime)
{
    JSContext *ctx = JS_NewContextRaw(runtime);
    if (!ctx) return NULL;
    JS_AddIntrinsicBaseObjects(ctx);
    JS_AddIntrinsicRegExp(ctx);
    JS_AddIntrinsicJSON(ctx);
    JS_AddIntrinsicMapSet(ctx);
    JS_AddIntrinsicTypedArrays(ctx);
    JS_AddIntrinsicPromise(ctx);
    return ctx;
}

static int report(JSContext *ctx)
{
    JSValue error = JS_GetException(ctx);
    const char *text = JS_ToCString(ctx, error);
    JSValue stack_value = JS_GetPropertyStr(ctx, error, "stack");
    const char *stack = JS_IsUndefined(stack_value) ? NULL : JS_ToCString(ctx, stack_value);
    fprintf(stderr, "%s\n%s", text ? text : "unknown exception", stack ? stack : "");
    return 70; /* EX_SOFTWARE */
}

int main(int argc, char **argv)
{
    (void)argc;
    arguments = argv;
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    started = (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
    JSRuntime *runtime = JS_NewRuntime2(&tiny_memory, NULL);
    JSContext *ctx = runtime ? new_context(runtime) : NULL;
    if (!ctx || declare_module(ctx)) {
        fputs("the JavaScript engine did not start: out of memory\n", stderr);
        return 71; /* EX_OSERR */
    }
    JSValue program = tiny_read_program(ctx);
    if (JS_IsException(program) || JS_ResolveModule(ctx, program) < 0) return report(ctx);
    JSValue result = JS_EvalFunction(ctx, program);
    if (JS_IsException(result)) return report(ctx);
    JSContext *job_context;
    while (JS_ExecutePendingJob(runtime, &job_context) > 0) {
    }
    if (JS_PromiseState(ctx, result) == JS_PROMISE_REJECTED) {
        JS_Throw(ctx, JS_PromiseResult(ctx, result));
        return report(ctx);
    }
    return 0;
}
