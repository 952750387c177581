/** The engine: QuickJS and our binding, compiled once for every content of the C files. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type DebianSource, fetchDebianSource } from "./debian-source.ts";
import { cacheFolder, nativeFolder } from "./paths.ts";
import { runTool } from "./run-tool.ts";

/** QuickJS 2025-04-26, as Debian's release after bookworm has it. */
const QUICKJS: DebianSource = {
  release: "trixie",
  name: "quickjs",
  version: "2025.04.26-1",
  tarball: "quickjs_2025.04.26.orig.tar.xz",
  sha256: "ec81da5b3249ed648dbc7df4a1654988910e66a118d9b71cb63534216efcfbbe",
};
const ENGINE_FILES = ["quickjs", "libregexp", "libunicode", "cutils", "dtoa"];
const DEFINES = ["-D_GNU_SOURCE", '-DCONFIG_VERSION="2025-04-26"', "-fwrapv"];
const TARGET_FLAGS = ["-O2", "-ffunction-sections", "-fdata-sections", "-fno-asynchronous-unwind-tables"];
const WARNINGS = ["-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"];

/** What a program is linked from. */
export interface Engine {
  /** objects for the target, engine and binding */
  objects: string[];
  /** the bytecode compiler, which runs on the host */
  compiler: string;
}

async function nativeFiles(): Promise<string[]> {
  return (await readdir(nativeFolder)).sort();
}

async function engineKey(): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([QUICKJS, DEFINES, TARGET_FLAGS, WARNINGS]));
  for (const file of await nativeFiles()) hash.update(file).update(await readFile(join(nativeFolder, file)));
  return hash.digest("hex").slice(0, 16);
}

async function compileAll(folder: string, source: string): Promise<void> {
  const target = (file: string, from: string, flags: string[]) =>
    runTool("musl-gcc", [...DEFINES, ...TARGET_FLAGS, ...flags, "-c", from, "-o", join(folder, `${file}.o`)]);
  const engine = ENGINE_FILES.map((file) => target(file, join(source, `${file}.c`), ["-w"]));
  const binding = (await nativeFiles())
    .filter((file) => file.endsWith(".c") && file !== "compile.c")
    .map((file) =>
      target(`tiny-${file.slice(0, -2)}`, join(nativeFolder, file), [...WARNINGS, "-isystem", source]),
    );
  const engineSources = ENGINE_FILES.map((file) => join(source, `${file}.c`));
  const compiler = runTool("gcc", [
    ...[...DEFINES, "-O1", "-w", "-I", source, join(nativeFolder, "compile.c"), ...engineSources],
    ...["-lm", "-lpthread", "-o", join(folder, "compile")],
  ]);
  await Promise.all([...engine, ...binding, compiler]);
}

/** Compiles the engine, or finds it compiled. Safe to run twice at once: what is half done has a name of its own. */
export async function prepareEngine(onProgress: (text: string) => void = () => {}): Promise<Engine> {
  const folder = join(cacheFolder, `engine-${await engineKey()}`);
  if (!existsSync(folder)) {
    await mkdir(cacheFolder, { recursive: true });
    onProgress(`fetching QuickJS ${QUICKJS.version}`);
    const tarball = await fetchDebianSource(QUICKJS, cacheFolder);
    const work = await mkdtemp(`${folder}.`);
    try {
      const source = join(work, "source");
      await mkdir(source, { recursive: true });
      await runTool("tar", ["-xf", tarball, "-C", source, "--strip-components=1"]);
      onProgress("compiling QuickJS");
      await compileAll(work, source);
      await rm(source, { recursive: true });
      await rename(work, folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
      });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  const objects = (await readdir(folder))
    .filter((file) => file.endsWith(".o"))
    .map((file) => join(folder, file));
  return { objects, compiler: join(folder, "compile") };
}
