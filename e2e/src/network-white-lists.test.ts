import assert from "node:assert/strict";
import { describe } from "node:test";
import { createPod, deletePod, startPod } from "@husk/virtcontainers";
import { needsRoot } from "./support/needs-root.ts";
import { type TestNamespace, TestNetworks, wire } from "./support/network-namespaces.ts";
import { DEMO_ROOTFS } from "./support/places.ts";
import { runScript } from "./support/run-script.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const POD = "pod";
/** The pod has an address in each network, by which it is reached from there. */
const NETWORKS = {
  internal: ["10.1.0.2", "fd01::2"],
  external: ["10.2.0.2", "fd02::2"],
  other: ["10.3.0.2", "fd03::2"],
} as const;
/** Where a server listens: two ports that are mapped, and one that is not. */
const SERVERS = [80, 81, 82];
/** Ports as seen from outside. */
const PORTS = [8080, ...SERVERS];

/** Seconds after which a port that is to answer, or is not to, counts as one that does not. */
const [SLOW, SILENT] = ["60", "3"];

/**
 * Which of the ports answer in a namespace at an address of the pod, and from which of its ports: `8080:80`.
 * @param expected the ones that are to do so
 */
function reach(
  { path }: TestNamespace,
  place: Workplace,
  host: string,
  expected: readonly string[],
): Promise<string[]> {
  // They are asked at once: what is dropped takes until the end of its time.
  const asked = PORTS.map(async (port) => {
    const limit = expected.some((answer) => answer.startsWith(`${port}:`)) ? SLOW : SILENT;
    const connect = [`${DEMO_ROOTFS}/bin/busybox`, "nc", "-w", limit, host, `${port}`];
    const { child, ended } = place.startProgram("nsenter", [`--net=${path}`, "--", ...connect]);
    child.stdin.end("GET / HTTP/1.0\r\n\r\n");
    const page = /\r\n\r\n(\d+)\n$/.exec((await ended).stdout.toString());
    return page ? [`${port}:${page[1]}`] : [];
  });
  return Promise.all(asked).then((answers) => answers.flat());
}

describe("a pod with white lists of networks", needsRoot, () => {
  it("is reached by what they allow, in both families, and by nothing else", async ({ signal }) => {
    await using networks = new TestNetworks();
    const [namespace, peer] = [networks.add(), networks.add()];
    const addresses = (host: number) =>
      [1, 2, 3].flatMap((number) => [`10.${number}.0.${host}/24`, `fd0${number}::${host}/64`]);
    wire(
      { namespace, name: "eth0", addresses: addresses(2) },
      { namespace: peer, name: "peer", addresses: addresses(1) },
    );
    await using place = await Workplace.create(signal);
    const serve = SERVERS.map(
      (port) =>
        `mkdir /tmp/${port}; echo ${port} > /tmp/${port}/index.html; httpd -h /tmp/${port} -p ${port}`,
    );
    const container = (id: string, script: string, ports: { hostPort: number; containerPort: number }[]) => ({
      ...{ id, rootFs: DEMO_ROOTFS, cmd: { args: ["sh", "-c", script] } },
      ...{ ports },
    });
    const config = {
      id: POD,
      hypervisorConfig: place.hypervisorConfig,
      networkModel: "CNM" as const,
      networkConfig: {
        netNSPath: namespace.path,
        portmappingWhiteLists: {
          internalNetworks: ["10.1.0.0/24", "fd01::/64"],
          externalNetworks: ["10.2.0.0/24", "fd02::/64"],
        },
      },
      containers: [
        container("web", `${serve.join("; ")}; sleep 1000`, [
          { hostPort: 8080, containerPort: 80 },
          { hostPort: 81, containerPort: 81 },
        ]),
      ],
    };
    await createPod(config, place.options);
    await startPod(POD, place.options);
    const until = "until wget -q -O - http://127.0.0.1:82/; do sleep 0.1; done";
    assert.equal(await runScript(place, POD, "web", until), "82\n");
    for (const [name, expected] of [
      ["internal", ["80:80", "81:81", "82:82"]],
      ["external", ["8080:80", "80:80", "81:81"]],
      ["other", []],
    ] as const) {
      const found = await Promise.all(NETWORKS[name].map((host) => reach(peer, place, host, expected)));
      assert.deepEqual(found, [expected, expected], name);
    }
    // The pod itself reaches everybody, and is told what is wrong by ICMP.
    const out = "ping -c 1 -W 5 10.3.0.1 > /dev/null && ping6 -c 1 -W 5 fd03::1 > /dev/null && echo reached";
    assert.equal(await runScript(place, POD, "web", out), "reached\n");
    await deletePod(POD, place.options);
  });
});
