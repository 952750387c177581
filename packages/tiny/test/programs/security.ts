/** Programs that the kernel asks: eBPF and filters of system calls. Each scenario is a process of its own. */
import * as sys from "tiny:sys";
import {
  BPF_CGROUP_DEVICE,
  BPF_PROG_TYPE_CGROUP_DEVICE,
  exitCode,
  fork,
  PR_SET_NO_NEW_PRIVS,
} from "../../src/index.ts";
import { failureOf, runScenarios } from "./scenarios.ts";

/** `r0 = 1; exit` */
const YES = Uint8Array.of(0xb7, 0, 0, 0, 1, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);
/** mkdir (83) fails with 77, all else is allowed. */
const NO_MKDIR = Uint8Array.of(
  ...[0x20, 0, 0, 0, 0, 0, 0, 0],
  ...[0x15, 0, 0, 1, 83, 0, 0, 0],
  ...[0x06, 0, 0, 0, 77, 0, 5, 0],
  ...[0x06, 0, 0, 0, 0, 0, 0xff, 0x7f],
);

runScenarios({
  bpf() {
    const program = sys.bpfLoad(BPF_PROG_TYPE_CGROUP_DEVICE, YES);
    const kind = sys.readlink(`/proc/self/fd/${program}`);
    const endless = failureOf(() => sys.bpfLoad(BPF_PROG_TYPE_CGROUP_DEVICE, YES.subarray(0, 8)));
    const nowhere = failureOf(() => sys.bpfAttach(0, program, BPF_CGROUP_DEVICE, 0, -1));
    const none = failureOf(() => sys.bpfLoad(BPF_PROG_TYPE_CGROUP_DEVICE, "no bytes" as never));
    return { kind, endless, nowhere, none };
  },
  seccomp() {
    const endless = failureOf(() => sys.seccomp(0, NO_MKDIR.subarray(0, 24)));
    const long = failureOf(() => sys.seccomp(0, new Uint8Array(8 * 65536)));
    const pid = fork(() => {
      sys.prctl(PR_SET_NO_NEW_PRIVS, 1);
      sys.seccomp(0, NO_MKDIR);
      const failure = failureOf(() => sys.mkdir("/proc/husk", 0)) as { errno: number };
      sys.exit(failure.errno);
    });
    return { endless, long, errno: exitCode(sys.waitpid(pid, 0)?.[1] ?? -1) };
  },
});
