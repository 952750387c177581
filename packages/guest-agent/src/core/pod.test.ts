import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CLEARPOD, Command, encodeControl } from "@husk/wire/hyperstart";
import { describeContainer, sh, startContainer, startPod, useDisk } from "../../test/support/containers.ts";
import { needsDisk } from "../../test/support/disk.ts";
import { Session } from "../../test/support/session.ts";

useDisk();

// Two at a time, as the first one mostly waits for the grace to pass.
describe("a pod", { ...needsDisk, concurrency: 2 }, () => {
  test("ends with its containers, also those that do not listen, and only then the agent does (row 7)", async () => {
    await using session = await startPod();
    const deaf = await startContainer(
      session,
      "deaf",
      sh("trap '' TERM; echo ready; while true; do sleep 1000; done"),
    );
    const polite = await startContainer(
      session,
      "polite",
      sh("trap 'echo bye; exit 0' TERM; echo ready; sleep 1000 & wait"),
    );
    for (const process of [deaf, polite]) await process.outputUntil((output) => output === "ready\n");
    await session.endWith(encodeControl(Command.DESTROYPOD));
    assert.deepEqual(await polite.result(), { code: 0, stdout: "ready\nbye\n", stderr: "" });
    assert.equal((await deaf.result()).code, 137);
    assert.equal(session.arrivals.filter(({ kind }) => kind !== "end").at(-1)?.kind, "ACK");
  });

  test("is taken away as if it had never been, and another takes its place", async () => {
    await using session = await startPod({ hostname: "first", dns: ["10.0.0.1"] });
    const deaf = await startContainer(session, "one", sh("trap '' TERM; echo ready; sleep 1000"));
    await deaf.outputUntil((output) => output === "ready\n");
    await session.ask(Command.KILLCONTAINER, { container: "one", signal: 9 });
    assert.equal((await deaf.result()).code, 137);
    for (let time = 0; time < 2; time++) await session.ask(CLEARPOD, {});
    await session.ask(Command.STARTPOD, { hostname: "second" });
    const one = await startContainer(
      session,
      "one",
      sh("hostname; echo $$; cat /etc/resolv.conf 2>/dev/null"),
    );
    assert.deepEqual(await one.result(), { code: 0, stdout: "second\n2\n", stderr: "" });
  });

  test("starts once, with or without a host name (row 4)", async () => {
    for (const payload of [{}, { hostname: "", dns: [] }, { hostname: "pod", unknownKey: 1 }]) {
      await using session = await startPod(payload);
      assert.equal(
        await session.refuse(Command.STARTPOD, { hostname: "again" }),
        "the pod is started already",
      );
      await session.ping();
    }
  });

  test("refuses what it does not support, instead of leaving it out", async () => {
    await using session = await Session.start();
    const rules = { iptableRules: "*filter" };
    assert.match(await session.refuse(Command.STARTPOD, rules), /^not supported: iptableRules;/);
    await session.ask(Command.STARTPOD, {});
  });

  test("starts the containers of its request, and tells of their ends after the ACK", async () => {
    await using session = await Session.start();
    const { process, request } = describeContainer(session, "first", sh("exit 4"), {});
    await session.ask(Command.STARTPOD, { containers: [request] });
    assert.equal((await process.result()).code, 4);
    const order = session.arrivals.filter(({ kind }) => ["ACK", "exit"].includes(kind));
    assert.deepEqual(order, [{ kind: "ACK" }, { kind: "exit", process: "first/init" }]);
  });

  test("shares host name, name servers and /dev/shm between its containers", async () => {
    await using session = await startPod({
      hostname: "pod",
      dns: ["192.0.2.1"],
      dnsSearch: ["a.example", "b"],
      dnsOptions: ["ndots:1"],
    });
    const first = await startContainer(
      session,
      "first",
      sh("hostname; cat /etc/hostname /etc/resolv.conf; echo x > /dev/shm/x; echo done; cat"),
    );
    await first.outputUntil((output) => output.endsWith("done\n"));
    const expected = "pod\npod\nnameserver 192.0.2.1\nsearch a.example b\noptions ndots:1\ndone\n";
    assert.equal(first.outputSoFar, expected);
    const second = await startContainer(session, "second", sh("cat /dev/shm/x; ls /rootfs"));
    assert.deepEqual(await second.result(), { code: 0, stdout: "x\ninner\n", stderr: "" });
  });
});
