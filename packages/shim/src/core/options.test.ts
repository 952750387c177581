import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, test } from "node:test";
import { TestPrograms } from "../../test/support/fake-shim.ts";

const programs = await TestPrograms.build("options");
after(() => programs.remove());

function read(
  which: "cc" | "kata",
  ...args: string[]
): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(programs.path("options"), [which, ...args], { encoding: "utf8" });
}

const parse = (which: "cc" | "kata", ...args: string[]): unknown => {
  const { status, stdout, stderr } = read(which, ...args);
  assert.deepEqual([status, stderr], [0, ""]);
  return JSON.parse(stdout);
};

const CC = ["-c", "web", "-t", "dG9rZW4=", "-u", "unix:///run/proxy.sock"];
const KATA = ["-agent", "unix:///run/proxy.sock", "-container", "web", "-exec-id", "shell"];
const plain = { containerId: "web", debug: false, proxyExitCode: true, interactive: false };

test("cc-shim as virtcontainers calls it", () => {
  const cc = { ...plain, token: "dG9rZW4=", url: "unix:///run/proxy.sock", reconnectSeconds: 10 };
  assert.deepEqual(parse("cc", ...CC), cc);
  assert.deepEqual(parse("cc", ...CC, "-d", "-r", "30"), { ...cc, debug: true, reconnectSeconds: 30 });
  const long = ["--container-id=web", "--token", "dG9rZW4=", "-uri=unix:///run/proxy.sock", "--debug=false"];
  assert.deepEqual(parse("cc", ...long), cc);
});

test("kata-shim as virtcontainers calls it", () => {
  const kata = { ...plain, terminal: false, agentUrl: "unix:///run/proxy.sock", execId: "shell" };
  assert.deepEqual(parse("kata", ...KATA), kata);
  assert.deepEqual(parse("kata", ...KATA, "-terminal", "-log", "debug"), {
    ...kata,
    terminal: true,
    debug: true,
  });
  const rest = ["-proxy-exit-code=false", "-trace=false", "-agent-logs-socket", "/x", "-log", "warn"];
  assert.deepEqual(parse("kata", ...KATA, ...rest), { ...kata, proxyExitCode: false });
});

test("what both have of ours", () => {
  const ours = [
    ...["-log-file", "/l", "-log-max-bytes", "65536", "-log-max-files=1", "-attach-fd", "3", "-interactive"],
    ...[
      "-exit-file",
      "/e",
      "-exit-command",
      '["/bin/true","a b"]',
      "-proxy-command",
      "/p",
      "-terminal=false",
    ],
  ];
  const expected = {
    ...{ ...plain, interactive: true, terminal: false, log: { path: "/l", maxBytes: 65_536, maxFiles: 1 } },
    ...{ attachFd: 3, exitFile: "/e", exitCommand: ["/bin/true", "a b"], proxyCommand: "/p" },
  };
  assert.deepEqual(parse("cc", ...CC, ...ours), {
    ...{ ...expected, token: "dG9rZW4=", url: "unix:///run/proxy.sock", reconnectSeconds: 10 },
  });
  assert.deepEqual(parse("kata", ...KATA, ...ours), {
    ...{ ...expected, agentUrl: "unix:///run/proxy.sock", execId: "shell" },
  });
});

const faults: [which: "cc" | "kata", args: string[], text: string][] = [
  ["cc", [], "-t is missing"],
  ["cc", ["-t", "x"], "-c is missing"],
  ["cc", [...CC, "-t", "a b"], "-t must be URL-safe base64"],
  ["cc", [...CC, "-u", "tcp://h:1"], '-u must be unix:// and an absolute path, not "tcp://h:1"'],
  ["cc", [...CC, "-r", "soon"], '-r must be a whole number, not "soon"'],
  ["cc", [...CC, "-c"], "-c needs a value"],
  ["cc", [...CC, "web"], '"web" is no flag'],
  ["cc", [...CC, "-tokn", "x"], "there is no flag -tokn; there is -token"],
  ["kata", ["-agent", "x"], "-container is missing"],
  [
    "kata",
    [...KATA, "-agent", "x"],
    '-agent must be unix:// and an absolute path, or vsock://CID:PORT, not "x"',
  ],
  ["kata", [...KATA, "-exec-id="], "-exec-id is missing"],
  ["kata", [...KATA, "-trace"], "-trace is not supported"],
  ["kata", [...KATA, "-terminal=maybe"], '-terminal is true or false, not "maybe"'],
  ["kata", [...KATA, "-constructor"], "there is no flag -constructor"],
  ["kata", [...KATA, "-log-file", "/l", "-console", "/c"], "-log-file and -console do not go together"],
  [
    "kata",
    [...KATA, "-log-file", "/l", "-log-max-files", "0"],
    "-log-max-files must be from 1 to 1000, not 0",
  ],
  [
    "kata",
    [...KATA, "-exit-command", '["true"]'],
    "-exit-command must be a JSON array of strings, first a program's absolute path",
  ],
];
for (const [which, args, text] of faults) {
  test(`${which}: ${text}`, () => {
    const { status, stdout, stderr } = read(which, ...args);
    assert.deepEqual([status, stdout, stderr], [1, "", `${which}-shim: ${text}; -h prints the flags\n`]);
  });
}

test("help and version are printed, whatever else is missing", () => {
  for (const which of ["cc", "kata"] as const) {
    const help = read(which, "-h");
    assert.equal(help.status, 0);
    assert.match(
      help.stdout,
      new RegExp(`^usage: ${which}-shim \\[flags\\]\\n(.|\\n)*-log-file PATH(.|\\n)*examples:`),
    );
    assert.ok(!help.stdout.includes("container-id"), "other names are not told");
  }
  assert.equal(read("cc", "-v").stdout, "cc-shim 0.1.0+husk\n");
  assert.equal(read("kata", "-version").stdout, "kata-shim 0.1.0+husk\n");
});
