/** Mounts and namespaces. Root only; each scenario is a process of its own, so it may leave what it was in. */
import * as sys from "tiny:sys";
import {
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUTS,
  exists,
  exitCode,
  fork,
  MNT_DETACH,
  MS_BIND,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_REMOUNT,
  O_CLOEXEC,
  O_RDONLY,
  readText,
  withFile,
  writeText,
} from "../../src/index.ts";
import { failureOf, runScenarios } from "./scenarios.ts";

function ownMounts(): void {
  sys.unshare(CLONE_NEWNS);
  sys.mount(null, "/", null, MS_REC | MS_PRIVATE, null);
}

const codeOf = (pid: number) => exitCode(sys.waitpid(pid, 0)?.[1] ?? -1);

runScenarios({
  mounts(folder) {
    ownMounts();
    sys.mount("tmpfs", `${folder}`, "tmpfs", 0, "mode=711");
    const mode = sys.stat(`${folder}`).mode & 0o777;
    writeText(`${folder}/file`, "x");
    writeText(`${folder}/over`, "y");
    sys.mount(`${folder}/file`, `${folder}/over`, null, MS_BIND, null);
    const bound = readText(`${folder}/over`);
    sys.umount(`${folder}/over`, 0);
    const unbound = readText(`${folder}/over`);
    sys.mount(null, `${folder}`, null, MS_REMOUNT | MS_RDONLY, null);
    const readOnly = failureOf(() => writeText(`${folder}/new`, ""));
    sys.umount(`${folder}`, MNT_DETACH);
    const left = sys.readdir(`${folder}`).length;
    return { mode, bound, unbound, readOnly, left, again: failureOf(() => sys.umount(`${folder}`, 0)) };
  },

  pivot(folder) {
    ownMounts();
    sys.mount("tmpfs", `${folder}`, "tmpfs", 0, null);
    writeText(`${folder}/inside`, "");
    sys.chdir(`${folder}`);
    sys.pivotRoot(".", ".");
    sys.umount(".", MNT_DETACH);
    sys.chdir("/");
    return [exists("/inside"), exists("/bin"), sys.readdir("/")];
  },

  setns(folder) {
    const own = sys.open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC, 0);
    ownMounts();
    sys.mount("tmpfs", `${folder}`, "tmpfs", 0, null);
    writeText(`${folder}/inside`, "");
    const there = exists(`${folder}/inside`);
    sys.setns(own, CLONE_NEWNS);
    return [there, exists(`${folder}/inside`), failureOf(() => sys.setns(own, CLONE_NEWUTS))];
  },

  hostname() {
    const before = readText("/proc/sys/kernel/hostname");
    const pid = fork(() => {
      sys.sethostname("inside");
      return sys.exit(readText("/proc/sys/kernel/hostname") === "inside\n" ? 0 : 1);
    }, CLONE_NEWUTS);
    return [codeOf(pid), readText("/proc/sys/kernel/hostname") === before];
  },

  firstProcess() {
    return codeOf(fork(() => sys.exit(sys.getpid() === 1 ? 0 : 1), CLONE_NEWPID));
  },

  chroot(folder) {
    const pid = fork(() =>
      withFile("/", O_RDONLY, 0, (root) => {
        sys.chroot(`${folder}`);
        sys.chdir("/");
        const inside = sys.readdir("/").length;
        sys.fchdir(root);
        return sys.exit(inside === 0 && exists("proc") ? 0 : 1);
      }),
    );
    return codeOf(pid);
  },

  refused() {
    return [
      failureOf(() => sys.mount("none", "/none", "tmpfs", 0, null)),
      failureOf(() => sys.pivotRoot("/none", "/none")),
      failureOf(() => sys.unshare(0x1)),
    ];
  },
});
