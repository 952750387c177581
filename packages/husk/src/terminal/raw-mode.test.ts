import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, it } from "node:test";
import { enterRawMode } from "./raw-mode.ts";

class FakeTerminal {
  isRaw = false;
  readonly calls: boolean[] = [];
  fails = false;

  setRawMode(raw: boolean): void {
    this.calls.push(raw);
    if (this.fails) throw new Error("EIO");
    this.isRaw = raw;
  }
}

/** Enters raw mode without touching the terminal that the tests may run in. */
function enter(terminal: FakeTerminal, exits: EventEmitter): Disposable {
  return enterRawMode(terminal, () => {}, exits);
}

describe("enterRawMode", () => {
  it("restores the terminal once when disposed of, and forgets about the exit", () => {
    const terminal = new FakeTerminal();
    const exits = new EventEmitter();
    const raw = enter(terminal, exits);
    assert.equal(terminal.isRaw, true);
    raw[Symbol.dispose]();
    raw[Symbol.dispose]();
    exits.emit("exit");
    assert.deepEqual(terminal.calls, [true, false]);
    assert.equal(exits.listenerCount("exit"), 0);
  });

  it("restores the terminal when the process exits", () => {
    const terminal = new FakeTerminal();
    const exits = new EventEmitter();
    enter(terminal, exits);
    exits.emit("exit");
    assert.equal(terminal.isRaw, false);
  });

  it("restores the terminal when an exception passes by", () => {
    const terminal = new FakeTerminal();
    assert.throws(() => {
      using _raw = enter(terminal, new EventEmitter());
      throw new Error("boom");
    }, /boom/);
    assert.equal(terminal.isRaw, false);
  });

  it("leaves a terminal alone that is raw already", () => {
    const terminal = new FakeTerminal();
    terminal.isRaw = true;
    enter(terminal, new EventEmitter())[Symbol.dispose]();
    assert.deepEqual(terminal.calls, []);
  });

  it("leaves no listener behind when the terminal refuses", () => {
    const terminal = new FakeTerminal();
    terminal.fails = true;
    const exits = new EventEmitter();
    assert.throws(() => enter(terminal, exits), /EIO/);
    assert.equal(exits.listenerCount("exit"), 0);
  });

  it("bears a terminal that is gone at the end", () => {
    const terminal = new FakeTerminal();
    const raw = enter(terminal, new EventEmitter());
    terminal.fails = true;
    raw[Symbol.dispose]();
    assert.deepEqual(terminal.calls, [true, false]);
  });
});
