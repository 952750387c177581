import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, describe, test } from "node:test";
import { makeResidents } from "../build.ts";

const needsRoot = { skip: process.geteuid?.() === 0 ? false : "SKIPPED: needs root (network namespaces)" };

const output = await mkdtemp(join(tmpdir(), "husk-tap-"));
after(() => rm(output, { recursive: true, force: true }));
await makeResidents(output, join(import.meta.dirname, "../main.ts"), () => {});
const program = join(output, "resident/husk-tap");

/** A socket's two ends: one for the program, one for whoever it sends to. */
async function makePair(): Promise<{ given: Socket; kept: Socket } & AsyncDisposable> {
  const path = join(output, `${randomBytes(4).toString("hex")}.sock`);
  const server = createServer().listen(path);
  const accepted = once(server, "connection");
  const given = createConnection(path);
  const [kept] = (await accepted) as [Socket];
  return {
    ...{ given, kept },
    [Symbol.asyncDispose]: async () => {
      given.destroy();
      kept.destroy();
      server.close();
    },
  };
}

/** Runs it with lines; gives what came of them at the other end of its socket. */
async function runTap(args: readonly string[], lines: string) {
  await using pair = await makePair();
  const child = spawn(program, ["-socket-fd", "3", ...args], {
    stdio: ["pipe", "pipe", "pipe", pair.given],
    timeout: 30_000,
  });
  child.stdin?.on("error", () => {}).end(lines);
  const stdout = text(child.stdout as Socket);
  const stderr = text(child.stderr as Socket);
  const [status] = await once(child, "exit");
  pair.given.destroy();
  return { status, stdout: await stdout, stderr: await stderr, sent: await text(pair.kept) };
}

test("it needs to know what it is to send, and where", async () => {
  const usages = [
    [[], /either -tap or -node is needed/],
    [["-tap", "t", "-node", "/dev/tap1"], /either -tap or -node is needed/],
    [["-tab", "t"], /there is no flag -tab; there is -tap/],
  ] as const;
  for (const [args, pattern] of usages) {
    const { status, stderr } = await runTap(args, "a\n");
    assert.equal(status, 2);
    assert.match(stderr, pattern);
  }
  const { status, stderr } = await runTap(["-tap", "t"], "");
  assert.deepEqual([status, stderr], [1, "husk-tap: there is no line to be sent\n"]);
  assert.match((await runTap(["-tap", "t"], "x\n".repeat(40_000))).stderr, /has 65536 bytes or more/);
});

test("it says what cannot be opened", async () => {
  const failures = [
    [
      ["-netns", "/no/such", "-tap", "t"],
      /the network namespace \/no\/such cannot be entered: .*No such file/,
    ],
    [["-netns", "/dev/null", "-tap", "t"], /\/dev\/null cannot be entered: /],
    [["-node", "/dev/tap0"], /the device node cannot be opened: .*tap0/],
    [["-tap", "a-name-of-16-byt"], /"a-name-of-16-byt" is no link's name/],
    [["-tap", ""], /"" is no link's name/],
  ] as const;
  for (const [args, pattern] of failures) {
    const { status, stderr, sent } = await runTap(args, "a\n");
    assert.deepEqual([status, sent], [1, ""]);
    assert.match(stderr, pattern);
  }
});

describe("taps of a namespace", needsRoot, () => {
  test("are opened once for each line, and never made", async (t) => {
    const name = `husk-test-${randomBytes(4).toString("hex")}`;
    const ip = (...args: string[]) => execFileSync("ip", args, { stdio: ["ignore", "pipe", "pipe"] });
    ip("netns", "add", name);
    t.after(() => ip("netns", "delete", name));
    const inside = (words: string) => ip("-n", name, ...words.split(" "));
    inside("tuntap add dev many mode tap vnet_hdr multi_queue");
    inside("tuntap add dev one mode tap vnet_hdr");
    const run = (tap: string, lines: string) => runTap(["-netns", `/run/netns/${name}`, "-tap", tap], lines);
    assert.deepEqual(await run("many", "a\nb\n"), { status: 0, stdout: "", stderr: "", sent: "a\nb\n" });
    assert.equal((await run("one", "a\n")).sent, "a\n");
    // It has one queue only.
    assert.match((await run("one", "a\nb\n")).stderr, /tap interface one cannot be used: .*Invalid argument/);
    const before = inside("-o link show").toString();
    assert.equal((await run("none", "a\n")).stderr, "husk-tap: there is no tap interface none\n");
    assert.equal(inside("-o link show").toString(), before);
  });
});
