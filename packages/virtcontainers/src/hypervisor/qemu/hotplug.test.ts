import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { serveQmp } from "../../testing/fake-qmp.ts";
import { makeTempRoot } from "../../testing/temp-root.ts";
import { plugDrive, unplugDrive } from "./hotplug.ts";

const options = { timeoutMs: 60_000, unplugMs: 60_000 };
const plan = { machine: "q35", blockDriver: "virtio-blk" } as const;

/** A VM with devices and block nodes; `stubborn`: its guest gives nothing back; `full`: it takes no device. */
async function makeVm(t: TestContext, { stubborn = false, full = false } = {}) {
  const imagePath = join(makeTempRoot(t).base, "image");
  writeFileSync(imagePath, "raw bytes");
  const drive = { id: "d0", imagePath, fstype: "ext4", addr: "0f/00" };
  const [nodes, devices, heard] = [new Set<string>(), new Set<string>(), [] as string[]];
  const fail = (errorClass: string) => ({ error: { class: errorClass, desc: "no" } });
  const answers: Record<string, (given: Record<string, string>) => object> = {
    "query-named-block-nodes": () => ({ return: [...nodes].map((name) => ({ "node-name": name })) }),
    "blockdev-add": (given) => {
      nodes.add(given["node-name"] ?? "");
      return { return: {} };
    },
    "blockdev-del": (given) =>
      nodes.delete(given["node-name"] ?? "") ? { return: {} } : fail("GenericError"),
    device_add: ({ id = "" }) => {
      if (full) return fail("GenericError");
      devices.add(id);
      return { return: {} };
    },
    device_del: ({ id = "" }) => {
      if (!devices.has(id)) return fail("DeviceNotFound");
      if (!stubborn) devices.delete(id);
      return { return: {} };
    },
  };
  const qmp = await serveQmp(t, (execute, id, socket, given) => {
    heard.push(execute);
    const answer = answers[execute]?.(given as Record<string, string>) ?? {};
    if (execute === "device_del" && "return" in answer && !stubborn) {
      const event = (device: string) => ({ event: "DEVICE_DELETED", data: { device, path: "/p" } });
      // Somebody else's end must not be taken for ours.
      socket.write(`${JSON.stringify(event("other"))}\r\n`);
      return `${JSON.stringify({ ...answer, id })}\r\n${JSON.stringify(event(given.id as string))}`;
    }
    return JSON.stringify({ ...answer, id });
  });
  return { drive, qmp, nodes, devices, heard };
}

test("a disk is opened and plugged in, and taken out and closed", async (t) => {
  const { drive, qmp, nodes, devices } = await makeVm(t);
  await plugDrive(drive, plan, qmp, options);
  assert.deepEqual([[...nodes], [...devices]], [["node-d0"], ["disk-d0"]]);
  await unplugDrive(drive, qmp, options);
  assert.deepEqual([nodes.size, devices.size], [0, 0]);
  // Once more: an earlier attempt's answer may have been lost.
  await unplugDrive(drive, qmp, options);
});

test("a disk that QEMU refuses leaves no open image", async (t) => {
  const { drive, qmp, nodes } = await makeVm(t, { full: true });
  await assert.rejects(plugDrive(drive, plan, qmp, options), { code: "ERR_QMP" });
  assert.equal(nodes.size, 0);
});

test("what a killed caller has left of the same disk is taken out first", async (t) => {
  const { drive, qmp, nodes, devices, heard } = await makeVm(t);
  nodes.add("node-d0");
  devices.add("disk-d0");
  await plugDrive(drive, plan, qmp, options);
  assert.deepEqual([[...nodes], [...devices]], [["node-d0"], ["disk-d0"]]);
  assert.ok(heard.indexOf("device_del") < heard.indexOf("device_add"));
});

test("a guest that gives nothing back is not waited for any longer than its deadline", async (t) => {
  const { drive, qmp, nodes } = await makeVm(t, { stubborn: true });
  await plugDrive(drive, plan, qmp, options);
  await assert.rejects(unplugDrive(drive, qmp, { ...options, unplugMs: 5 }), { code: "ERR_TIMEOUT" });
  assert.equal(nodes.size, 1, "the image stays open as long as the guest has the disk");
  const signal = AbortSignal.abort();
  await assert.rejects(unplugDrive(drive, qmp, { ...options, signal }), { code: "ERR_ABORTED" });
});

test("an image that is no raw disk is refused before QEMU hears of it", async (t) => {
  const { drive, qmp, heard } = await makeVm(t);
  writeFileSync(drive.imagePath, Buffer.from("QFI\xfb rest", "latin1"));
  await assert.rejects(plugDrive(drive, plan, qmp, options), { code: "ERR_NOT_SUPPORTED", message: /qcow2/ });
  const missing = { ...drive, imagePath: "/none/at/all" };
  await assert.rejects(plugDrive(missing, plan, qmp, options), { code: "ERR_ASSET_MISSING" });
  assert.deepEqual(heard, []);
});
