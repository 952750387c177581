/** From a TypeScript entry to a static Linux program: bundle, bytecode, link. */
import { copyFile, mkdir, mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { type BundledModule, bundleModules } from "./bundle.ts";
import { prepareEngine } from "./engine.ts";
import { cacheFolder } from "./paths.ts";
import { runTool } from "./run-tool.ts";

/** What to build. */
export interface ProgramOptions {
  /** path of the TypeScript file that is the program's entry */
  entry: string;
  /** path of the program to write */
  output: string;
  /** told what is going on, in a few words */
  onProgress?: (text: string) => void;
}

/** A module in the engine's bytecode. */
interface CompiledModule {
  /** by which the others import it */
  name: string;
  /** path of its bytecode */
  bytecode: string;
}

/** The bytecode as the table that native/modules.c knows: name, begin and end of each module, the entry's first. */
function assembly(modules: readonly CompiledModule[]): string {
  const data = modules.map(
    ({ name, bytecode }, at) => `name${at}: .asciz ${JSON.stringify(name)}
.balign 16
begin${at}: .incbin ${JSON.stringify(bytecode)}
end${at}:
`,
  );
  const table = modules.map((_, at) => `.quad name${at}, begin${at}, end${at}\n`);
  return `.section .rodata
${data.join("")}.balign 8
.global tiny_modules
tiny_modules:
${table.join("")}.quad 0, 0, 0
.section .note.GNU-stack,"",@progbits
`;
}

async function compileModule(
  compiler: string,
  { path, importsLater }: BundledModule,
): Promise<CompiledModule> {
  const [name, bytecode] = [basename(path), `${path}.bin`];
  await runTool(compiler, [importsLater ? "keep-debug" : "strip-debug", name, path, bytecode]);
  return { name, bytecode };
}

/**
 * Builds a program. The same sources give the same bytes.
 *
 * @returns the path written and its size in bytes
 * @throws {@link ToolError} when a compiler or a download fails; esbuild's own error when the TypeScript does not bundle
 */
export async function buildProgram(options: ProgramOptions): Promise<{ output: string; bytes: number }> {
  const engine = await prepareEngine(options.onProgress);
  const output = resolve(options.output);
  const name = basename(output);
  const work = await mkdtemp(join(cacheFolder, "program-"));
  // Beside the output, which may be on another file system than the work: it appears whole or not at all.
  const fresh = `${output}.${basename(work)}`;
  try {
    options.onProgress?.(`bundling ${name}`);
    const bundled = await bundleModules(options.entry, name, work);
    options.onProgress?.(`compiling ${name}`);
    const modules = await Promise.all(bundled.map((module) => compileModule(engine.compiler, module)));
    const source = join(work, "program.S");
    await writeFile(source, assembly(modules));
    const linked = join(work, name);
    await runTool("musl-gcc", [
      ...["-static", "-s", "-Wl,--gc-sections", "-Wl,--build-id=none", source],
      ...[...engine.objects, "-lm", "-o", linked],
    ]);
    await mkdir(dirname(output), { recursive: true });
    await copyFile(linked, fresh);
    await rename(fresh, output);
    return { output, bytes: (await stat(output)).size };
  } finally {
    await rm(work, { recursive: true, force: true });
    await rm(fresh, { force: true });
  }
}
