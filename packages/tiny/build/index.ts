export { buildProgram, type ProgramOptions } from "./program.ts";
export { ToolError } from "./run-tool.ts";
