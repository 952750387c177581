import { chmod, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";

/** What Node is started with: it loads a bundle with the code that was compiled for it the last time. */
const makeLauncher = (file: string) => `#!/usr/bin/env node
require("node:module").enableCompileCache(__dirname + "/compile-cache");
require("./husk/${file}");
`;

/** The programs, and the files that they are. */
const LAUNCHERS = [
  { program: "husk.cjs", file: "main.cjs" },
  { program: "husk-vm-runtime.cjs", file: "vm-runtime.cjs" },
];

/** A CommonJS file has no `import.meta`. */
const OWN_URL = "huskUrl";
const BANNER = `const ${OWN_URL} = require("node:url").pathToFileURL(__filename).href;`;

/** What the command line loads only when it needs it, into a file of its own: most commands start sooner without. */
const ON_DEMAND = { file: "container-module.cjs", filter: /^@husk\/container-module$/ };

/**
 * Makes `husk.cjs`, the command line, and `husk-vm-runtime.cjs`, with all of their sources in files beside them. As CommonJS, because Node starts it
 * sooner: a module that imports one of Node's own makes all of that one's exports, the seldom ones too.
 */
export async function bundleCommand(root: string, output: string): Promise<void> {
  const scratch = join(output, "tmp");
  const folder = join(output, "husk");
  await mkdir(scratch, { recursive: true });
  await mkdir(folder, { recursive: true });
  const onDemand: Plugin = {
    name: "on demand",
    setup({ onResolve }) {
      onResolve({ filter: ON_DEMAND.filter }, () => ({ path: `./${ON_DEMAND.file}`, external: true }));
    },
  };
  const parts = [
    { entry: "packages/container-module/src/index.ts", file: ON_DEMAND.file, plugins: [] },
    { entry: "packages/husk/src/main.ts", file: "main.cjs", plugins: [onDemand] },
    { entry: "packages/husk/src/vm-runtime/main.ts", file: "vm-runtime.cjs", plugins: [] },
  ];
  for (const { entry, file, plugins } of parts) {
    await bundle(join(root, entry), join(scratch, file), root, plugins);
    await rename(join(scratch, file), join(folder, file));
  }
  for (const { program, file } of LAUNCHERS) {
    const launcher = join(scratch, program);
    await writeFile(launcher, makeLauncher(file));
    await chmod(launcher, 0o755);
    await rename(launcher, join(output, program));
  }
}

async function bundle(entry: string, outfile: string, root: string, plugins: Plugin[]): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node24",
    // Of what a package has as modules, only what is used gets into the file.
    mainFields: ["module", "main"],
    banner: { js: BANNER },
    define: { "import.meta.url": OWN_URL },
    legalComments: "none",
    logLevel: "silent",
    plugins,
  });
}
