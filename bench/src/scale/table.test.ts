import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { renderJson, renderTable } from "./table.ts";

const TABLE = { title: "T", columns: ["load", "hits %"], rows: [["a", 99.514] as const] };

describe("renderTable", () => {
  it("writes Markdown", () => {
    assert.equal(renderTable(TABLE), "T\n\n| load | hits % |\n| ---- | ------ |\n| a    | 99.5   |\n");
  });
});

describe("renderJson", () => {
  it("gives figures as they are", () => {
    assert.deepEqual(JSON.parse(renderJson([TABLE])), [
      { title: "T", rows: [{ load: "a", "hits %": 99.514 }] },
    ]);
  });
});
