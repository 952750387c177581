import { basename, join } from "node:path";
import { build } from "esbuild";

/** A module of a program, as JavaScript. */
export interface BundledModule {
  /** path of its file; the others import it by the file's name */
  path: string;
  /** whether it has others loaded while the program runs */
  importsLater: boolean;
}

/**
 * Bundles a program into as few modules as keep apart what is loaded at different times: one with what the entry imports,
 * one for each `import()`, and those that several of these share.
 *
 * @param folder to write the modules to
 * @returns the modules, the entry's first
 * @throws esbuild's own error when the TypeScript does not bundle
 */
export async function bundleModules(entry: string, name: string, folder: string): Promise<BundledModule[]> {
  const { metafile } = await build({
    entryPoints: { [name]: entry },
    outdir: folder,
    bundle: true,
    splitting: true,
    metafile: true,
    format: "esm",
    platform: "neutral",
    target: "es2023",
    external: ["tiny:sys"],
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: "silent",
  });
  const modules = Object.entries(metafile.outputs).map(([output, { imports }]) => ({
    path: join(folder, basename(output)),
    importsLater: imports.some(({ kind }) => kind === "dynamic-import"),
  }));
  const isEntry = ({ path }: BundledModule) => basename(path) === `${name}.js`;
  return [...modules.filter(isEntry), ...modules.filter((module) => !isEntry(module))];
}
