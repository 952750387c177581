import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { splitSeed } from "../../fuzz/kata-targets.ts";
import { readSeeds } from "../../fuzz/run.ts";
import {
  decodeMessage,
  encodeMessage,
  findMethod,
  type Message,
  type MessageType,
} from "../protobuf/index.ts";
import { type Field, fieldsOf } from "../protobuf/message-type.ts";
import { concat, hex } from "../test-support/bytes.ts";
import * as kata from "./index.ts";

const text = fc.string({ unit: "grapheme", maxLength: 20 });
const scalars: Record<Exclude<Field["kind"], "m">, fc.Arbitrary<unknown>> = {
  s: text,
  b: fc.uint8Array({ maxLength: 200 }),
  t: fc.boolean(),
  u: fc.nat(2 ** 32 - 1),
  i: fc.integer(),
  U: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  I: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
};

/** Messages as decoding gives them. */
function anyMessage(type: MessageType<Message>): fc.Arbitrary<Message> {
  const fields = fieldsOf(type).list;
  const optional = fields.filter(({ rule, kind }) => rule === "?" || (rule === "" && kind === "m"));
  return fc.record(Object.fromEntries(fields.map((field) => [field.name, anyField(field)])), {
    requiredKeys: fields.filter((field) => !optional.includes(field)).map(({ name }) => name),
    noNullPrototype: true,
  });
}

function anyField({ kind, rule, type }: Field): fc.Arbitrary<unknown> {
  const value = kind === "m" ? anyMessage(type as MessageType<Message>) : scalars[kind];
  if (rule === "*") return fc.array(value, { maxLength: 3 });
  if (rule === "%")
    return fc.array(fc.tuple(text, value), { maxLength: 3 }).map((entries) => new Map(entries));
  return value;
}

test("any message of any method survives encoding and decoding", () => {
  const methods = [...Object.values(kata.AgentService.methods), ...Object.values(kata.Health.methods)];
  const types = new Set<MessageType<Message>>(
    methods.flatMap(({ request, response }) => [request, response]),
  );
  for (const type of types) {
    const property = fc.property(anyMessage(type), (message) => {
      assert.deepEqual(decodeMessage(type, encodeMessage(type, message)), message);
    });
    fc.assert(property, { numRuns: 15 });
  }
});

test("messages of an independent implementation are read and written again byte by byte", () => {
  const seeds = readSeeds("kata");
  assert.ok(seeds.length >= 6);
  for (const seed of seeds) {
    const { type, bytes } = splitSeed(seed);
    const message = decodeMessage(type, bytes);
    assert.equal(message.$unknown, undefined);
    assert.deepEqual(encodeMessage(type, message), bytes, type.name);
  }
});

test("a container's specification is read as it was meant", () => {
  const seed = readSeeds("kata").find((bytes) => splitSeed(bytes).type === kata.CreateContainerRequest);
  assert.ok(seed);
  const { OCI, storages, stderrPort } = decodeMessage(kata.CreateContainerRequest, splitSeed(seed).bytes);
  assert.deepEqual(OCI?.Process?.Args, ["/bin/sh", "", "ü€😀"]);
  assert.deepEqual(OCI?.Process?.Rlimits, [{ Type: "RLIMIT_NOFILE", Hard: 2n ** 64n - 1n, Soft: 1024n }]);
  assert.equal(OCI?.Linux?.Resources?.CPU?.Quota, -1n);
  assert.equal(OCI?.Linux?.Seccomp?.Syscalls[0]?.errnoret, 0);
  assert.equal(OCI?.Annotations.get(""), "empty key");
  assert.deepEqual(storages[0]?.fsGroup, {
    groupId: 7,
    groupChangePolicy: kata.FSGroupChangePolicy.OnRootMismatch,
  });
  assert.equal(stderrPort, 2 ** 32 - 1);
});

/** By hand, from the numbers of Kata's agent. */
const golden: [what: string, bytes: Uint8Array, digits: string][] = [
  [
    "CreateSandbox",
    encodeMessage(kata.CreateSandboxRequest, {
      hostname: "pod",
      dns: ["nameserver 1.1.1.1"],
      sandboxId: "s",
      kernelModules: [{ name: "fuse", parameters: ["a=1"] }],
    }),
    `0a03 706f64 1212 6e616d6573657276657220312e312e312e31 2a01 73 3a0b 0a04 66757365 1203 613d31`,
  ],
  [
    "SignalProcess",
    encodeMessage(kata.SignalProcessRequest, { containerId: "c", signal: 15 }),
    "0a01 63 180f",
  ],
  [
    "ReseedRandomDev has no field 1",
    encodeMessage(kata.ReseedRandomDevRequest, { data: hex("0a") }),
    "1201 0a",
  ],
  [
    "UpdateInterface",
    encodeMessage(kata.UpdateInterfaceRequest, {
      interface: {
        name: "eth0",
        IPAddresses: [{ family: kata.IPFamily.v6, address: "::1", mask: "128" }],
        mtu: 1500n,
        hwAddr: "02:00",
        rawFlags: 128,
      },
    }),
    "0a21 1204 65746830 1a0c 0801 1203 3a3a31 1a03 313238 20dc0b 2a05 30323a3030 408001",
  ],
  [
    "SetGuestDateTime",
    encodeMessage(kata.SetGuestDateTimeRequest, { Sec: 1n, Usec: -1n }),
    "0801 10ffffffffffffffffff01",
  ],
  [
    "AddARPNeighbors",
    encodeMessage(kata.AddARPNeighborsRequest, { neighbors: { ARPNeighbors: [{ state: 128 }] } }),
    "0a05 0a03 208001",
  ],
  ["WaitProcess's answer", encodeMessage(kata.WaitProcessResponse, { status: 137 }), "088901"],
  [
    "ListProcesses",
    encodeMessage(kata.ListProcessesRequest, { format: "json", args: ["-ef"] }),
    "1204 6a736f6e 1a03 2d6566",
  ],
  ["Empty", encodeMessage(kata.Empty, {}), ""],
];

for (const [what, bytes, digits] of golden) {
  test(`golden bytes: ${what}`, () => {
    assert.equal(Buffer.from(bytes).toString("hex"), digits.replaceAll(" ", ""));
  });
}

test("unknown fields survive at every depth", () => {
  const unknown = hex("f2f104 02 0102 f8f104 8001 fdf104 01020304 f9f104 0102030405060708");
  const bytes = concat([
    hex("0a 01 63 22"),
    Uint8Array.of(unknown.length + 3),
    hex("32 01 2f"),
    unknown,
    unknown,
  ]);
  const message = decodeMessage(kata.ExecProcessRequest, bytes);
  assert.equal(message.containerId, "c");
  assert.equal(message.process?.Cwd, "/");
  assert.deepEqual(message.$unknown, unknown);
  assert.deepEqual(message.process?.$unknown, unknown);
  assert.deepEqual(encodeMessage(kata.ExecProcessRequest, message), bytes);
});

test("a field that Kata 1.x has with another type is kept as unknown", () => {
  // agent_pidns, a boolean, where 4.x has the list shared_mounts.
  const bytes = hex("0a 01 63 40 01");
  const message = decodeMessage(kata.CreateContainerRequest, bytes);
  assert.deepEqual([message.sharedMounts, message.$unknown], [[], hex("4001")]);
  assert.deepEqual(encodeMessage(kata.CreateContainerRequest, message), bytes);
});

test("methods are found by name, and nothing else is", () => {
  assert.equal(findMethod(kata.AgentService, "CopyFile"), "CopyFile");
  for (const name of ["copyFile", "", "toString", "__proto__", "constructor"]) {
    assert.equal(findMethod(kata.AgentService, name), undefined);
  }
  assert.equal(kata.AgentService.name, "grpc.AgentService");
  assert.equal(kata.Health.name, "grpc.Health");
});
