import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GuestImageMissingError } from "@husk/guest-image";
import { HuskError } from "@husk/virtcontainers";
import { CommanderError } from "commander";
import { UsageError } from "../usage-error.ts";
import { describeError, renderError, renderErrorJson } from "./error-report.ts";

describe("describeError", () => {
  it("takes code, hint and exit status of the library's errors from the catalogue", () => {
    const report = describeError(new HuskError("ERR_MEMORY_TOO_SMALL", "too few", { podId: "p" }));
    assert.equal(report.code, "ERR_MEMORY_TOO_SMALL");
    assert.equal(report.exitStatus, 2);
    assert.equal(report.podId, "p");
    assert.match(report.hint ?? "", /memory|MiB|least/);
  });

  it("knows a guest that has not been built", () => {
    const report = describeError(new GuestImageMissingError("no kernel", "build it"));
    assert.deepEqual(report, {
      code: "ERR_GUEST_IMAGE_MISSING",
      message: "no kernel",
      hint: "build it",
      exitStatus: 125,
    });
  });

  it("strips commander's prefix and keeps its suggestion", () => {
    const text = "error: unknown option '--memroy'\n(Did you mean --memory?)";
    const report = describeError(new CommanderError(1, "commander.unknownOption", text));
    assert.equal(report.message, "unknown option '--memroy' (Did you mean --memory?)");
    assert.equal(report.exitStatus, 2);
  });

  it("calls what it does not know internal", () => {
    assert.equal(describeError(new TypeError("oops")).code, "ERR_INTERNAL");
    assert.equal(describeError("oops").exitStatus, 125);
  });
});

describe("renderError", () => {
  it("puts the code behind the first line, indents the others, ends with the hint", () => {
    const report = {
      code: "ERR_VM_LOST",
      message: "the VM is gone\npanic\n",
      hint: "start it",
      exitStatus: 125,
    };
    assert.equal(renderError(report), "husk: the VM is gone [ERR_VM_LOST]\n  panic\nhint: start it\n");
  });

  it("leaves the hint out when there is none", () => {
    const report = describeError(new UsageError("wrong"));
    assert.equal(renderError(report), "husk: wrong [ERR_USAGE]\n");
  });

  it("does not let a guest's words steer the terminal", () => {
    const text = renderError({ code: "X", message: "a\u001b]0;title\u0007b\r\nc\u009b2J", exitStatus: 1 });
    assert.equal(text, "husk: a\ufffd]0;title\ufffdb [X]\n  c\ufffd2J\n");
  });
});

describe("renderErrorJson", () => {
  it("is one line that parses", () => {
    const text = renderErrorJson(
      describeError(new HuskError("ERR_POD_NOT_FOUND", "no pod\nx", { podId: "x" })),
    );
    assert.equal(text.indexOf("\n"), text.length - 1);
    assert.equal(JSON.parse(text).error.code, "ERR_POD_NOT_FOUND");
  });
});
