import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ContainerStatus, PodStatus } from "@husk/virtcontainers";
import { newestFirst, renderPods } from "./pod-table.ts";

const NOW = new Date("2026-01-01T12:00:00Z");

function makePod(
  id: string,
  ageSeconds: number,
  containers: Partial<ContainerStatus>[],
  more: Partial<PodStatus> = {},
): PodStatus {
  return {
    id,
    state: "running",
    hypervisor: "qemu",
    hypervisorConfig: {},
    agent: "hyperstart",
    annotations: {},
    createdAt: new Date(NOW.getTime() - ageSeconds * 1000),
    hypervisorPid: undefined,
    accelerator: undefined,
    containersStatus: containers.map((container) => ({
      id,
      state: "running",
      pid: -1,
      startTime: undefined,
      rootFs: "/",
      annotations: {},
      exitCode: undefined,
      args: ["sh"],
      ...container,
    })),
    ...more,
  };
}

describe("renderPods", () => {
  it("shows a running pod with its VM", () => {
    const pod = makePod("web", 61, [{ args: ["httpd", "-f"] }], { hypervisorPid: 42, accelerator: "tcg" });
    const [, line] = renderPods([pod], NOW).split("\n");
    assert.equal(line, "web   running  1 minute ago      42  tcg    httpd -f");
  });

  it("shows how a stopped pod's only container ended", () => {
    const pod = makePod("web", 5, [{ exitCode: 137 }], { state: "stopped" });
    assert.match(renderPods([pod], NOW), /^web +stopped \(137\) +5 seconds ago +- +- +sh$/m);
  });

  it("cuts long commands and counts further containers", () => {
    const pod = makePod("web", 5, [{ args: ["x".repeat(100)] }, {}, {}]);
    assert.match(renderPods([pod], NOW), / x{39}… \(\+2 more\)$/m);
  });
});

describe("newestFirst", () => {
  it("orders by age, then by name, and leaves its input alone", () => {
    const pods = [makePod("b", 10, []), makePod("old", 99, []), makePod("a", 10, [])];
    assert.deepEqual(
      newestFirst(pods).map(({ id }) => id),
      ["a", "b", "old"],
    );
    assert.equal(pods[0]?.id, "b");
  });
});
