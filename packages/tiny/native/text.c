/* UTF-8. */
#include "tiny.h"

TINY_FUNCTION(text_encode)
{
    size_t size;
    const char *text = JS_ToCStringLen(ctx, &size, argv[0]);
    if (!text) return JS_EXCEPTION;
    JSValue buffer = JS_NewArrayBufferCopy(ctx, (const uint8_t *)text, size);
    JS_FreeCString(ctx, text);
    if (JS_IsException(buffer)) return buffer;
    JSValueConst arguments[3] = {buffer, JS_UNDEFINED, JS_UNDEFINED};
    JSValue bytes = JS_NewTypedArray(ctx, 3, arguments, JS_TYPED_ARRAY_UINT8);
    JS_FreeValue(ctx, buffer);
    return bytes;
}

TINY_FUNCTION(text_decode)
{
    Bytes bytes;
    if (tiny_bytes(ctx, argv[0], &bytes)) return JS_EXCEPTION;
    return JS_NewStringLen(ctx, (const char *)bytes.data, bytes.size);
}

static const JSCFunctionListEntry entries[] = {
    JS_CFUNC_DEF("encodeUtf8", 1, text_encode),
    JS_CFUNC_DEF("decodeUtf8", 1, text_decode),
};
TINY_TABLE(tiny_text_table, entries);
