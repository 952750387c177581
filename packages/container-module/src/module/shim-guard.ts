import type { Socket } from "node:net";
import { connectSocket } from "@husk/virtcontainers/internals";
import type { ContainerPlaces } from "../state/layout.ts";
import { OutputHolds } from "./output-holds.ts";

/** Milliseconds that a shim has to live for the next one to be started without being asked for. */
const LEAST_LIFE_MS = 1_000;

/**
 * Stays connected to shims, and has those that die replaced at once: without one, a container is held up when the pipe of its
 * output is full. One that dies again at once waits for the next call. Until there is another, their containers' output is held.
 */
export class ShimGuard {
  readonly #settle: (places: ContainerPlaces) => Promise<void>;
  readonly #signal: AbortSignal;
  /** by path of the shim's socket */
  readonly #guarded = new Map<string, Socket | undefined>();
  readonly #outputs = new OutputHolds();

  /**
   * @param settle puts a container right, and throws nothing
   * @param signal ends the guard
   */
  constructor(settle: (places: ContainerPlaces) => Promise<void>, signal: AbortSignal) {
    this.#settle = settle;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#leave(), { once: true });
  }

  /** Guards a container's shim from now on, if it has one. */
  async watch(places: ContainerPlaces): Promise<void> {
    const { socket: path } = places;
    if (this.#signal.aborted || this.#guarded.has(path)) return;
    this.#guarded.set(path, undefined);
    try {
      const socket = await connectSocket(path, this.#signal);
      const began = performance.now();
      socket.once("close", () => void this.#onEnd(places, performance.now() - began));
      // It has nothing to say without being asked, and is no reason for this process to go on.
      socket.resume().unref();
      this.#guarded.set(path, socket);
      this.#outputs.hold(places);
    } catch {
      // There is none, or we are leaving.
      this.#guarded.delete(path);
    }
    this.#releaseEnded();
  }

  async #onEnd(places: ContainerPlaces, lifeMs: number): Promise<void> {
    this.#guarded.delete(places.socket);
    if (this.#signal.aborted) return;
    if (lifeMs < LEAST_LIFE_MS) return this.#releaseEnded();
    await this.#settle(places);
    await this.watch(places);
  }

  #releaseEnded(): void {
    this.#outputs.releaseEnded(({ socket }) => this.#guarded.has(socket));
  }

  #leave(): void {
    for (const socket of this.#guarded.values()) socket?.destroy();
    this.#outputs.releaseAll();
  }
}
