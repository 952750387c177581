import assert from "node:assert/strict";
import { test } from "node:test";
import { checkInterfaceRequest, networkConfig } from "./network-schema.ts";

function refuses(value: unknown, message: RegExp): void {
  assert.throws(() => networkConfig(value, "networkConfig"), { code: "ERR_CONFIG_INVALID", message });
}

test("a full configuration is taken", () => {
  networkConfig(
    {
      netNSPath: "/run/netns/x",
      numInterfaces: 2,
      interworkingModel: 5,
      cni: {
        confDirs: ["/etc/cni/a:b"],
        binDirs: ["/opt/cni/bin"],
        networks: ["a", "b"],
        args: { IP: "10.0.0.1", "a.b-c_d": "" },
      },
      dns: { servers: ["10.0.0.1", "fd00::1"], search: ["a.example"], options: ["ndots:1"] },
      portMappings: [{ protocol: "udp", hostAddress: "10.0.0.1", hostPort: 53, containerPort: 5353 }],
      portmappingWhiteLists: { internalNetworks: ["10.0.0.0/8"], externalNetworks: [] },
    },
    "networkConfig",
  );
});

test("what would break the arguments of CNI plugins is refused", () => {
  refuses({ cni: { binDirs: ["/a:/b"] } }, /^networkConfig\.cni\.binDirs\[0\]: must not hold a colon$/);
  refuses({ cni: { binDirs: [] } }, /binDirs: must not be empty/);
  for (const key of ["", "a b", "a;b", "a=b"]) {
    refuses(
      { cni: { args: { [key]: "x" } } },
      /^networkConfig\.cni\.args\[".*"\]: must have a name of letters/,
    );
  }
  for (const value of ["a;b", "a=b", "a\nb"]) {
    refuses({ cni: { args: { K: value } } }, /cni\.args\["K"\]: must not hold ';', '='/);
  }
  refuses({ cni: { args: { K: 1 } } }, /cni\.args\["K"\]: must be a string/);
  refuses({ cni: { args: ["K=1"] } }, /cni\.args: must be an object/);
});

test("what would break resolv.conf is refused", () => {
  for (const server of ["localhost", "", "10.0.0.1/8", 1]) {
    refuses({ dns: { servers: [server] } }, /dns\.servers\[0\]: must be an IPv4 or IPv6 address/);
  }
  for (const field of ["search", "options"]) {
    refuses({ dns: { [field]: ["a b"] } }, /\[0\]: must be one word/);
    refuses({ dns: { [field]: ["a\nnameserver 10.0.0.1"] } }, /\[0\]: must be one word/);
    refuses({ dns: { [field]: [""] } }, /\[0\]: must not be empty/);
  }
});

test("an interface is added by the name of a network, or by that of a link", () => {
  checkInterfaceRequest({ network: "blue" });
  checkInterfaceRequest({ link: "eth1" });
  for (const wrong of [{}, { network: "blue", link: "eth1" }, { link: "" }, { link: 1 }, undefined]) {
    assert.throws(() => checkInterfaceRequest(wrong), { code: "ERR_CONFIG_INVALID" });
  }
  assert.throws(() => checkInterfaceRequest({ name: "eth1" }), { code: "ERR_CONFIG_UNKNOWN_FIELD" });
});
