/** Mounts and namespaces. Root only; each scenario is a process of its own, so it may leave what it was in. */
import * as sys from "tiny:sys";
import {
  AT_RECURSIVE,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUTS,
  exists,
  exitCode,
  fork,
  MNT_DETACH,
  MOUNT_ATTR_RDONLY,
  MS_BIND,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_REMOUNT,
  O_CLOEXEC,
  O_RDONLY,
  PR_CAP_AMBIENT,
  PR_CAP_AMBIENT_RAISE,
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

  attributes(folder) {
    ownMounts();
    sys.mount("tmpfs", `${folder}`, "tmpfs", 0, null);
    sys.mkdir(`${folder}/below`, 0o755);
    sys.mount("tmpfs", `${folder}/below`, "tmpfs", 0, null);
    const write = () =>
      [folder, `${folder}/below`].map((path) => {
        const failure = failureOf(() => writeText(`${path}/new`, ""));
        return failure === "nothing" ? "written" : "failed";
      });
    sys.mountSetattr(`${folder}`, 0, MOUNT_ATTR_RDONLY, 0);
    const one = write();
    sys.mountSetattr(`${folder}`, AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0);
    const all = write();
    sys.mountSetattr(`${folder}`, AT_RECURSIVE, 0, MOUNT_ATTR_RDONLY);
    return [one, all, write(), failureOf(() => sys.mountSetattr("/proc/self", 0, 0, MOUNT_ATTR_RDONLY))];
  },

  capabilities() {
    const status = () =>
      readText("/proc/self/status")
        .split("\n")
        .filter((line) => /^Cap(Inh|Prm|Eff|Amb)/.test(line))
        .map((line) => Number.parseInt(line.split("\t")[1] ?? "", 16));
    // 0 chown, 5 kill, 39 bpf: one above the first 32.
    const [chown, kill, bpf] = [2 ** 0, 2 ** 5, 2 ** 39];
    sys.capset(chown, chown + kill + bpf, kill);
    sys.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 5);
    const sets = status();
    return [sets, failureOf(() => sys.capset(0, 2 ** 1, 0))];
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
