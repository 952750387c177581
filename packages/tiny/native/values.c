/* From JavaScript values to C values and back, and errno to an Error. */
#include <stdio.h>

#include "tiny.h"

const char *tiny_string(JSContext *ctx, JSValueConst value)
{
    size_t size;
    const char *text = JS_ToCStringLen(ctx, &size, value);
    if (!text) return NULL;
    if (memchr(text, 0, size)) {
        JS_FreeCString(ctx, text);
        JS_ThrowTypeError(ctx, "a string for the kernel may not hold a NUL byte");
        return NULL;
    }
    return text;
}

int tiny_optional_string(JSContext *ctx, JSValueConst value, const char **out)
{
    *out = NULL;
    if (JS_IsUndefined(value) || JS_IsNull(value)) return 0;
    *out = tiny_string(ctx, value);
    return *out ? 0 : -1;
}

int tiny_bytes(JSContext *ctx, JSValueConst value, Bytes *out)
{
    size_t offset, size, element, buffer_size;
    JSValue buffer = JS_GetTypedArrayBuffer(ctx, value, &offset, &size, &element);
    if (JS_IsException(buffer)) return -1;
    uint8_t *data = JS_GetArrayBuffer(ctx, &buffer_size, buffer);
    JS_FreeValue(ctx, buffer);
    if (!data && buffer_size) return -1;
    out->data = data + offset;
    out->size = size;
    return 0;
}

char **tiny_strings(JSContext *ctx, JSValueConst array)
{
    int64_t count;
    JSValue length = JS_GetPropertyStr(ctx, array, "length");
    int failed = JS_ToInt64(ctx, &count, length);
    JS_FreeValue(ctx, length);
    if (failed) return NULL;
    char **strings = calloc((size_t)count + 1, sizeof(char *));
    if (!strings) {
        JS_ThrowOutOfMemory(ctx);
        return NULL;
    }
    for (int64_t i = 0; i < count; i++) {
        JSValue item = JS_GetPropertyUint32(ctx, array, (uint32_t)i);
        const char *text = tiny_string(ctx, item);
        JS_FreeValue(ctx, item);
        strings[i] = text ? strdup(text) : NULL;
        if (text) JS_FreeCString(ctx, text);
        if (!strings[i]) {
            tiny_free_strings(strings);
            return NULL;
        }
    }
    return strings;
}

void tiny_free_strings(char **strings)
{
    if (!strings) return;
    for (char **s = strings; *s; s++) free(*s);
    free(strings);
}

JSValue tiny_throw_errno(JSContext *ctx, const char *syscall, const char *path)
{
    int code = errno;
    JSValue error = JS_NewError(ctx);
    char message[512];
    if (path)
        snprintf(message, sizeof message, "%s %s: %s", syscall, path, strerror(code));
    else
        snprintf(message, sizeof message, "%s: %s", syscall, strerror(code));
    JS_DefinePropertyValueStr(ctx, error, "message", JS_NewString(ctx, message), JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
    JS_DefinePropertyValueStr(ctx, error, "syscall", JS_NewString(ctx, syscall), JS_PROP_C_W_E);
    JS_DefinePropertyValueStr(ctx, error, "errno", JS_NewInt32(ctx, code), JS_PROP_C_W_E);
    if (path) JS_DefinePropertyValueStr(ctx, error, "path", JS_NewString(ctx, path), JS_PROP_C_W_E);
    return JS_Throw(ctx, error);
}

JSValue tiny_result(JSContext *ctx, int result, const char *syscall, const char *path)
{
    return result < 0 ? tiny_throw_errno(ctx, syscall, path) : JS_UNDEFINED;
}

JSValue tiny_number(JSContext *ctx, int64_t result, const char *syscall, const char *path)
{
    return result < 0 ? tiny_throw_errno(ctx, syscall, path) : JS_NewInt64(ctx, result);
}
