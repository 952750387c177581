/* The program's modules, as bytecode in its own file: the entry's, and those that are read when somebody imports them. */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tiny.h"

/* One module; build/program.ts writes the table. */
typedef struct {
    const char *name;
    const uint8_t *begin, *end;
} Module;

/* The entry's is the first; one without a name ends them. */
extern const Module tiny_modules[];

/* The engine has made its own of a module: its pages are not needed any more, and would count as resident. */
static void forget(const Module *module)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t end = (uintptr_t)module->end & ~(page - 1);
    uintptr_t begin = ((uintptr_t)module->begin + page - 1) & ~(page - 1);
    if (end > begin) madvise((void *)begin, end - begin, MADV_DONTNEED);
}

static JSValue read_module(JSContext *ctx, const Module *module)
{
    JSValue value = JS_ReadObject(ctx, module->begin, (size_t)(module->end - module->begin), JS_READ_OBJ_BYTECODE);
    forget(module);
    return value;
}

static JSModuleDef *load_module(JSContext *ctx, const char *name, void *opaque)
{
    (void)opaque;
    const Module *module = tiny_modules;
    while (module->name && strcmp(module->name, name) != 0) module++;
    if (!module->name) {
        JS_ThrowReferenceError(ctx, "the program has no module \"%s\"", name);
        return NULL;
    }
    JSValue value = read_module(ctx, module);
    if (JS_IsException(value)) return NULL;
    JSModuleDef *definition = JS_VALUE_GET_PTR(value);
    /* The context keeps its modules itself. */
    JS_FreeValue(ctx, value);
    return definition;
}

JSValue tiny_read_program(JSContext *ctx)
{
    JS_SetModuleLoaderFunc(JS_GetRuntime(ctx), NULL, load_module, NULL);
    return read_module(ctx, &tiny_modules[0]);
}
