export { runCcShim } from "./cc/main.ts";
export { runKataShim } from "./kata/main.ts";
