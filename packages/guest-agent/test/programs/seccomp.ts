/** Children under filters of system calls: makes one for the profile in the argument, and prints what became of each. */
import * as sys from "tiny:sys";
import {
  AF_NETLINK,
  AF_UNIX,
  exitCode,
  isSystemError,
  onExit,
  PR_SET_NO_NEW_PRIVS,
  run,
  SOCK_RAW,
  writeAll,
} from "@husk/tiny";
import { LinuxSeccomp } from "@husk/wire/kata";
import { decodeMessage, encodeMessage, type MessageInit } from "@husk/wire/protobuf";
import { forkChild } from "../../src/core/fork-child.ts";
import { compileSeccomp } from "../../src/core/seccomp/compile-seccomp.ts";
import { installSeccomp } from "../../src/core/seccomp/install-seccomp.ts";
import { findSyscalls } from "../../src/core/seccomp/syscall-numbers.ts";

const NOBODY = 65534;

/** The errno that a task fails with; 0 when it does not. */
function errnoOf(task: () => unknown): number {
  try {
    task();
    return 0;
  } catch (error) {
    return isSystemError(error) ? error.errno : 255;
  }
}

/** How a child ends that does something under a filter. */
function under(
  profile: MessageInit<LinuxSeccomp>,
  work: () => number,
  prepare: () => void = () => {},
): Promise<number> {
  const filter = compileSeccomp(decodeMessage(LinuxSeccomp, encodeMessage(LinuxSeccomp, profile)));
  const pid = forkChild(() => {
    prepare();
    try {
      installSeccomp(filter);
    } catch (error) {
      writeAll(2, sys.encodeUtf8(`${error}\n`));
      sys.exit(99);
    }
    sys.exit(work());
  });
  return new Promise((resolve) => onExit(pid, (status) => resolve(exitCode(status))));
}

const rule = (Names: string[], Action: string, more = {}) => ({ Names, Action, ...more });
const allowing = (...Syscalls: NonNullable<MessageInit<LinuxSeccomp>["Syscalls"]>) => ({
  DefaultAction: "SCMP_ACT_ALLOW",
  Syscalls,
});
const makeFolder = () => errnoOf(() => sys.mkdir("/proc/husk", 0));
const openSocket = (family: number) => errnoOf(() => sys.socket(family, SOCK_RAW, 0));

/** All names of this machine but these. */
function allBut(...names: string[]): string[] {
  const others: string[] = [];
  findSyscalls(
    (name) => !names.includes(name),
    (name) => others.push(name),
  );
  return others;
}

const scenarios: Record<string, () => Promise<unknown>> = {
  errno: () => under(allowing(rule(["mkdir"], "SCMP_ACT_ERRNO", { errnoret: 77 })), makeFolder),
  kill: () => under(allowing(rule(["mkdir"], "SCMP_ACT_KILL_PROCESS")), makeFolder),
  trap: () => under(allowing(rule(["mkdir"], "SCMP_ACT_TRAP")), makeFolder),
  log: () => under(allowing(rule(["mkdir"], "SCMP_ACT_LOG")), makeFolder),
  /** Nobody may do so without having lost the way to new privileges. */
  async unprivileged() {
    const become = () => sys.setuid(NOBODY);
    const profile = allowing(rule(["mkdir"], "SCMP_ACT_ERRNO", { errnoret: 77 }));
    const bound = () => {
      become();
      sys.prctl(PR_SET_NO_NEW_PRIVS, 1);
    };
    return [await under(profile, makeFolder, become), await under(profile, makeFolder, bound)];
  },
  async arguments() {
    const Args = [{ Index: 0n, Value: BigInt(AF_NETLINK), Op: "SCMP_CMP_EQ" }];
    const profile = allowing(rule(["socket"], "SCMP_ACT_ERRNO", { errnoret: 77, Args }));
    return [
      await under(profile, () => openSocket(AF_NETLINK)),
      await under(profile, () => openSocket(AF_UNIX)),
    ];
  },
  /** A shell under a list of what is allowed, by three ways into the kernel. */
  shell() {
    const profile = {
      DefaultAction: "SCMP_ACT_ERRNO",
      Architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
      Flags: ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"],
      Syscalls: [rule(allBut("mkdir", "mkdirat"), "SCMP_ACT_ALLOW")],
    };
    return under(profile, () => sys.execve("/bin/sh", ["sh", "-c", "mkdir /proc/husk 2>&1; exit 3"], []));
  },
};

run(async () => {
  const [, name = ""] = sys.argv;
  const scenario = scenarios[name];
  if (!scenario) throw new Error(`no scenario "${name}"`);
  writeAll(1, sys.encodeUtf8(JSON.stringify(await scenario())));
});
