import assert from "node:assert/strict";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { needsDisk } from "../../../test/support/disk.ts";
import {
  createContainer,
  makeSpec,
  rootPath,
  runContainer,
  sh,
  startContainer,
  startSandbox,
  useRoot,
} from "../../../test/support/kata-containers.ts";
import { KataSession } from "../../../test/support/kata-session.ts";
import { makeFolder } from "../../../test/support/stage.ts";

useRoot();

/** A hook that writes its name, its state and whether it sees the root of the container into a file. */
const noting = (file: string, name: string) => ({
  Path: "/bin/sh",
  Args: ["sh", "-c", `echo "${name} $(cat)" >> ${file}`],
  Env: ["PATH=/bin:/usr/bin"],
});

describe("hooks", needsDisk, () => {
  test("are run at their points, with the state as input", async () => {
    await using folder = await makeFolder();
    const notes = join(folder.path, "notes");
    await using session = await startSandbox();
    const spec = makeSpec(["/bin/sh", "-c", "exit 0"], {
      Annotations: new Map([["key", "value"]]),
      Hooks: {
        Prestart: [noting(notes, "prestart")],
        CreateRuntime: [noting(notes, "createRuntime")],
        CreateContainer: [noting(notes, "createContainer")],
        StartContainer: [
          { Path: "/bin/sh", Args: ["sh", "-c", "cat > /from-start"], Env: ["PATH=/bin"], Timeout: 5n },
        ],
        Poststart: [noting(notes, "poststart")],
        Poststop: [noting(notes, "poststop")],
      },
    });
    const seen = async () =>
      (await readFile(notes, "utf8"))
        .trim()
        .split("\n")
        .map((line) => {
          const [name, ...rest] = line.split(" ");
          const { status, id, bundle, annotations, pid } = JSON.parse(rest.join(" "));
          assert.deepEqual(
            [id, bundle, annotations],
            ["c", rootPath().replace(/\/rootfs$/, ""), { key: "value" }],
          );
          return `${name} ${status} ${pid > 0}`;
        });
    const process = await createContainer(session, "c", spec);
    const created = [
      "prestart creating true",
      "createRuntime creating true",
      "createContainer creating true",
    ];
    assert.deepEqual(await seen(), created);
    await session.call("StartContainer", { containerId: "c" });
    await process.wait();
    const started = [...created, "poststart running true"];
    assert.deepEqual(await seen(), started);
    assert.equal(JSON.parse(await readFile(join(rootPath(), "from-start"), "utf8")).status, "created");
    await session.call("RemoveContainer", { containerId: "c" });
    assert.deepEqual(await seen(), [...started, "poststop stopped false"]);
  });

  test("see the container's mounts when it is created, but not those of the guest when it starts", async () => {
    await using folder = await makeFolder();
    await using session = await startSandbox();
    const note = join(folder.path, "mounts");
    const look = {
      Path: "/bin/sh",
      Args: ["sh", "-c", `cat > /dev/null; cp /proc/self/mountinfo ${note}`],
      Env: [],
    };
    await runContainer(session, makeSpec(["/bin/true"], { Hooks: { CreateContainer: [look] } }));
    assert.match(await readFile(note, "utf8"), / \/run\/husk\/containers\/run\/root /);
  });

  test("that fail, or take too long, fail what they belong to", async () => {
    await using session = await startSandbox();
    const bad = { Path: "/bin/sh", Args: ["sh", "-c", "echo no luck >&2; exit 3"], Env: [] };
    const slow = {
      Path: "/bin/sh",
      Args: ["sh", "-c", "sleep 1000 & wait"],
      Env: ["PATH=/bin:/usr/bin"],
      Timeout: 1n,
    };
    const none = { Path: "/none", Args: [], Env: [] };
    for (const [point, hook, text] of [
      ["Prestart", bad, 'prestart hook "/bin/sh": it ended with 3: no luck'],
      [
        "CreateRuntime",
        none,
        'createRuntime hook "/none": it ended with 127: execve /none: No such file or directory',
      ],
      ["CreateContainer", slow, 'createContainer hook "/bin/sh": it was killed after 1000 ms'],
    ] as const) {
      const OCI = makeSpec(["/bin/true"], { Hooks: { [point]: [hook] } });
      assert.equal((await session.refuse("CreateContainer", { containerId: "c", OCI })).message, text);
    }
    const spec = makeSpec(["/bin/true"], { Hooks: { StartContainer: [bad] } });
    const process = await createContainer(session, "c", spec);
    const { message } = await session.refuse("StartContainer", { containerId: "c" });
    assert.equal(message, 'startContainer hook "/bin/sh": it ended with 3: no luck');
    assert.equal(await process.wait(), 70);
    await session.call("RemoveContainer", { containerId: "c" });
    // What follows a container's start or end cannot undo it.
    const late = makeSpec(sh("exit 4"), { Hooks: { Poststart: [bad], Poststop: [none] } });
    assert.equal((await runContainer(session, late)).code, 4);
    assert.match(session.log, /poststart hook.*no luck[\s\S]*poststop hook.*127/);
  });

  test("of the guest itself are run for every container", async () => {
    await using folder = await makeFolder();
    const notes = join(folder.path, "notes");
    for (const point of ["prestart", "poststart", "poststop"]) {
      await mkdir(join(folder.path, "hooks", point), { recursive: true });
      const path = join(folder.path, "hooks", point, "one");
      await writeFile(path, `#!/bin/sh\n/bin/cat > /dev/null\necho "$1" >> ${notes}\n`);
      await chmod(path, 0o755);
    }
    await writeFile(join(folder.path, "hooks/prestart/no-program"), "");
    await using session = await KataSession.start();
    await session.call("CreateSandbox", { guestHookPath: join(folder.path, "hooks") });
    await startContainer(session, "c", makeSpec(["/bin/true"]));
    await session.call("RemoveContainer", { containerId: "c" });
    assert.equal(await readFile(notes, "utf8"), "prestart\npoststart\npoststop\n");
  });
});
