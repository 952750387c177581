import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hex } from "../test-support/bytes.ts";
import { formatHardwareAddress, parseHardwareAddress } from "./hardware-address.ts";
import { parseAddress, parseNetwork } from "./ip-address.ts";
import {
  attribute,
  decodeAck,
  decodeAttributes,
  decodeMessages,
  decodeText,
  encodeRequest,
  join,
  nested,
  type Request,
} from "./message.ts";
import { deleteTable, fromNetwork, redirectTo, replaceTable, toPort, verdict } from "./nftables.ts";
import { addRoute, decodeRoutes, deleteRoute, dumpRoutes } from "./routes.ts";
import {
  addAddress,
  addNeighbour,
  decodeAddresses,
  decodeLinkStats,
  decodeLinks,
  dumpAddresses,
  dumpLinks,
  getLink,
  setLink,
} from "./rtnetlink.ts";

const written = (request: Request) => Buffer.from(encodeRequest(request, 7)).toString("hex");
const digits = (text: string) => Buffer.from(hex(text)).toString("hex");

// Laid out by hand from the kernel's headers, with sequence 7 and without the flags that the socket adds.
test("requests about links are the kernel's bytes", () => {
  assert.equal(
    written(getLink("eth0")),
    digits(
      "2c000000 1200 0000 07000000 00000000  00000000 00000000 00000000 00000000  0900 0300 65746830 00 000000",
    ),
  );
  assert.equal(
    written(dumpLinks()),
    digits("20000000 1200 0003 07000000 00000000  00000000 00000000 00000000 00000000"),
  );
  assert.equal(
    written(setLink(3, { name: "b", mtu: 1400, up: true })),
    digits(
      "30000000 1000 0000 07000000 00000000  00000000 03000000 01000000 01000000" +
        "0600 0300 6200 0000  0800 0400 78050000",
    ),
  );
});

test("requests about addresses and routes are the kernel's bytes", () => {
  assert.equal(
    written(addAddress(3, parseNetwork("10.1.2.3/24"))),
    digits(
      "30000000 1400 0005 07000000 00000000  02 18 00 00 03000000" +
        "0800 0200 0a010203  0800 0100 0a010203  0800 0800 02000000",
    ),
  );
  const viaGateway = {
    destination: parseNetwork("10.9.8.7/16"),
    gateway: parseAddress("10.1.2.1"),
    link: 3,
    source: parseAddress("10.1.2.3"),
  };
  assert.equal(
    written(addRoute(viaGateway)),
    digits(
      "3c000000 1800 000c 07000000 00000000  02 10 00 00 fe 03 00 01 00000000" +
        "0800 0100 0a090000  0800 0500 0a010201  0800 0400 03000000  0800 0700 0a010203",
    ),
  );
  assert.equal(
    written(addRoute({ destination: parseNetwork("::/0"), link: 3 })),
    digits("24000000 1800 000c 07000000 00000000  0a 00 00 00 fe 03 fd 01 00000000  0800 0400 03000000"),
  );
  const onLink = { gateway: parseAddress("fe80::1"), link: 3, metric: 1024, onLink: true };
  assert.equal(
    written(addRoute({ destination: parseNetwork("fd00::1/16"), ...onLink })),
    digits(
      "54000000 1800 000c 07000000 00000000  0a 10 00 00 fe 03 00 01 04000000" +
        "1400 0100 fd00000000000000 0000000000000000" +
        "1400 0500 fe80000000000000 0000000000000001  0800 0400 03000000  0800 0600 00040000",
    ),
  );
});

test("a route's own scope and largest packet, and its removal, are the kernel's bytes", () => {
  const route = { destination: parseNetwork("10.9.0.0/16"), link: 3, scope: 254, mtu: 1400 };
  assert.equal(
    written(addRoute(route)),
    digits(
      "38000000 1800 000c 07000000 00000000  02 10 00 00 fe 03 fe 01 00000000" +
        "0800 0100 0a090000  0800 0400 03000000  0c00 0880 0800 0200 78050000",
    ),
  );
  assert.equal(
    written(deleteRoute({ ...route, metric: 5, flags: 0, isKernels: false })),
    digits(
      "34000000 1900 0000 07000000 00000000  02 10 00 00 fe 00 fe 01 00000000" +
        "0800 0100 0a090000  0800 0400 03000000  0800 0600 05000000",
    ),
  );
  assert.equal(
    written(dumpRoutes()),
    digits("1c000000 1a00 0003 07000000 00000000  00000000 00000000 00000000"),
  );
});

test("routes are read", () => {
  // A way of the main table with all that it can have; then one of the local table, and one of another family.
  const answer = hex(
    "48000000 1800 0200 07000000 00000000  02 10 00 00 fe 03 00 01 04000100  0800 0100 0a090000" +
      "0800 0500 0a010201  0800 0400 03000000  0800 0600 05000000  0c00 0880 0800 0200 78050000" +
      "24000000 1800 0200 07000000 00000000  02 20 00 00 ff 02 fe 02 00000000  0800 0100 0a010203" +
      "1c000000 1800 0200 07000000 00000000  1c 00 00 00 fe 02 fe 01 00000000",
  );
  assert.deepEqual(decodeRoutes(decodeMessages(answer)), [
    {
      destination: parseNetwork("10.9.0.0/16"),
      gateway: parseAddress("10.1.2.1"),
      link: 3,
      metric: 5,
      mtu: 1400,
      scope: 0,
      flags: 4,
      isKernels: false,
    },
  ]);
  const [byDefault] = decodeRoutes(
    decodeMessages(
      hex(
        "2c000000 1800 0200 07000000 00000000  0a 00 00 00 00 02 fd 01 00000000" +
          "0800 0f00 fe000000 0800 0400 02000000",
      ),
    ),
  );
  assert.deepEqual(byDefault, {
    destination: parseNetwork("::/0"),
    link: 2,
    scope: 253,
    flags: 0,
    isKernels: true,
  });
});

test("a link's kind and figures are read", () => {
  const figures = ["01", "02", "00000001", "04", "05", "06", "07", "08"].map((one) => {
    const [low, high] = one.length > 2 ? ["ffffffff", one] : [`${one}000000`, "00000000"];
    return low + (high === "00000001" ? "01000000" : high);
  });
  const answer = hex(
    "7c000000 1000 0000 07000000 00000000  00000100 03000000 80000000 00000000  0900 0300 65746830 00 000000" +
      `0c00 1200 0800 0100 62722d00  4400 1700 ${figures.join("")}`,
  );
  const messages = decodeMessages(answer);
  assert.deepEqual([decodeLinks(messages)[0]?.kind, decodeLinks(messages)[0]?.flags], ["br-", 0x80]);
  assert.deepEqual(decodeLinkStats(messages), [
    {
      name: "eth0",
      rxPackets: 1n,
      txPackets: 2n,
      rxBytes: 0x1_ffff_ffffn,
      txBytes: 4n,
      rxErrors: 5n,
      txErrors: 6n,
      rxDropped: 7n,
      txDropped: 8n,
    },
  ]);
});

test("requests about neighbours are the kernel's bytes", () => {
  const hardware = parseHardwareAddress("02:00-00:00:00:0A");
  assert.equal(formatHardwareAddress(hardware), "02:00:00:00:00:0a");
  assert.equal(
    written(addNeighbour(3, parseAddress("10.1.2.1"), hardware)),
    digits(
      "30000000 1c00 0005 07000000 00000000  02 00 0000 03000000 8000 00 00" +
        "0800 0100 0a010201  0a00 0200 02000000000a 0000",
    ),
  );
  assert.equal(
    written(addNeighbour(3, parseAddress("10.1.2.1"), new Uint8Array(), { state: 0x140, flags: 8 })),
    digits("24000000 1c00 0005 07000000 00000000  02 00 0000 03000000 4001 08 00  0800 0100 0a010201"),
  );
  assert.equal(
    written(setLink(3, { noArp: true })),
    digits("20000000 1000 0000 07000000 00000000  00000000 03000000 80000000 80000000"),
  );
  for (const bad of ["", "02:00:00:00:00", "02:00:00:00:00:00:00", "02:00:00:00:00:0", "02:00:00:00:00:0g"]) {
    assert.throws(() => parseHardwareAddress(bad), { name: "AddressError" }, bad);
  }
});

test("a transaction is enclosed by its marks", () => {
  const batch = deleteTable("t");
  assert.deepEqual(batch.map(written), [
    digits("14000000 1000 0000 07000000 00000000 00 00 000a"),
    digits("1c000000 000a 0004 07000000 00000000 01 00 0000 0600 0100 7400 0000"),
    digits("1c000000 020a 0000 07000000 00000000 01 00 0000 0600 0100 7400 0000"),
    digits("14000000 1100 0000 07000000 00000000 00 00 000a"),
  ]);
});

test("a rule is the kernel's bytes", () => {
  const rule = [...toPort(6, 80), verdict("accept")];
  const chain = { name: "c", hook: { type: "filter", hook: 1, priority: -1 } as const, rules: [rule] };
  const [, , , , makeChain, makeRule] = replaceTable("t", [chain]);
  assert.equal(
    written(makeChain as Request),
    digits(
      "44000000 030a 0004 07000000 00000000 01 00 0000  0600 0100 7400 0000  0600 0300 6300 0000" +
        "1400 0480 0800 0100 00000001 0800 0200 ffffffff  0b00 0700 66696c746572 00 00",
    ),
  );
  const meta = "2400 0180 0900 0100 6d657461 00 000000 1400 0280 0800 0200 00000010 0800 0100 00000001";
  const tcp =
    "2c00 0180 0800 0100 636d70 00 2000 0280 0800 0100 00000001 0800 0200 00000000 0c00 0380 0500 0100 06 000000";
  const load =
    "3400 0180 0c00 0100 7061796c6f6164 00 2400 0280 0800 0100 00000001 0800 0200 00000002 0800 0300 00000002 0800 0400 00000002";
  const port =
    "2c00 0180 0800 0100 636d70 00 2000 0280 0800 0100 00000001 0800 0200 00000000 0c00 0380 0600 0100 0050 0000";
  const accept =
    "3000 0180 0e00 0100 696d6d656469617465 00 0000 1c00 0280 0800 0100 00000000 1000 0280 0c00 0280 0800 0100 00000001";
  assert.equal(
    Buffer.from((makeRule as Request).body.subarray(4 + 8 + 8 + 4)).toString("hex"),
    digits(meta + tcp + load + port + accept),
  );
});

test("a network of no bits is a family, and a redirect ends in a port", () => {
  assert.equal(fromNetwork(parseNetwork("0.0.0.0/0")).length, 2);
  assert.equal(fromNetwork(parseNetwork("10.0.0.1")).length, 4);
  assert.equal(fromNetwork(parseNetwork("fd00::/8")).length, 5);
  const redirect = Buffer.from(join(redirectTo(8080)));
  assert.ok(
    redirect.includes("immediate") && redirect.includes("redir") && redirect.includes("1f90", 0, "hex"),
  );
});

test("addresses are read", () => {
  assert.equal(
    written(dumpAddresses()),
    digits("18000000 1600 0003 07000000 00000000  00 00 00 00 00000000"),
  );
  // A link with a peer: ADDRESS is the peer's, LOCAL ours. Then one of the link alone, and one of another family.
  const answer = hex(
    "28000000 1400 0200 07000000 00000000  02 20 80 00 03000000  0800 0100 0a010202  0800 0200 0a010203" +
      "2c000000 1400 0200 07000000 00000000  0a 40 80 fd 03000000  1400 0100 fe80000000000000 0000000000000001" +
      "20000000 1400 0200 07000000 00000000  1c 20 80 00 03000000  0800 0100 00000000",
  );
  assert.deepEqual(decodeAddresses(decodeMessages(answer)), [
    { family: 2, bytes: Uint8Array.of(10, 1, 2, 3), prefix: 32, link: 3, isLinkLocal: false },
    { ...parseAddress("fe80::1"), prefix: 64, link: 3, isLinkLocal: true },
  ]);
});

test("links are read, and an error says what the kernel said", () => {
  const answer = hex(
    "40000000 1000 0000 07000000 00000000  00000100 03000000 01000000 00000000" +
      "0900 0300 65746830 00 000000  0a00 0100 02000000000a 0000  0800 0400 dc050000",
  );
  assert.deepEqual(decodeLinks(decodeMessages(answer)), [
    { index: 3, up: true, name: "eth0", macAddr: "02:00:00:00:00:0a", mtu: 1500, flags: 1, kind: "" },
  ]);
  const [refusal] = decodeMessages(
    hex(
      "30000000 0200 0003 07000000 00000000  edffffff 2c000000 1200 0500 07000000 00000000" +
        "0a00 0100 6e6f6e65 2100 0000",
    ),
  );
  assert.ok(refusal);
  assert.deepEqual(decodeAck(refusal), { errno: 19, text: "none!" });
  assert.deepEqual(decodeAck({ ...refusal, flags: 0 }), { errno: 19 });
});

test("what is written is read again", () => {
  const bytes = fc.uint8Array({ maxLength: 50 });
  const request = fc.record({ type: fc.nat(0xffff), flags: fc.nat(0xffff), body: bytes });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 5 }), (requests) => {
      const read = decodeMessages(join(requests.map((one, at) => encodeRequest(one, at))));
      assert.deepEqual(
        read.map(({ type, flags, seq, body }) => [type, flags, seq, [...body]]),
        requests.map(({ type, flags, body }, at) => [type, flags, at, [...body]]),
      );
    }),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.nat(0x3fff).map(String), bytes), (values) => {
      const parts = Object.entries(values).map(([type, value]) => attribute(Number(type), value));
      const read = decodeAttributes(decodeAttributes(nested(9, parts)).get(9) ?? new Uint8Array());
      assert.deepEqual(
        [...read].map(([type, value]) => [String(type), [...value]]).sort(),
        Object.entries(values)
          .map(([type, value]) => [type, [...value]])
          .sort(),
      );
    }),
  );
  assert.equal(decodeText(hex("6100 62")), "a");
});

test("any bytes are read or refused as such", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const read of [
        () => decodeLinks(decodeMessages(bytes)),
        () => decodeAddresses(decodeMessages(bytes)),
        () => decodeAddresses([{ type: 20, flags: 0, seq: 1, body: bytes }]),
        () => decodeAttributes(bytes),
        () => decodeLinkStats(decodeMessages(bytes)),
        () => decodeRoutes(decodeMessages(bytes)),
        () => decodeRoutes([{ type: 24, flags: 0, seq: 1, body: bytes }]),
        () => decodeLinkStats([{ type: 16, flags: 0, seq: 1, body: bytes }]),
        () => decodeAck({ type: 2, flags: 0x200, seq: 1, body: bytes }),
        () => decodeLinks([{ type: 16, flags: 0, seq: 1, body: bytes }]),
      ]) {
        try {
          read();
        } catch (error) {
          assert.equal((error as Error).name, "NetlinkFormatError");
        }
      }
    }),
  );
});
