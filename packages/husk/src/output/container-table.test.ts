import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerInfo } from "@husk/container-module";
import { renderContainer, renderContainers } from "./container-table.ts";

const NOW = new Date("2026-11-23T01:00:00Z");
const container: ContainerInfo = {
  id: "web",
  name: "web",
  flist: "/srv/web.fl",
  tags: ["a", "b"],
  network: { namespace: "acme" },
  mounts: [{ source: "/srv", target: "/data", options: ["ro"] }],
  ours: {
    ns: "acme",
    state: "failed",
    exitCode: 5,
    restarts: 3,
    reason: "it has ended\u001b[2J 4 times",
    createdAt: "2026-11-23T00:58:00.000Z",
    args: ["sh", "-c", "it's"],
    logPath: "/var/log/acme/web.log",
    backend: "oci",
  },
};

test("containers are a table", () => {
  assert.equal(
    renderContainers([container], NOW),
    `NAMESPACE  NAME  STATUS      RESTARTS  PID  CREATED        COMMAND
acme       web   failed (5)         3    -  2 minutes ago  sh -c it's
`,
  );
});

test("all of a container is told, nothing steers the terminal", () => {
  assert.equal(
    renderContainer(container, NOW),
    `Name:     acme/web
Status:   failed (5)
Reason:   it has ended\ufffd[2J 4 times
Restarts: 3
Command:  sh -c 'it'"'"'s'
Root:     /srv/web.fl
Network:  acme
Mount:    /srv:/data:bind:ro
Tags:     a b
Backend:  oci
Log:      /var/log/acme/web.log
Created:  2026-11-23T00:58:00.000Z (2 minutes ago)
`,
  );
});
