/**
 * What has to be undone when a call fails, undone in reverse order. Use it as
 * `await using undo = new UndoStack()`, `undo.push(…)` after each step, and `undo.commit()` at the end.
 */
export class UndoStack implements AsyncDisposable {
  #steps: (() => unknown)[] = [];

  /** Adds what undoes the step that has just been done. It may be async, and must not need the step's AbortSignal. */
  push(undo: () => unknown): void {
    this.#steps.push(undo);
  }

  /** The call has succeeded: nothing is undone any more. */
  commit(): void {
    this.#steps = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step();
      } catch {
        // The error that led here is the one to tell; the other steps must be undone all the same.
      }
    }
  }
}
