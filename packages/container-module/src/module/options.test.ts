import assert from "node:assert/strict";
import { test } from "node:test";
import { type ErrorCode, isHuskError } from "@husk/virtcontainers";
import { type ModuleOptions, readOptions } from "./options.ts";

const OPTIONS: ModuleOptions = { shim: "/bin/true", backend: "oci", runtime: "/bin/true" };

test("what is left out is as 0-OS has it", () => {
  const { directories, backend } = readOptions(OPTIONS);
  assert.deepEqual(directories, {
    stateRoot: "/var/lib/husk-module",
    runRoot: "/run/husk-module",
    logRoot: "/var/log",
  });
  assert.deepEqual(backend.record, { kind: "oci", runtime: "/bin/true" });
  assert.deepEqual(readOptions({ ...OPTIONS, stateRoot: "/x//" }).directories.stateRoot, "/x");
  assert.match(readOptions({ ...OPTIONS, runtime: "true" }).backend.record.runtime, /^\/.*\/true$/);
});

test("options that make no sense are refused", () => {
  const refusals: [Record<string, unknown>, ErrorCode, RegExp][] = [
    [{ shim: "true" }, "ERR_CONFIG_INVALID", /^shim: "true" is no absolute path/],
    [{ runRoot: `/${"x".repeat(48)}` }, "ERR_CONFIG_INVALID", /^runRoot: /],
    [{ backend: "none" }, "ERR_CONFIG_INVALID", /neither vm nor oci/],
    [{ backend: "vm", runtime: undefined }, "ERR_CONFIG_INVALID", /^runtime: /],
    [{ runtime: "/none/such" }, "ERR_RUNTIME", /\/none\/such is not there/],
    [{ runtime: "no-such-runtime" }, "ERR_RUNTIME", /no-such-runtime is not there/],
    [{ stateRot: "/x" }, "ERR_CONFIG_UNKNOWN_FIELD", /did you mean "stateRoot"/],
  ];
  for (const [options, code, why] of refusals) {
    assert.throws(
      () => readOptions({ ...OPTIONS, ...options }),
      (error) => isHuskError(error, code) && why.test(error.message),
      String(why),
    );
  }
});
