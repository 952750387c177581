import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makePod, NOW } from "../testing/pod-status.ts";
import { renderPodDetails } from "./pod-details.ts";

describe("renderPodDetails", () => {
  it("tells what a pod is, and its containers", () => {
    const pod = makePod(
      "web",
      61,
      [
        { id: "a", startTime: new Date(NOW.getTime() - 5000), args: ["httpd", "-f"] },
        { id: "b", state: "stopped", exitCode: 3 },
      ],
      {
        hypervisorPid: 42,
        accelerator: "tcg",
        vcpus: 2,
        memory: 256,
        hypervisorConfig: { kernelPath: "/k", kernelParams: [{ key: "quiet" }] },
        annotations: { "org.example.note": "two\nlines \u001b[31m" },
      },
    );
    assert.equal(
      renderPodDetails(pod, NOW),
      `Name:             web
Status:           running
Created:          2026-01-01T11:58:59.000Z (1 minute ago)
Hypervisor:       qemu, process 42, tcg
VM:               2 vCPUs, 256 MiB
Agent:            hyperstart
kernelPath:       /k
kernelParams:     [{"key":"quiet"}]
org.example.note: two lines \ufffd[31m

CONTAINER  STATUS       STARTED        ROOTFS  COMMAND
a          running      5 seconds ago  /       httpd -f
b          stopped (3)  -              /       sh
`,
    );
  });

  it("tells of networks", () => {
    const network = {
      model: "CNI" as const,
      netNSPath: "/run/netns/husk-1",
      interfaces: [
        {
          name: "eth0",
          mac: "02:00:00:00:00:01",
          mtu: 1500,
          addresses: ["10.1.2.3/24", "fd00::3/64"],
          kind: "veth",
          interworking: "tcFilter",
          removable: false,
        },
      ],
      portMappings: [{ hostPort: 8080, containerPort: 80 }],
    };
    const text = renderPodDetails(makePod("web", 1, [{}], { network }), NOW);
    assert.match(text, /^Network: +CNI, in \/run\/netns\/husk-1\nPorts: +8080->80\/tcp\n/m);
    assert.match(
      text,
      /\n\nINTERFACE .*\neth0 +02:00:00:00:00:01 +1500 +veth +tcFilter +10\.1\.2\.3\/24, fd00::3\/64\n\nCONTAINER /,
    );
  });

  it("tells of a proxy, of shims and of logs", () => {
    const containers = [{ id: "a", pid: 43, logPath: "/l" }, { id: "b" }];
    const text = renderPodDetails(makePod("web", 1, containers, { proxyPid: 42 }), NOW);
    assert.match(text, /^Proxy: +process 42$/m);
    assert.match(text, /COMMAND +SHIM PID +LOG\na .* 43 +\/l\nb .* - +-\n/);
  });

  it("tells of a pod without a VM and containers", () => {
    assert.match(renderPodDetails(makePod("web", 1, [], { state: "stopped" }), NOW), /qemu, not running\n/);
  });
});
