/** What has to be taken back when a later step fails, or when it is needed no more. */

import { errorText } from "@husk/tiny";
import { log } from "../log.ts";

/** Takes something back. */
export type Undo = () => void | Promise<void>;

/** See the head of the file. */
export class UndoStack {
  #steps: Undo[] = [];

  push(step: Undo): void {
    this.#steps.push(step);
  }

  /** Takes all back, the last first. What cannot be taken back is only told: the rest must go on. */
  async run(): Promise<void> {
    const steps = this.#steps.reverse();
    this.#steps = [];
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        log("error", `not undone: ${errorText(error)}`);
      }
    }
  }
}
