/* UTF-8, as the Encoding Standard has it: the engine's own reader lets surrogates and overlong forms through. */
#include "tiny.h"

/* U+FFFD, which stands for what is not UTF-8 and for half a surrogate pair. */
static const uint8_t replacement[3] = {0xef, 0xbf, 0xbd};

/* Half pairs are the only source of the bytes ED A0..BF; what stands for them has the same length. */
static void replace_half_pairs(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i + 2 < size; i++)
        if (bytes[i] == 0xed && bytes[i + 1] >= 0xa0) memcpy(bytes + i, replacement, 3);
}

TINY_FUNCTION(text_encode)
{
    size_t size;
    const char *text = JS_ToCStringLen(ctx, &size, argv[0]);
    if (!text) return JS_EXCEPTION;
    JSValue buffer = JS_NewArrayBufferCopy(ctx, (const uint8_t *)text, size);
    JS_FreeCString(ctx, text);
    if (JS_IsException(buffer)) return buffer;
    uint8_t *copy = JS_GetArrayBuffer(ctx, &size, buffer);
    if (copy) replace_half_pairs(copy, size);
    JSValueConst arguments[3] = {buffer, JS_UNDEFINED, JS_UNDEFINED};
    JSValue bytes = JS_NewTypedArray(ctx, 3, arguments, JS_TYPED_ARRAY_UINT8);
    JS_FreeValue(ctx, buffer);
    return bytes;
}

/*
 * Bytes of the character at the start of the text; *valid tells whether it is one. Else the length is that of its
 * longest beginning that some character has, at least 1: one U+FFFD stands for it. Table 3-7 of the Unicode Standard.
 */
static size_t character(const uint8_t *text, size_t size, int *valid)
{
    uint8_t first = text[0], low = 0x80, high = 0xbf;
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (first == 0xe0) low = 0xa0;
    if (first == 0xed) high = 0x9f;
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;
    *valid = length != 0;
    for (size_t i = 1; i < length; i++, low = 0x80, high = 0xbf) {
        if (i < size && text[i] >= low && text[i] <= high) continue;
        *valid = 0;
        return i;
    }
    return length ? length : 1;
}

/* Where the first thing is that is not UTF-8; the size when all is well. */
static size_t first_fault(const uint8_t *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        int valid = 1;
        size_t length = text[at] < 0x80 ? 1 : character(text + at, size - at, &valid);
        if (!valid) return at;
        at += length;
    }
    return size;
}

/* The text with U+FFFD for each fault; at worst each byte is one, and becomes three. */
static JSValue repaired(JSContext *ctx, const uint8_t *text, size_t size)
{
    uint8_t *copy = js_malloc(ctx, 3 * size);
    if (!copy) return JS_EXCEPTION;
    size_t written = 0;
    for (size_t at = 0; at < size;) {
        int valid;
        size_t length = character(text + at, size - at, &valid);
        memcpy(copy + written, valid ? text + at : replacement, valid ? length : 3);
        written += valid ? length : 3;
        at += length;
    }
    JSValue result = JS_NewStringLen(ctx, (const char *)copy, written);
    js_free(ctx, copy);
    return result;
}

/* What is not UTF-8 becomes U+FFFD or, with a true second argument, a TypeError. */
TINY_FUNCTION(text_decode)
{
    Bytes bytes;
    if (tiny_bytes(ctx, argv[0], &bytes)) return JS_EXCEPTION;
    if (first_fault(bytes.data, bytes.size) == bytes.size)
        return JS_NewStringLen(ctx, (const char *)bytes.data, bytes.size);
    if (JS_ToBool(ctx, argv[1])) return JS_ThrowTypeError(ctx, "the bytes are not UTF-8");
    return repaired(ctx, bytes.data, bytes.size);
}

static const JSCFunctionListEntry entries[] = {
    JS_CFUNC_DEF("encodeUtf8", 1, text_encode),
    JS_CFUNC_DEF("decodeUtf8", 2, text_decode),
};
TINY_TABLE(tiny_text_table, entries);
