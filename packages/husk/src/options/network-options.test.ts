import assert from "node:assert/strict";
import { resolve } from "node:path";
import { describe, it } from "node:test";
import { NetInterworkingModel } from "@husk/virtcontainers";
import { makeNetwork } from "./network-options.ts";

describe("makeNetwork", () => {
  it("asks for nothing unless told to", () => {
    assert.deepEqual(makeNetwork({}), {});
    assert.deepEqual(makeNetwork({ network: "none" }), {});
  });

  it("makes QEMU's own network, with ports and name servers", () => {
    const options = {
      publish: ["8080:80"],
      dns: ["1.1.1.1", "fec0::3"],
      dnsSearch: ["a.b"],
      dnsOption: ["ndots:2"],
    };
    assert.deepEqual(makeNetwork({ network: "user", ...options }), {
      networkModel: "user",
      networkConfig: {
        dns: { servers: ["1.1.1.1", "fec0::3"], search: ["a.b"], options: ["ndots:2"] },
        portMappings: [{ protocol: "tcp", hostPort: 8080, containerPort: 80 }],
      },
    });
    assert.deepEqual(makeNetwork({ network: "user" }), { networkModel: "user", networkConfig: {} });
  });

  it("joins CNI networks, the first one or those named", () => {
    assert.deepEqual(makeNetwork({ network: "cni" }), { networkModel: "CNI", networkConfig: {} });
    const directories = { cniConfDir: ["conf"], cniBinDir: ["/bin", "more"] };
    const { networkConfig } = makeNetwork({
      network: "cni=a,b",
      interworking: "macvtap",
      publish: ["1:1"],
      ...directories,
    });
    assert.deepEqual(networkConfig, {
      portMappings: [{ protocol: "tcp", hostPort: 1, containerPort: 1 }],
      interworkingModel: NetInterworkingModel.macvtap,
      cni: { confDirs: [resolve("conf")], binDirs: ["/bin", resolve("more")], networks: ["a", "b"] },
    });
  });

  it("takes a namespace that somebody else has filled", () => {
    assert.deepEqual(makeNetwork({ network: "ns=/run/netns/a=b" }), {
      networkModel: "CNM",
      networkConfig: { netNSPath: "/run/netns/a=b" },
    });
  });

  for (const network of ["", "host", "user=x", "none=", "ns", "ns=", "cni=", "cni=a,", "CNI"]) {
    it(`refuses --network ${JSON.stringify(network)}`, () =>
      assert.throws(() => makeNetwork({ network }), { code: "ERR_USAGE", hint: /ns=PATH/ }));
  }

  const useless: [options: Parameters<typeof makeNetwork>[0], message: RegExp][] = [
    [{ publish: ["80:80"] }, /--publish does nothing with --network none/],
    [{ dns: ["1.1.1.1"] }, /--dns /],
    [{ network: "ns=/n", publish: ["80:80"] }, /--publish does nothing with --network ns/],
    [{ network: "user", interworking: "bridged" }, /--interworking/],
    [{ network: "user", cniConfDir: ["/a"] }, /--cni-conf-dir/],
    [{ network: "ns=/n", cniBinDir: ["/a"] }, /--cni-bin-dir/],
    [{ network: "user", dns: ["dns.example"] }, /not an address of a name server/],
  ];
  for (const [options, message] of useless) {
    it(`refuses ${JSON.stringify(options)}`, () =>
      assert.throws(() => makeNetwork(options), { code: "ERR_USAGE", message }));
  }
});
