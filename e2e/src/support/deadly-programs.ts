import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Workplace } from "./workplace.ts";

/** Programs by which husk changes the networks of the host, in a folder of their own. */
export interface DeadlyPrograms {
  /** Environment in which the programs kill (SIGKILL) who runs them, after a number of changes. */
  killAfter(changes: number): Record<string, string>;
}

/** What only looks is no change; a batch has a change in each of its lines. */
const WRAPPER = `
case " $* " in *" -json "*|*" save "*) exec "$real" "$@";; esac
changed() {
  printf x >> "$DEADLY_COUNT"
  if [ "$(wc -c < "$DEADLY_COUNT")" -eq "$DEADLY_AT" ]; then kill -KILL $PPID; exit 1; fi
}
status=0
case " $* " in
*" -batch "*)
  while IFS= read -r line; do
    printf '%s\\n' "$line" | "$real" "$@" || status=$?
    changed
    case " $* " in *" -force "*) ;; *) [ $status = 0 ] || exit $status;; esac
  done;;
*) "$real" "$@" || status=$?; changed;;
esac
exit $status
`;

export function makeDeadlyPrograms({ folder }: Workplace): DeadlyPrograms {
  const bin = join(folder, "deadly");
  const count = join(folder, "changes");
  mkdirSync(bin);
  for (const name of ["ip", "tc"]) {
    const real = execFileSync("sh", ["-c", `command -v ${name}`])
      .toString()
      .trim();
    writeFileSync(join(bin, name), `#!/bin/sh\nreal=${real}${WRAPPER}`, { mode: 0o755 });
  }
  return {
    killAfter: (changes) => {
      rmSync(count, { force: true });
      return { PATH: `${bin}:${process.env.PATH}`, DEADLY_COUNT: count, DEADLY_AT: `${changes}` };
    },
  };
}
