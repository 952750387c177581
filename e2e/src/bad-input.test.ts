import assert from "node:assert/strict";
import { chmod, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { makeBrokenGuest } from "./support/broken-guest.ts";
import { it } from "./support/vm-test.ts";
import { type HuskResult, Workplace } from "./support/workplace.ts";

const RUN = ["run", "--rm"];

/** One clear error: a line with the code at its end, perhaps details, then a hint; nothing on stdout. */
function assertFails(result: HuskResult, code: string, message: RegExp, status = 125): void {
  assert.equal(result.status, status, result.stderr);
  assert.equal(result.stdout.length, 0);
  assert.match(result.stderr, message);
  assert.match(
    result.stderr,
    new RegExp(`^husk: [^\\n]+ \\[${code}\\]\\n(?:  [^\\n]*\\n)*hint: [^\\n]+\\n$`),
  );
}

describe("bad input to husk", () => {
  it("an unknown option", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    assertFails(
      await place.husk([...RUN, "--memroy", "128", "--", "true"]),
      "ERR_USAGE",
      /Did you mean --memory/,
    );
    assertFails(await place.husk(["ps", "--al"]), "ERR_USAGE", /Did you mean --all/, 2);
  });

  it("an unknown command of husk", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    assertFails(await place.husk(["stpo", "x"]), "ERR_USAGE", /Did you mean stop/, 2);
  });

  it("no command for the container", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    assertFails(await place.husk([...RUN, "--"]), "ERR_USAGE", /no command/);
  });

  it("a command that does not exist", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { status, stdout, stderr } = await place.husk([...RUN, "--", "no-such-command", "arg"]);
    assert.deepEqual([status, stdout.length], [127, 0]);
    assert.match(stderr, /no-such-command.*(not found|no such file)/i);
  });

  it("a command that cannot be executed", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    for (const command of ["/etc/passwd", "/etc"]) {
      const { status, stderr } = await place.husk([...RUN, "--", command]);
      assert.equal(status, 126);
      assert.match(stderr, new RegExp(`${command}.*(permission denied|is a directory)`, "i"));
    }
  });

  it("a user that does not exist, a working directory that cannot be made", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    for (const options of [
      ["-w", "/no/such/place", "--read-only"],
      ["-u", "no-such-user"],
    ]) {
      const { status, stderr } = await place.husk([...RUN, ...options, "--", "true"]);
      assert.notEqual(status, 0);
      assert.match(stderr, /no.such.(place|user)/);
    }
  });

  it("a root file system that does not exist", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const missing = join(place.folder, "missing");
    assertFails(
      await place.husk([...RUN, "--rootfs", missing, "--", "true"]),
      "ERR_ROOTFS_MISSING",
      /missing/,
    );
  });

  it("a file that is no root file system", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const file = join(place.folder, "file");
    await writeFile(file, "neither erofs nor anything else");
    assertFails(await place.husk([...RUN, "--rootfs", file, "--", "true"]), "ERR_ROOTFS_MISSING", /file/);
  });

  it("an empty root file system", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const empty = join(place.folder, "empty");
    await mkdir(empty);
    const { status, stderr } = await place.husk([...RUN, "--rootfs", empty, "--", "/bin/true"]);
    assert.equal(status, 127);
    assert.match(stderr, /\/bin\/true/);
  });

  for (const name of ["a/b", "..", "../x", ".", "", "-x", "a b", "ä", "x".repeat(65), "a\n"]) {
    it(`the name ${JSON.stringify(name)}`, async ({ signal }) => {
      await using place = await Workplace.create(signal);
      assertFails(
        await place.husk([...RUN, `--name=${name}`, "--", "true"]),
        "ERR_ID_INVALID",
        /not a valid/,
      );
      if (name.startsWith("-") || name.includes("/")) return;
      assertFails(await place.husk(["exec", name, "--", "true"]), "ERR_ID_INVALID", /not a valid/);
      const removed = await place.husk(["rm", "-f", name]);
      assertFails(removed, "ERR_ID_INVALID", /not a valid/, 2);
    });
  }

  it("a name that is in use", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const first = place.start(["run", "--rm", "--name", "web", "-i", "--", "sh", "-c", "echo up; cat"]);
    await first.stdout.waitFor(/up/);
    assertFails(await place.husk([...RUN, "--name", "web", "--", "true"]), "ERR_POD_EXISTS", /web/);
    first.child.stdin.end("still here\n");
    const { status, stdout } = await first.ended;
    assert.deepEqual([status, stdout.toString()], [0, "up\nstill here\n"]);
  });

  it("too little memory to boot", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    assertFails(await place.husk([...RUN, "--memory", "16", "--", "true"]), "ERR_MEMORY_TOO_SMALL", /16 MiB/);
  });

  it("no QEMU", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const result = await place.huskWith({ HUSK_QEMU: "/nowhere/qemu" }, [...RUN, "--", "true"]);
    assertFails(result, "ERR_QEMU_MISSING", /\/nowhere\/qemu/);
  });

  it("a QEMU that cannot start: its own words are in the error", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const program = join(place.folder, "qemu");
    await writeFile(program, "#!/bin/sh\necho 'qemu: no such luck' >&2\nexit 1\n");
    await chmod(program, 0o755);
    const result = await place.huskWith({ HUSK_QEMU: program }, [...RUN, "--", "true"]);
    assertFails(result, "ERR_QEMU_START", /qemu: no such luck/);
  });

  it("a real QEMU that cannot start", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const program = join(place.folder, "qemu");
    await writeFile(program, '#!/bin/sh\nexec qemu-system-x86_64 "$@" -device no-such-device\n');
    await chmod(program, 0o755);
    const result = await place.huskWith({ HUSK_QEMU: program }, [...RUN, "--", "true"]);
    assertFails(result, "ERR_QEMU_START", /'no-such-device' is not a valid device model name/);
  });

  it("a guest image that is none", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const image = join(place.folder, "image");
    await writeFile(image, "not an initramfs");
    const wrong = await place.huskWith({ HUSK_INITRAMFS: image }, [...RUN, "--", "true"]);
    assertFails(wrong, "ERR_NOT_SUPPORTED", /initramfs/);
    const missing = await place.huskWith({ HUSK_INITRAMFS: `${image}.missing` }, [...RUN, "--", "true"]);
    assertFails(missing, "ERR_GUEST_IMAGE_MISSING", /initramfs/);
  });

  it("a guest that never says READY: the console's last lines are in the error", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const env = { HUSK_INITRAMFS: makeBrokenGuest(place, "hang"), HUSK_BOOT_DEADLINE_MS: "15000" };
    const result = await place.huskWith(env, [...RUN, "--", "true"]);
    assertFails(result, "ERR_BOOT_TIMEOUT", /this guest hangs on purpose/);
  });

  it("a guest that panics: the console's last lines are in the error", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const env = { HUSK_INITRAMFS: makeBrokenGuest(place, "panic") };
    const result = await place.huskWith(env, [...RUN, "--", "true"]);
    assertFails(result, "ERR_VM_LOST", /Kernel panic/);
  });

  it("a guest that dies while a command runs", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const running = place.start([...RUN, "--name", "dies", "-i", "--", "sh", "-c", "echo up >&2; cat"]);
    const other = running.stderr.waitFor(/up/);
    await other;
    const exec = place.start(["exec", "dies", "--", "sh", "-c", "echo up >&2; sleep 1000"]);
    await exec.stderr.waitFor(/up/);
    const [{ hypervisorPid }] = JSON.parse((await place.husk(["ps", "--json"])).stdout.toString());
    process.kill(hypervisorPid, "SIGKILL");
    for (const { ended } of [running, exec]) {
      const result = await ended;
      assert.match(result.stderr, /^up\n/);
      assertFails({ ...result, stderr: result.stderr.replace("up\n", "") }, "ERR_VM_LOST", /VM/);
    }
  });

  it("a directory for the state that cannot be used", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const file = join(place.folder, "file");
    await writeFile(file, "");
    const result = await place.huskWith({ HUSK_ROOT: join(file, "state") }, [...RUN, "--", "true"]);
    assertFails(result, "ERR_STORE", /state/);
  });

  it("a state directory whose path is too long for sockets: they stand elsewhere, and go, too", async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    const elsewhere = join(place.root, "run");
    await mkdir(elsewhere, { recursive: true });
    const env = { HUSK_ROOT: join(place.root, "x".repeat(120)), XDG_RUNTIME_DIR: elsewhere };
    const { status, stdout } = await place.huskWith(env, [...RUN, "--", "echo", "hi"]);
    assert.deepEqual([status, stdout.toString()], [0, "hi\n"]);
    assert.deepEqual(await readdir(elsewhere), []);
    await rm(env.HUSK_ROOT, { recursive: true });
  });

  it("errors are JSON where JSON is asked for", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { status, stderr } = await place.husk(["ps", "--json", "--unknown"]);
    assert.equal(status, 2);
    assert.equal(JSON.parse(stderr).error.code, "ERR_USAGE");
  });
});
