export { runCcProxy } from "./cc/main.ts";
export { runKataProxy } from "./kata/main.ts";
