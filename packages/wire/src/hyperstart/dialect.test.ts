import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { json } from "../test-support/bytes.ts";
import { Command } from "./commands.ts";
import { recognizeDialect } from "./dialect.ts";

const process = { args: ["true"], stdio: 3, stderr: 4 };

const TELLING: [code: number, payload: unknown, dialect: string | undefined][] = [
  [Command.GETVERSION, null, "hyperstart"],
  [Command.PING, null, undefined],
  // runv
  [Command.STARTPOD, { hostname: "a", shareDir: "share_dir" }, undefined],
  [Command.NEWCONTAINER, { id: "a", process: { id: "init", ...process } }, undefined],
  // cc-oci-runtime
  [Command.STARTPOD, { hostname: "a", containers: [], shareDir: "rootfs" }, "clear-containers-2"],
  [Command.STARTPOD, { hostname: "a", iptableRules: "" }, "clear-containers-2"],
  [
    Command.STARTPOD,
    { containers: [], interfaces: [{ macAddr: "02:00:00:00:00:01" }] },
    "clear-containers-2",
  ],
  [Command.NEWCONTAINER, { id: "a", process }, "clear-containers-2"],
  [Command.EXECCMD, { container: "a", process }, "clear-containers-2"],
  // virtcontainers
  [Command.STARTPOD, { hostname: "a", shareDir: "hyperShared" }, "clear-containers-3"],
  [Command.STARTPOD, { interfaces: [{ macAddr: "02:00:00:00:00:01" }] }, "clear-containers-3"],
  [Command.NEWCONTAINER, { id: "a", constraints: {}, process }, "clear-containers-3"],
  [
    Command.EXECCMD,
    { container: "a", process: { ...process, noNewPrivileges: false } },
    "clear-containers-3",
  ],
  // what is no request gives nothing away
  [Command.STARTPOD, [], undefined],
  [Command.NEWCONTAINER, { process: "x" }, undefined],
  [Command.EXECCMD, "x", undefined],
];

test("a dialect is known by what its hosts send", () => {
  for (const [code, payload, dialect] of TELLING) {
    assert.equal(recognizeDialect(code, json(payload)), dialect, `${code} ${JSON.stringify(payload)}`);
  }
});

test("no payload makes it throw", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 6, 17, 99),
      fc.oneof(fc.jsonValue().map(json), fc.uint8Array()),
      (code, bytes) => {
        recognizeDialect(code, bytes);
      },
    ),
  );
});
