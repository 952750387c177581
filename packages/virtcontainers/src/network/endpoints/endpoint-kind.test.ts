import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLinks } from "../links.ts";
import { endpointKind, isForVms } from "./endpoint-kind.ts";

const PLACE = { netNSPath: "/run/netns/blue", deadlineFactor: 1 };
const ADDRESS = { family: "inet", local: "10.1.0.2", prefixlen: 24, scope: "global" };
const ETHERNET = {
  ifindex: 2,
  ifname: "eth0",
  link_type: "ether",
  address: "02:00:00:00:00:01",
  flags: ["UP"],
};

/** The kind of a link that `ip -d -json address` tells of so. */
function kindOf(link: object) {
  const [parsed] = parseLinks([{ ...ETHERNET, addr_info: [ADDRESS], ...link }], PLACE);
  assert.ok(parsed);
  return endpointKind(parsed, PLACE.netNSPath);
}

test("links are known by their kind, devices by their bus", () => {
  for (const kind of ["veth", "macvlan", "ipvlan", "macvtap"]) {
    assert.equal(kindOf({ linkinfo: { info_kind: kind } }), kind);
  }
  const tap = (data: object) =>
    kindOf({ linkinfo: { info_kind: "tun", info_data: { type: "tap", ...data } } });
  assert.equal(tap({ persist: true }), "tap");
  assert.equal(kindOf({ parentbus: "pci", parentdev: "0000:03:00.0" }), "physical");
  assert.deepEqual(
    ["veth", "tap", "physical"].map((kind) => isForVms(kind as "veth")),
    [false, true, true],
  );
});

test("what is of no kind for a VM, but has addresses, is refused with its name and kind", () => {
  const refused = (link: object, what: string) =>
    assert.throws(() => kindOf(link), {
      code: "ERR_NOT_SUPPORTED",
      message: `unsupported network interface eth0 (${what}) of /run/netns/blue`,
    });
  for (const kind of ["bridge", "vlan", "dummy", "wireguard"])
    refused({ linkinfo: { info_kind: kind } }, kind);
  refused({ linkinfo: { info_kind: "tun", info_data: { type: "tap", persist: false } } }, "tap");
  refused({ linkinfo: { info_kind: "tun", info_data: { type: "tun", persist: true } } }, "tun");
  refused({ linkinfo: { info_kind: "sit" }, link_type: "sit" }, "sit");
  refused({ parentbus: "virtio", parentdev: "virtio2" }, "device on the bus virtio");
});

test("what nobody has configured is left alone", () => {
  const none = { addr_info: [] };
  assert.equal(kindOf({ ...none, linkinfo: { info_kind: "bridge" } }), undefined);
  assert.equal(kindOf({ ...none, link_type: "loopback" }), undefined);
  assert.equal(kindOf({ ...none, linkinfo: { info_kind: "veth" }, flags: [] }), undefined);
  assert.equal(kindOf({ ...none, linkinfo: { info_kind: "veth" }, master: "br0" }), undefined);
  assert.equal(kindOf({ ...none, linkinfo: { info_kind: "veth" } }), "veth");
  assert.equal(kindOf({ ifname: "tap2_husk", linkinfo: { info_kind: "macvtap" } }), undefined);
  assert.throws(() => kindOf({ linkinfo: { info_kind: "ipvlan" }, flags: [] }), { code: "ERR_NETWORK_LINK" });
});

test("what ip(8) prints is not believed blindly", () => {
  const parse = (...links: unknown[]) => parseLinks(links, PLACE);
  assert.deepEqual(parse({}, null, 7, []), []);
  for (const ifname of ["a b", 'a"b', "-x", "", 7, "é", "x".repeat(16)]) {
    assert.throws(() => parse({ ...ETHERNET, ifname }), {
      code: "ERR_NETWORK_LINK",
      message: /name cannot be used/,
    });
  }
  assert.throws(() => parse(...Array(257).fill(ETHERNET)), {
    code: "ERR_NETWORK_LINK",
    message: /257 links/,
  });
  const [bare] = parse({ ifindex: 3, ifname: "x" });
  assert.deepEqual([bare?.mac, bare?.mtu, bare?.isUp, bare?.addresses], ["", 0, false, []]);
});
