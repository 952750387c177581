/*
 * The engine's memory. Large blocks are kept for a while when they are freed: malloc gives them back to the kernel at
 * once, and each page of the next one costs a fault, which in an emulated machine is dearer than all that is done with
 * the bytes.
 */
#include <malloc.h>

#include "tiny.h"

/* What is kept: blocks of these sizes, so many, and so many bytes of them in all. */
#define LEAST_BYTES (16 * 1024)
#define MOST_BYTES (512 * 1024)
#define BLOCKS 8
#define KEPT_BYTES (512 * 1024)

/* What the engine adds to a block's size when it counts. */
#define OVERHEAD 8

static struct {
    void *block;
    size_t size;
} kept[BLOCKS];
static size_t kept_bytes;
static unsigned next_slot;

static size_t usable(const void *block)
{
    return malloc_usable_size((void *)block);
}

/* The smallest kept block that has room, but not one of more than twice the size. */
static void *take_kept(size_t size)
{
    int best = -1;
    for (int i = 0; i < BLOCKS; i++)
        if (kept[i].block && kept[i].size >= size && kept[i].size <= 2 * size &&
            (best < 0 || kept[i].size < kept[best].size))
            best = i;
    if (best < 0) return NULL;
    void *block = kept[best].block;
    kept_bytes -= kept[best].size;
    kept[best].block = NULL;
    return block;
}

static void release_slot(unsigned slot)
{
    if (!kept[slot].block) return;
    free(kept[slot].block);
    kept_bytes -= kept[slot].size;
    kept[slot].block = NULL;
}

/* Keeps a freed block in the place of older ones. */
static void keep(void *block, size_t size)
{
    unsigned slot = next_slot;
    for (unsigned i = 0; i < BLOCKS && kept[slot].block; i++) slot = (slot + 1) % BLOCKS;
    release_slot(slot);
    for (unsigned i = 1; kept_bytes + size > KEPT_BYTES; i++) release_slot((slot + i) % BLOCKS);
    kept[slot].block = block;
    kept[slot].size = size;
    kept_bytes += size;
    next_slot = (slot + 1) % BLOCKS;
}

static void *memory_malloc(JSMallocState *state, size_t size)
{
    if (state->malloc_size + size > state->malloc_limit) return NULL;
    void *block = size >= LEAST_BYTES ? take_kept(size) : NULL;
    if (!block) block = malloc(size);
    if (!block) return NULL;
    state->malloc_count++;
    state->malloc_size += usable(block) + OVERHEAD;
    return block;
}

static void memory_free(JSMallocState *state, void *block)
{
    if (!block) return;
    size_t size = usable(block);
    state->malloc_count--;
    state->malloc_size -= size + OVERHEAD;
    if (size >= LEAST_BYTES && size <= MOST_BYTES)
        keep(block, size);
    else
        free(block);
}

static void *memory_realloc(JSMallocState *state, void *block, size_t size)
{
    if (!block) return size ? memory_malloc(state, size) : NULL;
    if (!size) {
        memory_free(state, block);
        return NULL;
    }
    size_t before = usable(block);
    if (state->malloc_size + size - before > state->malloc_limit) return NULL;
    void *moved = realloc(block, size);
    if (!moved) return NULL;
    state->malloc_size += usable(moved) - before;
    return moved;
}

/* What is set aside: blocks up to this size, so many of each size, the more the smaller they are. */
#define LARGEST_RESERVED 8192
#define MOST_RESERVED 16

/* One block of each size that is never used: what is beside it in memory is kept for others. */
static void *pins[96];

/*
 * Sees to it that there is room for blocks of all sizes, which is not given back to the kernel when it is free. A copy of
 * the machine that asks for what its next blocks take finds it, instead of mapping it anew.
 */
TINY_FUNCTION(memory_reserve)
{
    unsigned pin = 0;
    for (size_t size = 16; size <= LARGEST_RESERVED && pin < sizeof pins / sizeof pins[0]; size += size < 128 ? 16 : size / 8) {
        void *blocks[MOST_RESERVED];
        unsigned count = size <= 256 ? MOST_RESERVED : size <= 1024 ? 6 : 3;
        for (unsigned i = 0; i < count; i++) blocks[i] = malloc(size);
        for (unsigned i = 1; i < count; i++) free(blocks[i - 1]);
        free(pins[pin]);
        pins[pin++] = blocks[count - 1];
    }
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry entries[] = {
    JS_CFUNC_DEF("reserveMemory", 0, memory_reserve),
};
TINY_TABLE(tiny_memory_table, entries);

const JSMallocFunctions tiny_memory = {memory_malloc, memory_free, memory_realloc, usable};
