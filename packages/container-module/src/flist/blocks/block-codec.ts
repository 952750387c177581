import { createCipheriv, createDecipheriv } from "node:crypto";
import { createBLAKE2b } from "hash-wasm";
import { decodeSnappy } from "./snappy-decode.ts";
import { encodeSnappy, maxSnappyLength } from "./snappy-encode.ts";

/** Most bytes of a file in one block. */
export const MAX_PLAIN_BYTES = 512 * 1024;
/** Bytes of a block's id, and of its key. */
export const HASH_BYTES = 32;

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Most bytes of a block as stores have it. */
export const MAX_SEALED_BYTES = maxSnappyLength(MAX_PLAIN_BYTES) + TAG_BYTES;

/** Where a piece of a file is, and how it is read. */
export interface BlockRef {
  /** hash of the sealed bytes: the name that stores know it by */
  readonly id: Uint8Array;
  /** hash of the plain bytes: the key that they are sealed with */
  readonly key: Uint8Array;
}

/** A block ready for a store. */
export interface SealedBlock extends BlockRef {
  readonly sealed: Uint8Array;
}

let loading: ReturnType<typeof createBLAKE2b> | undefined;

/** BLAKE2b of 32 bytes. It is not the beginning of the one of 64 bytes, which is all that Node has. */
async function hash(bytes: Uint8Array): Promise<Uint8Array> {
  loading ??= createBLAKE2b(8 * HASH_BYTES);
  const hasher = await loading;
  return hasher.init().update(bytes).digest("binary");
}

/** Whether sealed bytes are those that an id names. */
export async function isBlock(id: Uint8Array, sealed: Uint8Array): Promise<boolean> {
  return Buffer.compare(await hash(sealed), id) === 0;
}

/**
 * Compresses a piece of a file by snappy and encrypts it by AES-256-GCM. Key and nonce come from the plain bytes, so that
 * the same bytes are the same block, whoever packs them; the key stays in the flist.
 */
export async function sealBlock(plain: Uint8Array): Promise<SealedBlock> {
  const key = await hash(plain);
  const cipher = createCipheriv("aes-256-gcm", key, key.subarray(0, NONCE_BYTES));
  const sealed = Buffer.concat([cipher.update(encodeSnappy(plain)), cipher.final(), cipher.getAuthTag()]);
  return { id: await hash(sealed), key, sealed };
}

/**
 * Gives the plain bytes of a block whose id has been checked.
 * @throws Error telling what does not fit
 */
export async function openBlock(key: Uint8Array, sealed: Uint8Array): Promise<Uint8Array> {
  if (sealed.length < TAG_BYTES) throw new Error(`only ${sealed.length} bytes`);
  const end = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv("aes-256-gcm", key, key.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(sealed.subarray(end));
  const packed = decipher.update(sealed.subarray(0, end));
  try {
    decipher.final();
  } catch (error) {
    throw new Error("its key does not fit", { cause: error });
  }
  const plain = decodeSnappy(packed, MAX_PLAIN_BYTES);
  if (Buffer.compare(await hash(plain), key) !== 0)
    throw new Error("its key is not the hash of its contents");
  return plain;
}
