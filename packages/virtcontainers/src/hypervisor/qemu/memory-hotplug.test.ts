import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { serveQmp } from "../../testing/fake-qmp.ts";
import { plugMemory } from "./memory-hotplug.ts";

const MIB = 1024 * 1024;
const options = { timeoutMs: 60_000, unplugMs: 60_000 };

/** A VM with 256 MiB; sizes in MiB. */
async function makeVm(t: TestContext, { slots = 2, max = 1024, share = false, full = false } = {}) {
  const backends = new Map<string, Record<string, unknown>>();
  const modules = new Map<string, string>();
  const answers: Record<string, (given: Record<string, unknown>) => object> = {
    "qom-get": () => ({ return: { size: 256 * MIB, slots, "max-size": max * MIB } }),
    "query-memdev": () => ({ return: [{ id: "ram0", share }, ...backends.values()] }),
    "query-memory-devices": () => ({
      return: [...modules].map(([id, memdev], slot) => ({
        type: "dimm",
        data: { id, slot, size: backends.get(memdev)?.size },
      })),
    }),
    "object-add": (given) => {
      backends.set(String(given.id), given);
      return { return: {} };
    },
    "object-del": ({ id }) =>
      backends.delete(String(id))
        ? { return: {} }
        : { error: { class: "GenericError", desc: `object '${id}' not found` } },
    device_add: ({ id, memdev }) => {
      if (full) return { error: { class: "GenericError", desc: "no" } };
      modules.set(String(id), String(memdev));
      return { return: {} };
    },
  };
  const qmp = await serveQmp(t, (execute, id, _socket, given) => {
    const info = { device: given.id, slot: "0", "slot-type": "DIMM", source: 1, status: 0 };
    const taken = JSON.stringify({ event: "ACPI_DEVICE_OST", data: { info } });
    const answer = JSON.stringify({ ...answers[execute]?.(given), id });
    return execute === "device_add" && !full ? `${answer}\r\n${taken}` : answer;
  });
  return { qmp, backends, modules };
}

test("memory comes in whole blocks, each time as a module of its own", async (t) => {
  const { qmp, backends, modules } = await makeVm(t);
  assert.equal(await plugMemory(300, {}, qmp, options), 384);
  assert.deepEqual(backends.get("mem-0"), {
    "qom-type": "memory-backend-ram",
    id: "mem-0",
    size: 128 * MIB,
  });
  // Once more: the answer may not have reached the caller before.
  assert.equal(await plugMemory(384, {}, qmp, options), 384);
  assert.equal(await plugMemory(640, {}, qmp, options), 640);
  assert.deepEqual([...modules.keys()], ["dimm-0", "dimm-1"]);
});

test("memory is as the VM's own: shared, preallocated, of huge pages", async (t) => {
  const shared = await makeVm(t, { share: true });
  await plugMemory(384, { memPrealloc: true }, shared.qmp, options);
  const { id: _, size: __, ...backend } = shared.backends.get("mem-0") ?? {};
  assert.deepEqual(backend, { "qom-type": "memory-backend-memfd", prealloc: true, share: true });
});

test("memory for which there is no room is refused by name", async (t) => {
  const none = await makeVm(t, { slots: 0, max: 256 });
  const noSlots = { code: "ERR_NO_DEVICE_SLOT", hint: /memSlots/ };
  await assert.rejects(plugMemory(384, {}, none.qmp, options), noSlots);
  const small = await makeVm(t, { max: 512 });
  const tooMuch = { code: "ERR_NO_DEVICE_SLOT", message: /512 are its most/ };
  await assert.rejects(plugMemory(600, {}, small.qmp, options), tooMuch);
  assert.equal(small.backends.size, 0);
});

test("memory that QEMU refuses leaves nothing behind", async (t) => {
  const { qmp, backends } = await makeVm(t, { full: true });
  await assert.rejects(plugMemory(384, {}, qmp, options), { code: "ERR_QMP" });
  assert.equal(backends.size, 0);
});

test("what a killed caller has left behind memory that never came goes first", async (t) => {
  const { qmp, backends, modules } = await makeVm(t);
  backends.set("mem-0", { id: "mem-0", size: 5, share: false });
  await plugMemory(384, {}, qmp, options);
  assert.equal(backends.get("mem-0")?.size, 128 * MIB);
  assert.equal(modules.get("dimm-0"), "mem-0");
});
