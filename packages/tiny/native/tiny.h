/* What the files of the binding share: argument and error helpers, and one table of functions per file. */
#ifndef TINY_H
#define TINY_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "quickjs.h"

/* Every function of the binding has this shape. */
#define TINY_FUNCTION(name) \
    static JSValue name(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)

/* A borrowed view of a Uint8Array's bytes. */
typedef struct {
    uint8_t *data;
    size_t size;
} Bytes;

/* NULL and a pending exception when the value is not a string, or holds a NUL byte. Free with JS_FreeCString. */
const char *tiny_string(JSContext *ctx, JSValueConst value);
/* Like tiny_string, but null and undefined give *out = NULL. Returns -1 with a pending exception. */
int tiny_optional_string(JSContext *ctx, JSValueConst value, const char **out);
/* 0, or -1 with a pending exception when the value is not a Uint8Array. */
int tiny_bytes(JSContext *ctx, JSValueConst value, Bytes *out);
/* A NULL-terminated vector from an array of strings; NULL with a pending exception. Free with tiny_free_strings. */
char **tiny_strings(JSContext *ctx, JSValueConst array);
void tiny_free_strings(char **strings);

/* Throws an Error with the properties syscall, errno and, when given, path. Reads errno first. */
JSValue tiny_throw_errno(JSContext *ctx, const char *syscall, const char *path);
/* undefined for 0, else the exception for errno. */
JSValue tiny_result(JSContext *ctx, int result, const char *syscall, const char *path);
/* The number itself when it is not negative, else the exception for errno. */
JSValue tiny_number(JSContext *ctx, int64_t result, const char *syscall, const char *path);

#define TINY_INT(name, index)                              \
    int32_t name;                                          \
    if (JS_ToInt32(ctx, &name, argv[index])) return JS_EXCEPTION
#define TINY_INT64(name, index)                            \
    int64_t name;                                          \
    if (JS_ToInt64(ctx, &name, argv[index])) return JS_EXCEPTION

typedef struct {
    const JSCFunctionListEntry *entries;
    int count;
} TinyTable;

#define TINY_TABLE(name, entries) \
    const TinyTable name = {entries, (int)(sizeof(entries) / sizeof((entries)[0]))}

/* The program's first module, which has those that it imports read as they are needed; an exception when there is no room. */
JSValue tiny_read_program(JSContext *ctx);

/* How the engine gets its memory. */
extern const JSMallocFunctions tiny_memory;

extern const TinyTable tiny_file_table;
extern const TinyTable tiny_directory_table;
extern const TinyTable tiny_process_table;
extern const TinyTable tiny_namespace_table;
extern const TinyTable tiny_mount_table;
extern const TinyTable tiny_event_table;
extern const TinyTable tiny_signal_table;
extern const TinyTable tiny_socket_table;
extern const TinyTable tiny_system_table;
extern const TinyTable tiny_text_table;
extern const TinyTable tiny_security_table;
extern const TinyTable tiny_memory_table;

#endif
