import assert from "node:assert/strict";
import { test } from "node:test";
import { API_VERSION, Command, commandName, hostCommandName } from "./commands.ts";

test("the codes are 0 to 25, each once, in the order they are written", () => {
  assert.deepEqual(
    Object.values(Command),
    Array.from({ length: 26 }, (_, code) => code),
  );
});

test("the codes that dialects number differently are those of dialect H", () => {
  assert.equal(API_VERSION, 4244);
  assert.equal(Command.PROCESSASYNCEVENT, 23);
  assert.equal(Command.SIGNALPROCESS, 24);
  assert.equal(Command.DELETEINTERFACE, 25);
});

test("code 23 is PSCONTAINER from the host and PROCESSASYNCEVENT from the guest", () => {
  assert.equal(hostCommandName(23), "PSCONTAINER");
  assert.equal(commandName(23), "PROCESSASYNCEVENT");
  assert.equal(hostCommandName(17), "NEWCONTAINER");
});

test("commandName names known and unknown codes", () => {
  for (const [name, code] of Object.entries(Command)) assert.equal(commandName(code), name);
  assert.equal(commandName(26), "command 26");
  assert.equal(commandName(0xffff_ffff), "command 4294967295");
});
