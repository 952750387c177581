import { chmod, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

/** What Node is started with: it loads the bundle with the code that was compiled for it the last time. */
const LAUNCHER = `#!/usr/bin/env node
require("node:module").enableCompileCache(__dirname + "/compile-cache");
require("./husk/main.cjs");
`;

/** A CommonJS file has no `import.meta`. */
const OWN_URL = "huskUrl";
const BANNER = `const ${OWN_URL} = require("node:url").pathToFileURL(__filename).href;`;

/**
 * Makes `husk.cjs`, the command line, with all of its sources in one file beside it. As CommonJS, because Node starts it
 * sooner: a module that imports one of Node's own makes all of that one's exports, the seldom ones too.
 */
export async function bundleCommand(root: string, output: string): Promise<void> {
  const scratch = join(output, "tmp");
  const folder = join(output, "husk");
  await mkdir(scratch, { recursive: true });
  await mkdir(folder, { recursive: true });
  const made = join(scratch, "main.cjs");
  await build({
    absWorkingDir: root,
    entryPoints: [join(root, "packages/husk/src/main.ts")],
    outfile: made,
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node24",
    banner: { js: BANNER },
    define: { "import.meta.url": OWN_URL },
    legalComments: "none",
    logLevel: "silent",
  });
  await rename(made, join(folder, "main.cjs"));
  const launcher = join(scratch, "husk.cjs");
  await writeFile(launcher, LAUNCHER);
  await chmod(launcher, 0o755);
  await rename(launcher, join(output, "husk.cjs"));
}
