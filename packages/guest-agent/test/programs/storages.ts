/**
 * Does with storages and devices what the arguments say, each a JSON list of a verb and what it is about, and prints the
 * answers as a JSON list.
 */
import * as sys from "tiny:sys";
import { errorText, reapChildren, run, writeAll } from "@husk/tiny";
import type { Device, Spec, Storage } from "@husk/wire/kata";
import { statusName, TtrpcError } from "@husk/wire/ttrpc";
import { findDevices } from "../../src/core/device-handlers/index.ts";
import { addStorages, releaseStorages } from "../../src/core/storages/index.ts";

/** What was mounted below /run after /run itself: type and options of each mount point. */
function listMounts(): Record<string, string> {
  const all = readMounts();
  const run = all.findLastIndex((line) => line.split(" ")[4] === "/run");
  const lines = all.slice(run).filter((line) => line.split(" ")[4]?.startsWith("/run/"));
  return Object.fromEntries(
    lines.map((line) => {
      const words = line.split(" ");
      return [words[4], `${words[words.indexOf("-") + 1]} ${words[5]} ${words.at(-1)}`];
    }),
  );
}

function readMounts(): string[] {
  const fd = sys.open("/proc/self/mountinfo", 0, 0);
  const bytes = new Uint8Array(1 << 20);
  let size = 0;
  for (let count = -1; count !== 0; size += count) count = sys.read(fd, bytes, size, bytes.length - size);
  sys.close(fd);
  return sys.decodeUtf8(bytes.subarray(0, size)).split("\n");
}

interface Numbered {
  Major: bigint;
  Minor: bigint;
}

const toBig = (list: Numbered[]) =>
  list.map((one) => ({ ...one, Major: BigInt(one.Major), Minor: BigInt(one.Minor) }));

async function rewrite(devices: Device[], entries: Numbered[], rules: Numbered[]): Promise<unknown> {
  const Linux = { Devices: toBig(entries), Resources: { Devices: toBig(rules) } };
  await findDevices(devices, { Linux } as unknown as Spec);
  const numbers = (list: Numbered[]) => list.map(({ Major, Minor }) => `${Major}:${Minor}`);
  return { devices: numbers(Linux.Devices), rules: numbers(Linux.Resources.Devices) };
}

const verbs: Record<string, (...args: never[]) => unknown> = {
  add: (owner: string, storages: Storage[]) => addStorages(storages, owner),
  addTogether: (owners: string[], storages: Storage[]) =>
    Promise.all(owners.map((owner) => addStorages(storages, owner))),
  release: (owner: string) => releaseStorages(owner),
  mounts: listMounts,
  stat(path: string) {
    const { mode, uid, gid } = sys.lstat(path);
    return [`0${(mode & 0o7777).toString(8)}`, uid, gid];
  },
  list: (path: string) => sys.readdir(path).sort(),
  rewrite,
};

async function obey(text: string): Promise<unknown> {
  const [verb = "", ...args] = JSON.parse(text) as [string, ...never[]];
  try {
    return (await verbs[verb]?.(...args)) ?? "done";
  } catch (error) {
    const status = error instanceof TtrpcError ? statusName(error.code) : "failed";
    return `${status}: ${errorText(error)}`;
  }
}

run(async () => {
  reapChildren();
  const answers: unknown[] = [];
  for (const text of sys.argv.slice(1)) answers.push(await obey(text));
  writeAll(1, sys.encodeUtf8(JSON.stringify(answers)));
});
