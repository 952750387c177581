import assert from "node:assert/strict";
import { test } from "node:test";
import { json } from "../test-support/bytes.ts";
import { parsePod } from "./pod.ts";

const encode = (text: string) => new TextEncoder().encode(text);

const empty = {
  hostname: "",
  dns: [],
  dnsSearch: [],
  dnsOptions: [],
  containers: [],
  interfaces: [],
  routes: [],
};

test("all forms of no payload are an empty pod", () => {
  for (const text of ["", " \n", "null", "{}", '""', '{"hostname":""}', '{"routes":null,"dns":null}']) {
    assert.deepEqual(parsePod(encode(text)), empty);
  }
});

test("a pod as a host sends it", () => {
  const pod = parsePod(
    json({
      hostname: "pod-1",
      dns: ["10.0.2.3"],
      dnsOptions: ["ndots:5"],
      dnsSearch: ["example.org"],
      shareDir: "share_dir",
      containers: [{ id: "c1", process: { stdio: 1, stderr: 2, args: ["true"] } }],
      interfaces: [
        { device: "eth0", newDeviceName: "net0", ipAddresses: [{ ipAddress: "10.0.2.15", netMask: 24 }] },
        {
          ...{ macAddr: "02:00:00:00:00:01", ipAddress: "-10.0.2.16", netMask: "255.255.255.0", mtu: 1500 },
          neighbors: [{ ipAddress: "10.0.2.2", macAddr: "02:00:00:00:00:02" }],
        },
      ],
      routes: [
        { dest: "default", gateway: "10.0.2.2" },
        { dest: "10.1.0.0/16", device: "net0", metric: 0xffffffff, onLink: true },
      ],
      portmappingWhiteLists: { internalNetworks: ["10.0.0.0/8"], externalNetworks: null },
      restartPolicy: "never",
    }),
  );
  assert.deepEqual(
    pod.containers.map(({ id }) => id),
    ["c1"],
  );
  assert.deepEqual(
    { ...pod, containers: [] },
    {
      hostname: "pod-1",
      shareDir: "share_dir",
      dns: ["10.0.2.3"],
      dnsSearch: ["example.org"],
      dnsOptions: ["ndots:5"],
      containers: [],
      interfaces: [
        {
          device: "eth0",
          newDeviceName: "net0",
          ipAddresses: [{ ipAddress: "10.0.2.15", netMask: "24" }],
          mtu: 0,
          neighbors: [],
        },
        {
          device: "",
          newDeviceName: "",
          ipAddresses: [{ ipAddress: "-10.0.2.16", netMask: "255.255.255.0" }],
          mtu: 1500,
          macAddr: "02:00:00:00:00:01",
          neighbors: [{ ipAddress: "10.0.2.2", macAddr: "02:00:00:00:00:02" }],
        },
      ],
      routes: [
        { dest: "default", gateway: "10.0.2.2" },
        { dest: "10.1.0.0/16", device: "net0", metric: 0xffffffff, onLink: true },
      ],
      portmappingWhiteLists: { internalNetworks: ["10.0.0.0/8"], externalNetworks: [] },
    },
  );
});

test("a fault deep in a pod is named by its path", () => {
  const process = { stdio: 1, stderr: 2, args: ["a"], envs: [{ env: "A", value: 1 }] };
  for (const [changes, path] of [
    [{ containers: [{ id: "c1", process }] }, "containers[0].process.envs[0].value"],
    [{ interfaces: [{}, { ipAddresses: [{ ipAddress: 1 }] }] }, "interfaces[1].ipAddresses[0].ipAddress"],
    [{ routes: [{ gateway: "10.0.0.1" }] }, "routes[0].dest"],
    [{ interfaces: [{ neighbors: [{ ipAddress: "10.0.0.1" }] }] }, "interfaces[0].neighbors[0].macAddr"],
    [{ routes: [{ dest: "default", metric: -1 }] }, "routes[0].metric"],
    [{ hostname: "a".repeat(65) }, "hostname"],
    [{ dns: ["10.0.0.1\nnameserver 10.6.6.6"] }, "dns[0]"],
  ] as const) {
    assert.throws(() => parsePod(json(changes)), { code: "ERR_PAYLOAD", path });
  }
});

test("what is no JSON object is refused without being quoted", () => {
  for (const text of ["garbage", "{", "[]", "5", '"x"', "true", '{"hostname":"a"} b', "\ufeff\ufeff{}"]) {
    assert.throws(
      () => parsePod(encode(text)),
      (error: Error) => {
        assert.equal(error.name, "PayloadError");
        assert.match(error.message, /^the payload (is not JSON in UTF-8|must be an object)$/);
        return true;
      },
    );
  }
  const notUtf8 = encode('{"hostname":"a"}');
  notUtf8[13] = 0xff;
  assert.throws(() => parsePod(notUtf8), { message: "the payload is not JSON in UTF-8" });
});

test("a payload has a bound, and depth does no harm", () => {
  assert.throws(() => parsePod(new Uint8Array(4 * 1024 * 1024 + 1)), { code: "ERR_PAYLOAD", path: "" });
  const deep = `{"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
  try {
    assert.deepEqual(parsePod(encode(deep)), empty);
  } catch (error) {
    // An engine may also refuse the depth.
    assert.equal((error as Error).name, "PayloadError");
  }
});
