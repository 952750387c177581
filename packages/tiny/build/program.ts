/** From a TypeScript entry to a static Linux program: bundle, bytecode, link. */
import { copyFile, mkdir, mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { build } from "esbuild";
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

/** The bytecode as two symbols that native/main.c knows. */
function assembly(bytecode: string): string {
  return `.section .rodata
.global tiny_program, tiny_program_end
.balign 16
tiny_program:
.incbin ${JSON.stringify(bytecode)}
tiny_program_end:
.section .note.GNU-stack,"",@progbits
`;
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
    const [bundle, bytecode, source] = ["bundle.js", "program.bin", "program.S"].map((file) =>
      join(work, file),
    );
    options.onProgress?.(`bundling ${name}`);
    await build({
      entryPoints: [options.entry],
      outfile: bundle as string,
      bundle: true,
      format: "esm",
      platform: "neutral",
      target: "es2023",
      external: ["tiny:sys"],
      minifySyntax: true,
      minifyWhitespace: true,
      logLevel: "silent",
    });
    options.onProgress?.(`compiling ${name}`);
    await runTool(engine.compiler, [name, bundle as string, bytecode as string]);
    await writeFile(source as string, assembly(bytecode as string));
    const linked = join(work, name);
    await runTool("musl-gcc", [
      ...["-static", "-s", "-Wl,--gc-sections", "-Wl,--build-id=none", source as string],
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
