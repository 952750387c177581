import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { moduleShimTargets } from "../../fuzz/module-shim-targets.ts";
import { runTargets } from "../../fuzz/run.ts";
import { concat, cut, encode, hex, json } from "../test-support/bytes.ts";
import {
  encodeExecExit,
  encodeExecOutput,
  encodeExecResize,
  encodeExecSignal,
  encodeExecStdin,
  encodeFault,
  encodeShimCall,
  encodeShimState,
  encodeStarted,
  encodeStartReport,
  encodeStateEvent,
  MAX_EXEC_OUTPUT_BYTES,
  MAX_SHIM_PAYLOAD_BYTES,
  parseShimPlan,
  parseShimState,
  parseStartReport,
  type ShimCallInput,
  type ShimEvent,
  ShimEventDecoder,
  type ShimPlan,
  ShimProtocolError,
  type ShimRequest,
  ShimRequestDecoder,
  type ShimState,
} from "./index.ts";

const state: ShimState = { version: 1, state: "running", pid: 7, restarts: 0, bootId: "b", shimPid: 6 };

const plan: ShimPlan = {
  version: 1,
  ns: "n",
  name: "web",
  runtimeId: "n-web",
  bundle: "/b",
  create: ["/r", "create"],
  start: ["/r", "start"],
  kill: ["/r", "kill"],
  delete: ["/r", "delete"],
  exec: ["/r", "exec", "{process}", "{pidFile}"],
  environment: ["A=b"],
  pidFile: "/p",
  runtimeLog: "/l",
  stdout: "/o",
  stderr: "/o",
  log: { path: "/log", maxBytes: 4096, maxFiles: 1 },
  state: "/s",
  lock: "/k",
  socket: "/c",
  restart: { limit: 3, delayMs: 2000, windowMs: 60_000 },
  commandTimeoutMs: 1000,
};

function encodeRequest(request: ShimRequest): Uint8Array {
  if (request.kind === "call") return encodeShimCall(request.call);
  if (request.kind === "resize") return encodeExecResize(request);
  return request.kind === "stdin" ? encodeExecStdin(request.data) : encodeExecSignal(request.signal);
}

function encodeEvent(event: ShimEvent): Uint8Array {
  if (event.kind === "state") return encodeStateEvent(event.state);
  if (event.kind === "fault") return encodeFault(event.fault);
  if (event.kind === "started") return encodeStarted(event.pid);
  return event.kind === "output" ? encodeExecOutput(event.name, event.data) : encodeExecExit(event.exit);
}

/** A frame whose payload is a text shorter than 256 bytes. */
function frame(type: string, text: string): Uint8Array {
  const body = encode(text);
  return concat([hex(`${type}000000 000000${body.length.toString(16).padStart(2, "0")}`), body]);
}

const requests: [name: string, bytes: Uint8Array, request: ShimRequest][] = [
  ["a call", frame("01", '{"method":"state"}'), { kind: "call", call: { method: "state" } }],
  ["input", hex("02000000 00000002 6869"), { kind: "stdin", data: hex("6869") }],
  ["the end of input", hex("02000000 00000000"), { kind: "stdin", data: hex("") }],
  ["a signal", hex("03000000 00000004 0000000f"), { kind: "signal", signal: 15 }],
  ["a size", hex("04000000 00000004 fffe0050"), { kind: "resize", rows: 65_534, columns: 80 }],
];
for (const [name, bytes, request] of requests) {
  test(`${name} has its golden bytes`, () => {
    assert.deepEqual(encodeRequest(request), bytes);
    assert.deepEqual(new ShimRequestDecoder().push(bytes), [request]);
  });
}

const events: [name: string, bytes: Uint8Array, event: ShimEvent][] = [
  ["a state", frame("10", JSON.stringify(state)), { kind: "state", state }],
  [
    "a fault",
    frame("11", '{"code":"stuck","message":"m"}'),
    { kind: "fault", fault: { code: "stuck", message: "m" } },
  ],
  ["a start", frame("12", '{"pid":8}'), { kind: "started", pid: 8 }],
  ["output", hex("13000000 00000002 6869"), { kind: "output", name: "stdout", data: hex("6869") }],
  ["errors", hex("14000000 00000002 6869"), { kind: "output", name: "stderr", data: hex("6869") }],
  ["an exit", frame("15", '{"exitCode":3}'), { kind: "exit", exit: { exitCode: 3 } }],
];
for (const [name, bytes, event] of events) {
  test(`${name} has its golden bytes`, () => {
    assert.deepEqual(encodeEvent(event), bytes);
    assert.deepEqual(new ShimEventDecoder().push(bytes), [event]);
  });
}

const word = fc.string({ unit: "grapheme", maxLength: 30 }).filter((text) => !text.includes("\0"));
const data = fc.uint8Array({ maxLength: 600 });
const arbitraryRequest: fc.Arbitrary<ShimRequest> = fc.oneof(
  fc.record({ kind: fc.constant("stdin"), data }, { noNullPrototype: true }),
  fc
    .record(
      {
        args: fc.array(word, { minLength: 1, maxLength: 4 }).filter(([first]) => first !== ""),
        env: fc.array(word, { maxLength: 3 }),
        cwd: fc.constant("/tmp"),
        user: fc.record({ uid: fc.nat(), gid: fc.nat() }, { noNullPrototype: true }),
        timeoutMs: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      },
      { requiredKeys: ["args"], noNullPrototype: true },
    )
    .map((call) => ({ kind: "call", call: { method: "exec", ...call } }) as ShimRequest),
);

test("any messages, cut anywhere, come out as they went in", () => {
  fc.assert(
    fc.property(fc.array(arbitraryRequest, { maxLength: 6 }), fc.array(fc.nat(3000)), (messages, at) => {
      const decoder = new ShimRequestDecoder();
      const pieces = cut(concat(messages.map(encodeRequest)), at);
      assert.deepEqual(
        pieces.flatMap((piece) => decoder.push(piece)),
        messages,
      );
      assert.equal(decoder.pendingBytes, 0);
    }),
  );
});

test("what a stop leaves out has its default", () => {
  const [request] = new ShimRequestDecoder().push(encodeShimCall({ method: "stop", graceMs: 0 }));
  const call = { method: "stop", signal: 15, graceMs: 0, killMs: 10_000 };
  assert.deepEqual(request, { kind: "call", call });
});

test("the longest frames pass, longer ones are neither written nor taken", () => {
  const most = new Uint8Array(MAX_EXEC_OUTPUT_BYTES);
  assert.equal(new ShimEventDecoder().push(encodeExecOutput("stdout", most)).length, 1);
  const more = new Uint8Array(MAX_SHIM_PAYLOAD_BYTES + 1);
  assert.throws(() => encodeExecOutput("stdout", more), RangeError);
  assert.throws(() => encodeExecStdin(more), RangeError);
  assert.throws(() => encodeShimCall({ method: "exec", args: ["x".repeat(70_000)] }), RangeError);
  assert.throws(() => encodeExecSignal(0), RangeError);
  assert.throws(() => encodeExecResize({ rows: 65_536, columns: 1 }), RangeError);
  assert.throws(() => new ShimRequestDecoder().push(hex("02000000 00010001")), ShimProtocolError);
});

test("calls that cannot be meant end the connection, with what came before", () => {
  const calls: unknown[] = [
    {},
    { method: "restart" },
    { method: "exec", args: [] },
    { method: "exec", args: [""] },
    { method: "exec", args: ["a\0b"] },
    { method: "exec", args: ["a"], user: { uid: -1, gid: 0 } },
    { method: "exec", args: ["a"], timeoutMs: 0 },
    { method: "stop", signal: 65 },
    { method: "stop", graceMs: 1.5 },
  ];
  const bad = calls.map((call) => encodeShimCall(call as ShimCallInput));
  for (const bytes of [...bad, hex("01000000 00000001 7b"), hex("03000000 00000004 00000000")]) {
    const decoder = new ShimRequestDecoder();
    assert.throws(
      () => decoder.push(concat([encodeExecSignal(1), bytes])),
      (error) => {
        assert.ok(error instanceof ShimProtocolError, String(error));
        assert.deepEqual(error.messages, [{ kind: "signal", signal: 1 }]);
        return true;
      },
    );
  }
});

test("a plan and a state are read as they were written", () => {
  assert.deepEqual(parseShimPlan(json(plan)), plan);
  const whole: ShimState = {
    ...state,
    pidStartTime: 5,
    startedAt: "2026-11-23T01:02:03.456Z",
    exitedAt: "2026-11-23T01:02:03.456Z",
    exitSignal: 9,
    exitUnknown: true,
    oomKilled: true,
    reason: "r\ns",
    stopRequested: true,
    unremoved: true,
    droppedBytes: 2 ** 40,
    warning: "w",
  };
  assert.deepEqual(parseShimState(encodeShimState(whole)), whole);
});

test("a plan that cannot be done is refused, and says which field it is", () => {
  const faults: [change: object, text: RegExp][] = [
    [{ version: 2 }, /^version: must be 1/],
    [{ create: [] }, /^create\[0\]: /],
    [{ start: ["runc", "start"] }, /^start\[0\]: must be an absolute path/],
    [{ exec: ["/r", "exec"] }, /^exec: must have \{process\}/],
    [{ socket: `/${"x".repeat(103)}` }, /^socket: must not be longer than 103 bytes/],
    [{ log: { ...plan.log, maxFiles: 0 } }, /^log\.maxFiles: /],
    [{ restart: { limit: 1 } }, /^restart\.delayMs: is missing/],
    [{ environment: ["A=\0"] }, /^environment\[0\]: /],
    [{ name: "a\nb" }, /^name: /],
  ];
  for (const [change, text] of faults)
    assert.throws(() => parseShimPlan(json({ ...plan, ...change })), { message: text });
});

test("start reports are read as they were written", () => {
  for (const report of [
    { ok: true as const, pid: 3 },
    { ok: true as const, pid: 3, adopted: true },
    { error: { step: "create", message: "m", runtimeLog: "l" } },
  ])
    assert.deepEqual(parseStartReport(encodeStartReport(report)), report);
  assert.throws(() => parseStartReport(encode('{"ok":false}')), /error: is missing/);
});

for (const target of moduleShimTargets) {
  test(`a short fuzz run of ${target.name} finds nothing`, () => runTargets([target], 1500, 1));
}
