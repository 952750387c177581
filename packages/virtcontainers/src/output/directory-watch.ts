import { type FSWatcher, watch } from "node:fs";

/** Tells that something has changed in a directory: a file was made, written, moved or removed. */
export class DirectoryWatch implements Disposable {
  readonly #watcher: FSWatcher;
  #change = Promise.withResolvers<void>();

  /** @throws Error ENOENT when there is no such directory */
  constructor(path: string) {
    this.#watcher = watch(path);
    this.#watcher.on("change", () => this.wake());
    this.#watcher.on("error", () => this.wake());
  }

  /** Settles at the next change. What changes from now on is told, however late it is waited for. */
  next(): Promise<void> {
    this.#change = Promise.withResolvers<void>();
    return this.#change.promise;
  }

  /** Lets whoever waits for a change look now. */
  wake(): void {
    this.#change.resolve();
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
    this.wake();
  }
}
