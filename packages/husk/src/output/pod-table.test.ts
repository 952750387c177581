import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makePod, NOW } from "../testing/pod-status.ts";
import { newestFirst, renderPods } from "./pod-table.ts";

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

  it("shows ports when any pod publishes some", () => {
    const portMappings = [{ hostAddress: "127.0.0.1", hostPort: 8080, containerPort: 80 }];
    const network = { model: "user" as const, netNSPath: undefined, interfaces: [], portMappings };
    const text = renderPods([makePod("web", 5, [{}], { network }), makePod("db", 9, [{}])], NOW);
    assert.match(text, /^NAME.* PORTS +COMMAND$/m);
    assert.match(text, /^web .* 127\.0\.0\.1:8080->80\/tcp +sh$/m);
    assert.match(text, /^db .* - +sh$/m);
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
