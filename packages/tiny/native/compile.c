/* The compiler, run on the host at build time: one module of JavaScript in, the engine's bytecode out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quickjs.h"

/* Modules that the program imports are there at run time (tiny:sys); here an empty one stands for each. */
static int empty_module(JSContext *ctx, JSModuleDef *module)
{
    (void)ctx, (void)module;
    return 0;
}

static JSModuleDef *load_module(JSContext *ctx, const char *name, void *opaque)
{
    (void)opaque;
    return JS_NewCModule(ctx, name, empty_module);
}

static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(*size + 1);
    if (text && fread(text, 1, *size, file) != *size) text = NULL;
    if (text) text[*size] = 0;
    fclose(file);
    return text;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: compile strip-debug|keep-debug MODULE-NAME INPUT.js OUTPUT.bin\n");
        return 2;
    }
    int keep_debug = strcmp(argv[1], "keep-debug") == 0;
    size_t size, bytecode_size;
    char *source = read_file(argv[3], &size);
    if (!source) {
        perror(argv[3]);
        return 1;
    }
    JSRuntime *runtime = JS_NewRuntime();
    JSContext *ctx = JS_NewContext(runtime);
    JS_SetModuleLoaderFunc(runtime, NULL, load_module, NULL);
    /*
     * Names of functions stay, for readable stacks. Line numbers would be the bundle's, and take a tenth of the memory;
     * but import() looks among them for the name of the module that it is in.
     */
    JS_SetStripInfo(runtime, keep_debug ? JS_STRIP_SOURCE : JS_STRIP_DEBUG);
    JSValue module = JS_Eval(ctx, source, size, argv[2], JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    if (JS_IsException(module)) {
        JSValue error = JS_GetException(ctx);
        JSValue stack = JS_GetPropertyStr(ctx, error, "stack");
        fprintf(stderr, "%s\n%s", JS_ToCString(ctx, error), JS_ToCString(ctx, stack));
        return 1;
    }
    uint8_t *bytecode = JS_WriteObject(ctx, &bytecode_size, module, JS_WRITE_OBJ_BYTECODE);
    FILE *output = bytecode ? fopen(argv[4], "wb") : NULL;
    if (!output || fwrite(bytecode, 1, bytecode_size, output) != bytecode_size || fclose(output)) {
        perror(argv[4]);
        return 1;
    }
    return 0;
}
