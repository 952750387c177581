/* Programs that the kernel asks before it does something: eBPF, and the filters of system calls. */
#include <sys/syscall.h>
#include <unistd.h>

#include "tiny.h"

/* The kernel's numbers and structs of bpf(2) and seccomp(2), which musl does not have. */
enum { BPF_PROG_LOAD = 5, BPF_PROG_ATTACH = 8, BPF_INSTRUCTION_BYTES = 8 };
typedef struct {
    uint32_t type, instruction_count;
    uint64_t instructions, license;
    uint32_t log_level, log_size;
    uint64_t log;
    uint32_t kernel_version, flags;
} BpfLoad;
typedef struct {
    uint32_t target, program, type, flags, replaced;
} BpfAttach;
enum { SECCOMP_SET_MODE_FILTER = 1, FILTER_INSTRUCTION_BYTES = 8 };
typedef struct {
    uint16_t count;
    uint8_t *instructions;
} FilterProgram;

/* The descriptor of a program of this type. */
TINY_FUNCTION(security_bpf_load)
{
    TINY_INT64(type, 0);
    Bytes code;
    if (tiny_bytes(ctx, argv[1], &code)) return JS_EXCEPTION;
    BpfLoad load = {
        .type = (uint32_t)type,
        .instruction_count = (uint32_t)(code.size / BPF_INSTRUCTION_BYTES),
        .instructions = (uintptr_t)code.data,
        .license = (uintptr_t) "Apache-2.0",
    };
    return tiny_number(ctx, syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load), "bpf", NULL);
}

TINY_FUNCTION(security_bpf_attach)
{
    TINY_INT(target, 0);
    TINY_INT(program, 1);
    TINY_INT64(type, 2);
    TINY_INT64(flags, 3);
    TINY_INT(replaced, 4);
    BpfAttach attach = {(uint32_t)target, (uint32_t)program, (uint32_t)type, (uint32_t)flags, (uint32_t)replaced};
    return tiny_result(ctx, (int)syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach), "bpf", NULL);
}

/* From here on the filter is asked about every system call of this process and of those that it starts. */
TINY_FUNCTION(security_seccomp)
{
    TINY_INT64(flags, 0);
    Bytes code;
    if (tiny_bytes(ctx, argv[1], &code)) return JS_EXCEPTION;
    size_t count = code.size / FILTER_INSTRUCTION_BYTES;
    if (count > UINT16_MAX) return JS_ThrowRangeError(ctx, "a filter of %zu instructions", count);
    FilterProgram program = {(uint16_t)count, code.data};
    int result = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, (unsigned)flags, &program);
    return tiny_result(ctx, result, "seccomp", NULL);
}

static const JSCFunctionListEntry entries[] = {
    JS_CFUNC_DEF("bpfLoad", 2, security_bpf_load),
    JS_CFUNC_DEF("bpfAttach", 5, security_bpf_attach),
    JS_CFUNC_DEF("seccomp", 2, security_seccomp),
};
TINY_TABLE(tiny_security_table, entries);
