import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { renderTable } from "./table.ts";

describe("renderTable", () => {
  it("aligns columns below their headings", () => {
    const columns = [{ title: "NAME" }, { title: "MS", align: "right" }, { title: "NOTE" }] as const;
    const text = renderTable(columns, [
      ["a", "1.5", "x"],
      ["longer", "120.0", ""],
    ]);
    assert.equal(text, "NAME       MS  NOTE\na         1.5  x\nlonger  120.0\n");
  });

  it("prints the headings alone when there are no rows", () => {
    assert.equal(renderTable([{ title: "NAME" }, { title: "STATE" }], []), "NAME  STATE\n");
  });

  it("gives one line per row, whatever the cells hold", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }))),
        (rows) => {
          const text = renderTable([{ title: "A" }, { title: "B" }], rows);
          assert.equal(text.split("\n").length, rows.length + 2);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the claim
          assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
        },
      ),
    );
  });
});
