import { abortError, cleanText } from "@husk/virtcontainers/internals";
import type { RespReply } from "@husk/wire/resp";
import { MAX_SEALED_BYTES } from "../blocks/block-codec.ts";
import type { BlockStore } from "./block-store.ts";
import { DEFAULT_RETRY, type RetryOptions, retry } from "./retry.ts";
import type { StoreAddress } from "./store-address.ts";
import { ZdbConnection, type ZdbEndpoint } from "./zdb-connection.ts";

const TIMEOUT_MS = 30_000;
const MAX_CONNECTIONS = 4;

/** How a zdb is asked. */
export interface ZdbStoreOptions {
  readonly retry?: RetryOptions | undefined;
  /** milliseconds for a connection, and for an answer */
  readonly timeoutMs?: number | undefined;
}

/** A connection, or one that is being made. */
interface Slot {
  readonly opened: Promise<ZdbConnection>;
  connection: ZdbConnection | undefined;
  failed: boolean;
}

/** A namespace of a 0-db, a server of keys and values that speaks the Redis protocol. */
export class ZdbStore implements BlockStore {
  readonly address: string;
  readonly #endpoint: ZdbEndpoint;
  readonly #namespace: string;
  readonly #password: string | undefined;
  readonly #options: ZdbStoreOptions;
  readonly #slots: (Slot | undefined)[] = [];
  #turn = 0;
  #closed = false;

  constructor({ text, host, port, path, password }: StoreAddress, options: ZdbStoreOptions = {}) {
    this.address = text;
    // An address of version 6 stands in brackets in a URL.
    this.#endpoint = host === "" ? { path } : { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
    this.#namespace = host === "" ? "" : path.slice(1);
    this.#password = password;
    this.#options = options;
  }

  async get(id: Uint8Array, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const reply = await this.#ask(["GET", id], signal);
    if (reply.kind === "nothing") return undefined;
    if (reply.kind !== "bytes") throw new Error(`it answered GET with ${describe(reply)}`);
    return reply.bytes;
  }

  /** A zdb answers with the key, or with nothing when it has those bytes already. */
  async put(id: Uint8Array, sealed: Uint8Array, signal?: AbortSignal): Promise<void> {
    const reply = await this.#ask(["SET", id, sealed], signal);
    const stored =
      reply.kind === "nothing" ||
      (reply.kind === "text" && reply.text === "OK") ||
      (reply.kind === "bytes" && Buffer.compare(reply.bytes, id) === 0);
    if (!stored) throw new Error(`it answered SET with ${describe(reply)}`);
  }

  close(): void {
    this.#closed = true;
    for (const slot of this.#slots.splice(0))
      slot?.opened.then((connection) => connection.close()).catch(() => {});
  }

  async #ask(words: readonly (string | Uint8Array)[], signal: AbortSignal | undefined): Promise<RespReply> {
    const asked = retry({ ...(this.#options.retry ?? DEFAULT_RETRY), signal }, async () =>
      (await this.#connection()).request(words),
    );
    if (!signal) return asked;
    return Promise.race([asked, whenAborted(signal, asked)]);
  }

  /** One of some connections in turn, made when it is needed or was lost. */
  async #connection(): Promise<ZdbConnection> {
    if (this.#closed) throw new Error("the store was closed");
    this.#turn = (this.#turn + 1) % MAX_CONNECTIONS;
    const present = this.#slots[this.#turn];
    if (present && !present.failed && present.connection?.usable !== false) return present.opened;
    const slot: Slot = { opened: this.#open(), connection: undefined, failed: false };
    this.#slots[this.#turn] = slot;
    slot.opened.then(
      (connection) => (slot.connection = connection),
      () => (slot.failed = true),
    );
    return slot.opened;
  }

  async #open(): Promise<ZdbConnection> {
    const { timeoutMs = TIMEOUT_MS } = this.#options;
    const connection = await ZdbConnection.open(this.#endpoint, {
      maxReplyBytes: MAX_SEALED_BYTES,
      timeoutMs,
    });
    try {
      await this.#selectNamespace(connection);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  async #selectNamespace(connection: ZdbConnection): Promise<void> {
    if (this.#namespace === "" || this.#namespace === "default") return;
    const password = this.#password === undefined ? [] : [this.#password];
    const reply = await connection.request(["SELECT", this.#namespace, ...password]);
    if (reply.kind !== "text")
      throw new Error(`it does not open the namespace ${this.#namespace}: ${describe(reply)}`);
  }
}

/** Ends a wait when its caller goes away; the answer that comes then is for nobody. */
function whenAborted(signal: AbortSignal, asked: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = () => reject(abortError(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    const forget = () => signal.removeEventListener("abort", onAbort);
    asked.then(forget, forget);
  });
}

function describe(reply: RespReply): string {
  if (reply.kind === "text" || reply.kind === "error") return cleanText(reply.text);
  return reply.kind === "bytes" ? `${reply.bytes.length} bytes` : reply.kind;
}
