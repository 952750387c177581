import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { serveQmp } from "../../testing/fake-qmp.ts";
import { plugVcpus, unplugVcpus } from "./vcpu-hotplug.ts";

const options = { timeoutMs: 60_000, unplugMs: 60_000 };

/** A VM with one CPU and room for more; `refused`: a CPU that QEMU does not take, `ignored`: one that the guest does not. */
async function makeVm(t: TestContext, places: number, { refused = "", ignored = "" } = {}) {
  const plugged = new Map<string, number>();
  const heard: string[] = [];
  const pathOf = (core: number) => {
    if (core === 0) return { "qom-path": "/machine/unattached/device[0]" };
    const id = [...plugged].find(([, taken]) => taken === core)?.[0];
    return id === undefined ? {} : { "qom-path": `/machine/peripheral/${id}` };
  };
  const qmp = await serveQmp(t, (execute, id, _socket, given) => {
    const name = String(given.id);
    if (execute === "query-hotpluggable-cpus") {
      const place = (core: number) => ({
        type: "max-x86_64-cpu",
        props: { "socket-id": 0, "core-id": core, "thread-id": 0 },
        ...pathOf(core),
      });
      // QEMU tells the last one first.
      const list = Array.from({ length: places }, (_, core) => place(core)).reverse();
      return JSON.stringify({ return: list, id });
    }
    heard.push(`${execute} ${name}`);
    if (name === refused) return JSON.stringify({ error: { class: "GenericError", desc: "no" }, id });
    if (execute === "device_add") {
      plugged.set(name, Number(given["core-id"]));
      const info = { device: name, slot: "1", "slot-type": "CPU", source: 1, status: 0 };
      const taken = name === ignored ? "" : JSON.stringify({ event: "ACPI_DEVICE_OST", data: { info } });
      return `${JSON.stringify({ return: {}, id })}\r\n${taken}`;
    }
    plugged.delete(name);
    // As QEMU tells it: of a part, without the id.
    const path = `/machine/peripheral/${name}/lapic`;
    const deleted = JSON.stringify({ event: "DEVICE_DELETED", data: { path } });
    return `${JSON.stringify({ return: {}, id })}\r\n${deleted}`;
  });
  return { qmp, plugged, heard };
}

test("processors come in order until there are as many as wanted, and go the other way", async (t) => {
  const { qmp, plugged, heard } = await makeVm(t, 4);
  assert.equal(await plugVcpus(3, qmp, options), 3);
  assert.deepEqual(
    [...plugged],
    [
      ["cpu-1", 1],
      ["cpu-2", 2],
    ],
  );
  // Once more: the answer may not have reached the caller before.
  assert.equal(await plugVcpus(3, qmp, options), 3);
  assert.equal(await plugVcpus(2, qmp, options), 3);
  await unplugVcpus(2, qmp, options);
  assert.deepEqual([...plugged.keys()], ["cpu-1"]);
  // What the VM began with stays.
  await unplugVcpus(0, qmp, options);
  await unplugVcpus(0, qmp, options);
  assert.deepEqual(heard, ["device_add cpu-1", "device_add cpu-2", "device_del cpu-2", "device_del cpu-1"]);
});

test("more processors than the VM has places for are refused, and none comes", async (t) => {
  const { qmp, heard } = await makeVm(t, 2);
  const refused = { code: "ERR_NO_DEVICE_SLOT", message: /2 virtual CPUs/, hint: /defaultMaxVCPUs/ };
  await assert.rejects(plugVcpus(3, qmp, options), refused);
  assert.deepEqual(heard, []);
});

test("when one is refused, those that came before it go again", async (t) => {
  const { qmp, plugged } = await makeVm(t, 4, { refused: "cpu-3" });
  await assert.rejects(plugVcpus(4, qmp, options), { code: "ERR_QMP" });
  assert.equal(plugged.size, 0);
});

test("those that the guest does not take in time go again", async (t) => {
  const { qmp, plugged } = await makeVm(t, 4, { ignored: "cpu-2" });
  const refused = { code: "ERR_TIMEOUT", message: /^the guest has not taken cpu-2, / };
  await assert.rejects(plugVcpus(3, qmp, { ...options, unplugMs: 100 }), refused);
  assert.equal(plugged.size, 0);
});
