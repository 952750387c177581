import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { waitForHolders } from "../store/flock.ts";
import { PodDirectory } from "../store/pod-directory.ts";
import { type PodRecord, RECORD_VERSION } from "../store/pod-record.ts";
import { findPodProcesses, identifyProcess, isProcessAlive } from "../store/process-identity.ts";
import { needsRoot } from "../testing/needs-root.ts";
import { makeTempRoot } from "../testing/temp-root.ts";
import type { PodConfig } from "../types/index.ts";
import { bindIntoShare, releaseBinds, SHARE_FD } from "./share-namespace.ts";
import { endShares, findPodShare, POD_SHARE_TAG, serverOf, serveShares, sharesOf } from "./shares.ts";
import { findVirtiofsd } from "./virtiofsd.ts";

const limits = { timeoutMs: 20_000 };

function makePod(t: TestContext, config: Partial<PodConfig>) {
  const { base } = makeTempRoot(t);
  const directory = new PodDirectory(join(base, "pod"));
  mkdirSync(directory.path);
  mkdirSync(join(base, "data"));
  writeFileSync(join(base, "data", "file"), "content");
  const full = { id: "p", ...config };
  const record: PodRecord = {
    ...{ version: RECORD_VERSION, state: "ready", createdAt: "", uuid: `test-${process.pid}-${base}` },
    ...{ creator: { pid: 1, startTime: "1" }, config: full, containers: {}, drives: [] },
    shares: sharesOf(full, false),
  };
  return { base, directory, record, data: join(base, "data") };
}

/** What the daemon of the pod's own share sees. */
function seenAt(record: PodRecord, name: string): string {
  const share = findPodShare(record);
  assert.ok(share);
  return join(`/proc/${serverOf(share, record).pid}/fd/${SHARE_FD}`, name);
}

const sharing = { hypervisorConfig: { sharedFS: "virtiofs" as const } };
const bind = { name: "c/mount0", readOnly: false, recursive: false };

test("a pod has a share when it needs one or asks for it, and one for each volume", () => {
  const volumes = [{ mountTag: "data", hostPath: "/srv" }];
  assert.deepEqual(sharesOf({ id: "p" }, false), []);
  assert.deepEqual(sharesOf({ id: "p" }, true), [{ tag: POD_SHARE_TAG, kind: "virtiofs" }]);
  assert.deepEqual(sharesOf({ id: "p", volumes, hypervisorConfig: { sharedFS: "9p" } }, false), [
    { tag: POD_SHARE_TAG, kind: "9p" },
    { tag: "data", kind: "9p", hostPath: "/srv" },
  ]);
});

test(
  "a directory that is bound is seen by the daemon, by nobody else, and no more once it is released",
  needsRoot,
  async (t) => {
    const { directory, record, data } = makePod(t, sharing);
    const served = await serveShares(record, directory);
    t.after(() => endShares(record, directory));
    await served.ready(limits);
    const share = findPodShare(record);
    assert.ok(share?.daemon && served.fds.length === 1);
    await bindIntoShare({ ...bind, source: data }, directory, share.daemon, limits);
    assert.equal(readFileSync(seenAt(record, "c/mount0/file"), "utf8"), "content");
    writeFileSync(seenAt(record, "c/mount0/new"), "");
    assert.deepEqual(readdirSync(data), ["file", "new"]);
    assert.deepEqual(readdirSync(join(directory.file("share"), "c/mount0")), []);
    assert.ok(!readFileSync("/proc/self/mountinfo", "utf8").includes(directory.path));
    releaseBinds(directory, "c");
    assert.deepEqual(readdirSync(seenAt(record, "")), []);
    assert.deepEqual(readdirSync(data), ["file", "new"]);
    served.close();
  },
);

test(
  "read-only binds, files, and the share itself cannot be written to by the daemon",
  needsRoot,
  async (t) => {
    const { directory, record, data } = makePod(t, sharing);
    const served = await serveShares(record, directory);
    t.after(() => endShares(record, directory));
    await served.ready(limits);
    const server = findPodShare(record)?.daemon;
    assert.ok(server);
    const source = join(data, "file");
    await bindIntoShare({ ...bind, source, readOnly: true }, directory, server, limits);
    const refused = { code: "EROFS" };
    assert.throws(() => writeFileSync(seenAt(record, "c/mount0"), "other"), refused);
    assert.throws(() => mkdirSync(seenAt(record, "evil")), refused);
    assert.throws(() => symlinkSync("/etc", seenAt(record, "c/evil")), refused);
    assert.equal(readFileSync(source, "utf8"), "content");
    served.close();
  },
);

test(
  "the daemon ends when nobody holds its connection, and is killed when somebody does",
  needsRoot,
  async (t) => {
    const { directory, record, data } = makePod(t, { ...sharing, volumes: [] });
    const served = await serveShares(record, directory);
    await served.ready(limits);
    const server = findPodShare(record)?.daemon;
    assert.ok(server);
    // The daemon itself, and what it has forked by now.
    assert.ok(findPodProcesses(record.uuid).some(({ pid }) => pid === server.pid));
    await bindIntoShare({ ...bind, source: data }, directory, server, limits);
    await endShares(record, directory);
    assert.ok(!isProcessAlive(server));
    assert.ok(!existsSync(directory.file("share")));
    assert.deepEqual(readdirSync(data), ["file"]);
    served.close();

    record.shares = sharesOf(record.config, false);
    const again = await serveShares(record, directory);
    const second = findPodShare(record)?.daemon;
    assert.ok(second);
    await again.ready(limits);
    again.close();
    await waitForHolders(directory.file("shareLock"), { ...limits, what: "virtiofsd to end" });
    assert.ok(!isProcessAlive(second));
    assert.throws(() => seenAt(record, ""), { code: "ERR_SHARE_LOST" });
    await endShares(record, directory);
  },
);

test("what cannot be bound is told, and a missing volume starts nothing", needsRoot, async (t) => {
  const { directory, record, base } = makePod(t, sharing);
  const served = await serveShares(record, directory);
  t.after(() => endShares(record, directory));
  await served.ready(limits);
  const server = findPodShare(record)?.daemon;
  assert.ok(server);
  const source = join(base, "none");
  await assert.rejects(bindIntoShare({ ...bind, source }, directory, server, limits), {
    code: "ERR_SHARE_BIND",
  });
  const me = identifyProcess(process.pid);
  assert.ok(me);
  const dead = { ...me, startTime: "1" };
  await assert.rejects(bindIntoShare({ ...bind, source: base }, directory, dead, limits), {
    code: "ERR_SHARE_LOST",
  });
  served.close();

  const volumes = [
    { mountTag: "a", hostPath: base },
    { mountTag: "b", hostPath: source },
  ];
  const other = makePod(t, { volumes });
  await assert.rejects(serveShares(other.record, other.directory), {
    code: "ERR_MOUNT_SOURCE_MISSING",
    message: /"b".*ENOENT/,
  });
  assert.deepEqual(findPodProcesses(other.record.uuid), []);
});

test("a machine without virtiofsd is told which places were looked at", needsRoot, () => {
  const none = [
    { path: "/none/a", args: [] },
    { path: "/none/b", args: [] },
  ];
  assert.throws(() => findVirtiofsd(none), { code: "ERR_VIRTIOFSD", message: /\/none\/a nor at \/none\/b/ });
});

test("a volume is the directory itself", needsRoot, async (t) => {
  const { directory, record, data } = makePod(t, {});
  record.shares = sharesOf({ id: "p", volumes: [{ mountTag: "v", hostPath: data }] }, false);
  const served = await serveShares(record, directory);
  t.after(() => endShares(record, directory));
  assert.equal(readlinkSync(`/proc/${record.shares[0]?.daemon?.pid}/fd/${SHARE_FD}`), data);
  served.close();
});
