import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Command } from "../hyperstart/commands.ts";
import { PayloadError } from "../hyperstart/payload-error.ts";
import { RENEW } from "../hyperstart/renewal.ts";
import { encode, hex, json } from "../test-support/bytes.ts";
import {
  commandOfHyperName,
  decodeAcknowledge,
  decodeProcessExited,
  encodeAcknowledge,
  encodeConnectShimResponse,
  encodeErrorResponse,
  encodeIoResponse,
  encodeToken,
  isToken,
  parseAttachVm,
  parseConnectShim,
  parseConnectShimResponse,
  parseErrorResponse,
  parseHyperRequest,
  parseIoResponse,
  parseLogEntry,
  parseRegisterVm,
  parseShimSignal,
  parseUnregisterVm,
  readRequestedProcess,
  SIGWINCH,
  TOKEN_BYTES,
  withStreams,
} from "./index.ts";

const TOKEN = encodeToken(new Uint8Array(TOKEN_BYTES));

function assertFault(action: () => unknown, path: string): void {
  assert.throws(action, (error) => error instanceof PayloadError && error.path === path);
}

test("RegisterVM, AttachVM and UnregisterVM are read", () => {
  const pod = { containerId: "pod" };
  const sockets = { ctlSerial: "/run/ctl", ioSerial: "/run/io" };
  assert.deepEqual(parseRegisterVm(json({ ...pod, ...sockets })), { ...pod, numIOStreams: 0, ...sockets });
  assert.deepEqual(
    parseRegisterVm(json({ ...pod, ...sockets, console: "", numIOStreams: 2 })).numIOStreams,
    2,
  );
  assert.deepEqual(parseAttachVm(json(pod)), { ...pod, numIOStreams: 0 });
  assert.equal(parseAttachVm(json({ ...pod, exits: true })).exits, true);
  assertFault(() => parseAttachVm(json({ ...pod, exits: 1 })), "exits");
  assert.deepEqual(parseUnregisterVm(json(pod)), pod);
  assertFault(() => parseRegisterVm(json({ ...pod, ctlSerial: "/x" })), "ioSerial");
  assertFault(() => parseAttachVm(json({ containerId: "../x" })), "containerId");
  assertFault(() => parseAttachVm(json({ ...pod, numIOStreams: 1e9 })), "numIOStreams");
});

test("a response with tokens has the key that the original really sends, and either is read", () => {
  const io = { url: "unix:///run/proxy.sock", tokens: [TOKEN] };
  assert.equal(encodeIoResponse(io), `{"io":{"URL":"unix:///run/proxy.sock","tokens":["${TOKEN}"]}}`);
  assert.deepEqual(parseIoResponse(encode(encodeIoResponse(io))), io);
  assert.deepEqual(parseIoResponse(json({ io })), io);
  assert.deepEqual(parseIoResponse(json({ io: { URL: "u" } })), { url: "u", tokens: [] });
  assertFault(() => parseIoResponse(json({ io: { URL: "u", tokens: ["?"] } })), "io.tokens[0]");
});

test("an error's text comes back", () => {
  assert.equal(parseErrorResponse(encode(encodeErrorResponse("no such pod"))), "no such pod");
  assertFault(() => parseErrorResponse(json({})), "msg");
});

test("tokens are base64 for URLs with padding", () => {
  assert.equal(encodeToken(hex("fbff00")), "-_8A");
  assert.equal(TOKEN.length, 44);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 90 }), (bytes) => {
      const token = encodeToken(bytes);
      assert.equal(token, Buffer.from(bytes).toString("base64").replaceAll("+", "-").replaceAll("/", "_"));
      assert.ok(isToken(token));
    }),
  );
  for (const text of ["", "a", "abc", "ab==\n", "ab/=", "====", "a".repeat(132)])
    assert.ok(!isToken(text), text);
});

test("every name of a command that clients know is one of the agent's", () => {
  assert.equal(commandOfHyperName("startpod"), Command.STARTPOD);
  assert.equal(commandOfHyperName("version"), Command.GETVERSION);
  assert.equal(commandOfHyperName("getversion"), Command.GETVERSION);
  assert.equal(commandOfHyperName("pscontainer"), 23);
  assert.equal(commandOfHyperName("finishpod"), 13);
  assert.equal(commandOfHyperName("renew"), RENEW);
  assert.equal(commandOfHyperName("__proto__"), undefined);
});

test("a Hyper request says whose process it makes", () => {
  const data = { container: "web", process: { id: "exec-1", terminal: true, stdio: 0, args: ["sh"] } };
  const request = parseHyperRequest(json({ hyperName: "execcmd", tokens: [TOKEN], data }));
  assert.deepEqual(request, { hyperName: "execcmd", tokens: [TOKEN], data });
  assert.deepEqual(readRequestedProcess(Command.EXECCMD, request.data), {
    container: "web",
    id: "exec-1",
    terminal: true,
  });
  assert.deepEqual(readRequestedProcess(Command.NEWCONTAINER, { id: "web", process: {} }), {
    container: "web",
    terminal: false,
  });
  assert.equal(readRequestedProcess(Command.STARTPOD, {}), undefined);
  assert.deepEqual(parseHyperRequest(json({ hyperName: "ping", tokens: null })), {
    hyperName: "ping",
    tokens: [],
  });
  const numbered = { id: "web", process: { stderr: 7 } };
  assertFault(() => readRequestedProcess(Command.NEWCONTAINER, numbered), "data.process.stderr");
  assertFault(() => parseHyperRequest(json({ hyperName: "ping", tokens: ["?"] })), "tokens[0]");
});

test("streams are put first into a process, and none is left out", () => {
  const data = { id: "web", process: { args: ["sh"], stderr: 0 }, x: 1 };
  assert.equal(
    JSON.stringify(withStreams(data, 3, 4)),
    '{"id":"web","process":{"stdio":3,"stderr":4,"args":["sh"]},"x":1}',
  );
  assert.deepEqual(withStreams(data, 3, 0).process, { stdio: 3, args: ["sh"] });
});

test("ConnectShim and its response may speak of positions", () => {
  const received = { stdout: 2 ** 40, stderr: 0 };
  assert.deepEqual(parseConnectShim(json({ token: TOKEN })), { token: TOKEN });
  const full = { token: TOKEN, received, transient: true };
  assert.deepEqual(parseConnectShim(json(full)), full);
  assert.deepEqual(parseConnectShimResponse(encode(encodeConnectShimResponse(received))), received);
  assert.equal(parseConnectShimResponse(hex("")), undefined);
  assertFault(
    () => parseConnectShim(json({ token: TOKEN, received: { stdout: -1, stderr: 0 } })),
    "received.stdout",
  );
});

test("a signal has a size exactly when it is that of a new size", () => {
  const size = { columns: 80, rows: 24 };
  assert.deepEqual(parseShimSignal(json({ signalNumber: 15 })), { signalNumber: 15, columns: 0, rows: 0 });
  assert.deepEqual(parseShimSignal(json({ signalNumber: SIGWINCH, ...size })), {
    signalNumber: SIGWINCH,
    ...size,
  });
  assertFault(() => parseShimSignal(json({ signalNumber: 15, ...size })), "columns");
  assertFault(() => parseShimSignal(json({ signalNumber: SIGWINCH, columns: 80 })), "rows");
  assertFault(() => parseShimSignal(json({ signalNumber: 65 })), "signalNumber");
});

test("a log's entry is read", () => {
  const entry = { source: "shim", level: "warn", msg: "slow" };
  assert.deepEqual(parseLogEntry(json({ ...entry, containerId: "" })), entry);
  assertFault(() => parseLogEntry(json({ ...entry, level: "loud" })), "level");
});

test("an acknowledgement has its golden bytes", () => {
  const bytes = hex("0000000100000002 0000000000000003");
  const positions = { stdout: 2 ** 32 + 2, stderr: 3 };
  assert.deepEqual(encodeAcknowledge(positions), bytes);
  assert.deepEqual(decodeAcknowledge(bytes), positions);
  assertFault(() => decodeAcknowledge(hex("00")), "");
  assertFault(() => decodeAcknowledge(hex("ffffffffffffffff 0000000000000000")), "");
});

test("an exit is one byte", () => {
  assert.equal(decodeProcessExited(hex("89")), 137);
  assertFault(() => decodeProcessExited(hex("")), "");
  assertFault(() => decodeProcessExited(hex("0000")), "");
});
