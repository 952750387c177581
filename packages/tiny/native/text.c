/*
 * UTF-8, as the Encoding Standard has it: the engine's own reader lets surrogates and overlong forms through. And lines of
 * bytes as lines of JSON: one by one, the engine would make some 20 MB/s of them.
 */
#include <stdio.h>

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

/* Bytes at the end of the text that begin a character and do not end it; at most 3. */
static size_t unfinished(const uint8_t *text, size_t size)
{
    for (size_t back = 1; back <= 3 && back <= size; back++) {
        if ((text[size - back] & 0xc0) == 0x80) continue;
        int valid;
        return text[size - back] >= 0xc2 && character(text + size - back, back, &valid) == back && !valid ? back : 0;
    }
    return 0;
}

/* The inside of a JSON string; at most 6 bytes for each. */
static uint8_t *escaped(uint8_t *out, const uint8_t *text, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    static const char letters[] = "btn?fr"; /* of the bytes 8 to 13 */
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = text[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\') {
            *out++ = byte;
            continue;
        }
        *out++ = '\\';
        if (byte >= 0x20) *out++ = byte;
        else if (byte >= 8 && byte <= 13 && byte != 11) *out++ = (uint8_t)letters[byte - 8];
        else {
            memcpy(out, "u00", 3);
            out[3] = (uint8_t)digits[byte >> 4];
            out[4] = (uint8_t)digits[byte & 15];
            out += 5;
        }
    }
    return out;
}

static uint8_t *base64(uint8_t *out, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t three = (uint32_t)bytes[i] << 16;
        if (left > 1) three |= (uint32_t)bytes[i + 1] << 8;
        if (left > 2) three |= bytes[i + 2];
        *out++ = (uint8_t)digits[three >> 18];
        *out++ = (uint8_t)digits[three >> 12 & 63];
        *out++ = (uint8_t)(left > 1 ? digits[three >> 6 & 63] : '=');
        *out++ = (uint8_t)(left > 2 ? digits[three & 63] : '=');
    }
    return out;
}

/* What a line's end and its position add to it at most. */
#define AROUND_LINE 64

static uint8_t *json_line(uint8_t *out, Bytes head, int64_t position, const uint8_t *line, size_t size)
{
    memcpy(out, head.data, head.size);
    out += head.size;
    int valid = first_fault(line, size) == size;
    out += sprintf((char *)out, "%lld,\"%s\":\"", (long long)position, valid ? "log" : "base64");
    out = valid ? escaped(out, line, size) : base64(out, line, size);
    memcpy(out, "\"}\n", 3);
    return out + 3;
}

/*
 * (input, from, output, at, head, position, limit, final): each line from an offset of the input on, in pieces of at most
 * `limit` bytes, as `head`, its position, and the rest of a JSON object; as far as the output has room. A character that
 * the input's end cuts is left, unless this is final. Returns where it came to in the input and in the output.
 */
TINY_FUNCTION(text_json_lines)
{
    Bytes input, output, head;
    TINY_INT64(from, 1);
    TINY_INT64(at, 3);
    TINY_INT64(position, 5);
    TINY_INT64(limit, 6);
    if (tiny_bytes(ctx, argv[0], &input) || tiny_bytes(ctx, argv[2], &output) || tiny_bytes(ctx, argv[4], &head))
        return JS_EXCEPTION;
    int final = JS_ToBool(ctx, argv[7]);
    if (from < 0 || (uint64_t)from > input.size || at < 0 || (uint64_t)at > output.size || limit < 4)
        return JS_ThrowRangeError(ctx, "an offset reaches past its buffer");
    size_t done = (size_t)from;
    uint8_t *out = output.data + at;
    while (done < input.size) {
        const uint8_t *line = input.data + done;
        size_t most = input.size - done < (size_t)limit ? input.size - done : (size_t)limit;
        const uint8_t *newline = memchr(line, '\n', most);
        size_t size = newline ? (size_t)(newline - line) + 1 : most;
        if (!newline && !(final && done + size == input.size)) size -= unfinished(line, size);
        size_t room = (size_t)(output.data + output.size - out);
        if (size == 0 || head.size + AROUND_LINE + 6 * size > room) break;
        out = json_line(out, head, position + (int64_t)(done - (size_t)from), line, size);
        done += size;
    }
    JSValue pair = JS_NewArray(ctx);
    JS_SetPropertyUint32(ctx, pair, 0, JS_NewInt64(ctx, (int64_t)done));
    JS_SetPropertyUint32(ctx, pair, 1, JS_NewInt64(ctx, out - output.data));
    return pair;
}

static const JSCFunctionListEntry entries[] = {
    JS_CFUNC_DEF("encodeUtf8", 1, text_encode),
    JS_CFUNC_DEF("decodeUtf8", 2, text_decode),
    JS_CFUNC_DEF("jsonLines", 8, text_json_lines),
};
TINY_TABLE(tiny_text_table, entries);
