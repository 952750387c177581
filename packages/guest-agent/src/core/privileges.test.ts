import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Command, type ProcessRequest } from "@husk/wire/hyperstart";
import { describeContainer, exec, startContainer, startPod, useDisk } from "../../test/support/containers.ts";
import { needsDisk } from "../../test/support/disk.ts";
import type { Session } from "../../test/support/session.ts";

useDisk();

const NOTHING = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };
const [CHOWN, KILL, BPF] = [1n << 0n, 1n << 5n, 1n << 39n];

/** What a process has, by the names of /proc/PID/status. */
async function look(session: Session, more: Partial<ProcessRequest>): Promise<Record<string, bigint>> {
  const process = await exec(session, "c", "grep -e ^Cap -e ^NoNew /proc/self/status", more);
  const { stdout, stderr } = await process.result();
  assert.equal(stderr, "");
  const lines = stdout.trim().split("\n");
  return Object.fromEntries(
    lines.map((line) => line.split(":\t")).map(([name, set]) => [name, BigInt(`0x${set}`)]),
  );
}

async function open(): Promise<Session> {
  const session = await startPod();
  await startContainer(session, "c", ["/bin/sleep", "1000"]);
  return session;
}

describe("what a process may do", needsDisk, () => {
  test("is everything for root, and nothing for others, when nothing is said", async () => {
    await using session = await open();
    const root = await look(session, {});
    assert.ok((root.CapEff ?? 0n) > BPF);
    assert.deepEqual([root.CapPrm, root.CapBnd, root.NoNewPrivs], [root.CapEff, root.CapEff, 0n]);
    const worker = await look(session, { user: "worker" });
    assert.deepEqual([worker.CapEff, worker.CapPrm, worker.CapBnd], [0n, 0n, root.CapBnd]);
  });

  test("is what its five sets say, for root", async () => {
    await using session = await open();
    const [chown, kill, bpf] = ["CAP_CHOWN", "CAP_KILL", "CAP_BPF"] as const;
    const bounding = [chown, kill, bpf];
    const sets = { bounding, permitted: bounding, effective: [chown], inheritable: [], ambient: [] };
    const all = CHOWN | KILL | BPF;
    // The kernel gives root, on execve, all that the bounding set has.
    assert.deepEqual(await look(session, { capabilities: sets, noNewPrivileges: true }), {
      CapInh: 0n,
      CapPrm: all,
      CapEff: all,
      CapBnd: all,
      CapAmb: 0n,
      NoNewPrivs: 1n,
    });
    const none = await look(session, { capabilities: NOTHING });
    assert.deepEqual([none.CapPrm, none.CapEff, none.CapBnd], [0n, 0n, 0n]);
  });

  test("is kept when it becomes another user, if it is ambient", async () => {
    await using session = await open();
    const names = ["CAP_KILL", "CAP_BPF"];
    const capabilities = { bounding: names, permitted: names, effective: names, inheritable: names };
    const user = { user: "worker", additionalGroups: ["extra", "77"] };
    const kept = await look(session, { ...user, capabilities: { ...capabilities, ambient: names } });
    const both = KILL | BPF;
    assert.deepEqual(
      [kept.CapInh, kept.CapPrm, kept.CapEff, kept.CapBnd, kept.CapAmb],
      [both, both, both, both, both],
    );
    const lost = await look(session, { ...user, capabilities: { ...capabilities, ambient: ["CAP_KILL"] } });
    assert.deepEqual([lost.CapPrm, lost.CapEff, lost.CapAmb], [KILL, KILL, KILL]);
    const groups = await exec(session, "c", "id -u; id -G", user);
    assert.equal((await groups.result()).stdout, "1000\n1001 77 1002\n");
  });

  test("is refused by name when it cannot be", async () => {
    await using session = await open();
    for (const [sets, text] of [
      [{ bounding: ["CAP_NONE"] }, 'unknown capability "CAP_NONE"'],
      [{ effective: ["CAP_KILL"] }, 'capability "CAP_KILL" is effective, but not permitted'],
    ] as const) {
      const { request } = describeContainer(session, "d", ["/bin/true"], {
        process: { capabilities: { ...NOTHING, ...sets } as never },
      });
      assert.equal(await session.refuse(Command.NEWCONTAINER, request), text);
    }
  });

  test("goes for a user or group of the container's own files, by name or number", async () => {
    await using session = await open();
    for (const more of [{ user: "nobody" }, { group: "nogroup" }, { additionalGroups: ["nogroup"] }]) {
      const { spec } = session.prepare(["/bin/true"], "c", more);
      const word = more.user ? 'user "nobody"' : 'group "nogroup"';
      const text = await session.refuse(Command.EXECCMD, { container: "c", process: spec });
      assert.match(text, new RegExp(`^unknown ${word} in the container's /etc/`));
    }
    for (const [more, text] of [
      [{ user: "1000" }, "1000 1001 1001 1002\n"],
      [{ user: "4321" }, "4321 0 0\n"],
      [{ user: "worker", group: "1002" }, "1000 1002 1002\n"],
      [{ group: "workers" }, "0 1001 1001\n"],
    ] as const) {
      const process = await exec(session, "c", "echo $(id -u) $(id -g) $(id -G)", more);
      assert.equal((await process.result()).stdout, text);
    }
  });
});
