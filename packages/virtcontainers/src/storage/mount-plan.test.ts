import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { makeTempRoot } from "../testing/temp-root.ts";
import type { Mount } from "../types/index.ts";
import { planMount } from "./mount-plan.ts";

const volumes = [{ mountTag: "data", hostPath: "/srv" }];
const plan = (mount: Partial<Mount>) =>
  planMount({ source: "/etc", destination: "/m", ...mount }, "mounts[0]", volumes);
const refuses = (mount: Partial<Mount>, code: string, message: RegExp) =>
  assert.throws(() => plan(mount), { code, message });

function makeFiles(t: TestContext): string {
  const { base } = makeTempRoot(t);
  mkdirSync(join(base, "dir"));
  writeFileSync(join(base, "file"), "");
  symlinkSync("dir", join(base, "link"));
  return base;
}

test("a bind is of what the path leads to, by type or by option", (t) => {
  const base = makeFiles(t);
  const bind = { source: join(base, "dir"), destination: "/m", readOnly: false, recursive: false };
  assert.deepEqual(plan({ source: join(base, "link"), type: "bind" }), { kind: "bind", bind });
  assert.deepEqual(plan({ source: bind.source, options: ["rbind", "ro", "rprivate"] }), {
    kind: "bind",
    bind: { ...bind, readOnly: true, recursive: true },
  });
  assert.deepEqual(plan({ source: join(base, "file"), type: "none", options: ["bind"], readOnly: true }), {
    kind: "bind",
    bind: { ...bind, source: join(base, "file"), readOnly: true },
  });
});

test("a volume is one of the pod's", () => {
  const volume = { kind: "volume", tag: "data", destination: "/m", readOnly: true };
  assert.deepEqual(plan({ source: "data", type: "volume", readOnly: true }), volume);
  refuses({ source: "other", type: "volume" }, "ERR_CONFIG_INVALID", /no volume with the mountTag "other"/);
});

test("what needs nothing of the host is the guest's affair, with all its options", () => {
  const options = ["size=1m", "nosuid"];
  assert.deepEqual(plan({ source: "", type: "tmpfs", destination: "/a//b/../c/", options, readOnly: true }), {
    kind: "guest",
    mount: { destination: "/a/c", type: "tmpfs", source: "tmpfs", options: [...options, "ro"] },
  });
  assert.equal(plan({ source: "shm", type: "tmpfs", destination: "/dev/shm" }).kind, "guest");
});

test("a bind of a device node is a device", () => {
  assert.deepEqual(plan({ source: "/dev/null", destination: "/dev/nothing", type: "bind" }), {
    kind: "device",
    device: { path: "/dev/nothing", type: "c", major: 1, minor: 3, fileMode: 0o666 },
  });
});

test("what the guest could not reach, or its agent mounts itself, is refused", async (t) => {
  const base = makeFiles(t);
  execFileSync("mkfifo", [join(base, "fifo")]);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(base, "socket"), resolve));
  t.after(() => server.close());
  const bind = { type: "bind" };
  refuses({ ...bind, source: join(base, "fifo") }, "ERR_NOT_SUPPORTED", /a fifo of the host/);
  refuses({ ...bind, source: join(base, "socket") }, "ERR_NOT_SUPPORTED", /a socket of the host/);
  for (const destination of ["/proc", "/proc/sys", "/sys/fs/cgroup", "/dev", "/dev/pts", "/", "/x/../proc"]) {
    refuses({ ...bind, destination }, "ERR_NOT_SUPPORTED", /mounts\[0\].destination: the guest's agent/);
  }
  assert.equal(plan({ ...bind, destination: "/processes" }).kind, "bind");
});

test("what makes no sense is refused, and named", () => {
  refuses({ destination: "m", type: "bind" }, "ERR_CONFIG_INVALID", /destination: must be an absolute path/);
  refuses({ source: "etc", type: "bind" }, "ERR_CONFIG_INVALID", /source: must be an absolute path/);
  refuses({ source: "/none/at/all", type: "bind" }, "ERR_MOUNT_SOURCE_MISSING", /does not exist: \/none/);
  refuses({ type: "nfs" }, "ERR_NOT_SUPPORTED", /type: "nfs" cannot be mounted; known are: bind, volume/);
  refuses({}, "ERR_NOT_SUPPORTED", /type: ""/);
  refuses({ type: "bind", options: ["rshared"] }, "ERR_NOT_SUPPORTED", /options: "rshared" is not possible/);
  refuses({ type: "bind", options: ["rw"], readOnly: true }, "ERR_CONFIG_INVALID", /both/);
});
