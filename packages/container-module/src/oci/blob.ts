import { createHash, type Hash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "@husk/virtcontainers/internals";
import { invalidImage } from "./invalid-image.ts";

/** Bytes of a document (index, manifest, configuration) at most. */
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;
const DIGEST = /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** What an image says of one of its parts. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** bytes */
  readonly size: number;
}

/** Opens a file of an image; a fifo or device in its place must not hold us. */
async function openFile(path: string): Promise<FileHandle> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await file.stat()).isFile()) throw new Error("it is no file");
    return file;
  } catch (cause) {
    await file?.close();
    throw invalidImage(`${path} cannot be read: ${messageOf(cause)}`, cause);
  }
}

/** Gives the contents of a part of an image, and sees at the end that they are what was announced. */
export async function* readBlob(layout: string, { digest, size }: Descriptor): AsyncGenerator<Uint8Array> {
  const { path, hash, expected } = locate(layout, digest);
  const file = await openFile(path);
  try {
    let length = 0;
    for await (const chunk of file.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > size) break;
      hash.update(chunk);
      yield chunk;
    }
    if (length !== size) throw invalidImage(`${path} does not have the ${size} bytes that it should`);
    if (hash.digest("hex") !== expected)
      throw invalidImage(`${path} does not have the contents that its name says`);
  } finally {
    await file.close();
  }
}

function locate(layout: string, digest: string): { path: string; hash: Hash; expected: string } {
  if (!DIGEST.test(digest))
    throw invalidImage(`${layout}: the digest ${JSON.stringify(digest)} is of no known kind`);
  const [algorithm = "", expected = ""] = digest.split(":");
  return { path: join(layout, "blobs", algorithm, expected), hash: createHash(algorithm), expected };
}

/** Reads a part of an image that is a document. */
export async function readDocument(layout: string, descriptor: Descriptor): Promise<unknown> {
  if (descriptor.size > MAX_DOCUMENT_BYTES) {
    throw invalidImage(`${layout}: ${descriptor.digest} is a document of ${descriptor.size} bytes`);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of readBlob(layout, descriptor)) chunks.push(chunk);
  return parse(Buffer.concat(chunks), descriptor.digest);
}

/** Reads a document of a layout that has a name instead of a digest. */
export async function readNamedDocument(layout: string, name: string): Promise<unknown> {
  const path = join(layout, name);
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    if (size > MAX_DOCUMENT_BYTES) throw invalidImage(`${path} has ${size} bytes`);
    return parse(await file.readFile(), path);
  } finally {
    await file.close();
  }
}

function parse(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalidImage(`${name} is no JSON: ${messageOf(cause)}`, cause);
  }
}
