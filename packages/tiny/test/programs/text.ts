/** UTF-8, in the globals that shared code uses. */
import * as sys from "tiny:sys";
import { readText } from "../../src/index.ts";
import { runScenarios } from "./scenarios.ts";

function fromHex(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** UTF-16 units, so that what is printed does not depend on what is tested. */
function units(text: string): number[] {
  return [...Array(text.length).keys()].map((at) => text.charCodeAt(at));
}

function decodeStrictly(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return undefined;
  }
}

runScenarios({
  /** Each line of the file is hex digits. */
  decode(path = "") {
    return readText(path, 1 << 24)
      .split("\n")
      .map(fromHex)
      .map((bytes) => {
        const strict = decodeStrictly(bytes);
        const marked = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
        return [
          units(new TextDecoder().decode(bytes)),
          strict === undefined ? null : units(strict),
          units(marked),
        ];
      });
  },

  /** Each line of the file is a JSON array of UTF-16 units. */
  encode(path = "") {
    return readText(path, 1 << 24)
      .split("\n")
      .map((line) => String.fromCharCode(...(JSON.parse(line) as number[])))
      .map((text) => toHex(new TextEncoder().encode(text)));
  },

  /** Each line of the file is hex digits: the lines of JSON, as hex digits, of pieces of at most 8 bytes. */
  jsonLines(path = "", final = "") {
    const output = new Uint8Array(1024);
    const head = sys.encodeUtf8('{"offset":');
    return readText(path, 1 << 24)
      .split("\n")
      .map(fromHex)
      .map((bytes) => {
        const [end, size] = sys.jsonLines(bytes, 0, output, 0, head, 1000, 8, final === "final");
        return [end, toHex(output.subarray(0, size))];
      });
  },

  /** How far it comes in a text, with ever more room. */
  jsonLinesInRoom() {
    const text = sys.encodeUtf8("one\ntwo\nthree\n");
    return [0, 60, 100, 200, 400].map((room) =>
      sys.jsonLines(text, 0, new Uint8Array(room), 0, new Uint8Array(0), 0, 8, true),
    );
  },

  empty() {
    return [new TextEncoder().encode().length, new TextDecoder().decode(), sys.encodeUtf8("").length];
  },
});
