/** Help of `husk module`. */
export const MODULE = `
A container belongs to nobody but its own shim, a small process: husk, the service, and whoever called them may end, be killed or be
upgraded meanwhile. Where a service listens (husk module serve) the commands ask it, else they do the same by themselves; options that
say how the module is opened (--state-root …) mean the latter.

Examples:
  husk module run acme web alpine.fl -- httpd -f -p 80
  husk module list acme
  husk module logs -f acme web
  husk module rm acme web`;

/** Help of `husk module serve`. */
export const SERVE = `
The socket is its owner's alone (0600). What is said on it: docs/container-module.md. SIGTERM and SIGINT end the service in order, a
second one at once; containers go on either way, and the next service finds them.

Exit status: 0 when it was asked to end, 128+N after a second signal N, 125 when it cannot serve.

Examples:
  husk module serve
  husk module serve --backend oci --runtime crun
  husk module serve --socket /run/acme/module.sock --allow-store zdb://hub.example.org`;

/** Help of `husk module run`. */
export const RUN = `
SOURCE is an flist (a file, an http(s) address), an OCI image layout (its directory, or DIRECTORY:TAG), or a directory. Without an
entrypoint, that of its .startup.toml is run. The container's output goes to NS/NAME.log in the log root. When it ends it is started
again, three times, two seconds later; then it has failed.

Examples:
  husk module run acme web alpine.fl -- httpd -f -p 80
  husk module run acme web https://hub.example.org/web.fl --tag production -e MODE=fast
  husk module run acme db /srv/roots/db --netns acme --mount /srv/db:/data --entrypoint "db --dir /data"
  husk module run acme job ./root --backend oci --runtime crun --restarts 0 -- sh -c 'echo done'`;

/** Help of `husk module inspect`. */
export const INSPECT = `
Examples:
  husk module inspect acme web
  husk module inspect --json acme web | jq .ours.state`;

/** Help of `husk module list`. */
export const LIST = `
Examples:
  husk module list
  husk module list acme --json
  husk module list -q`;

/** Help of `husk module logs`. */
export const LOGS = `
Examples:
  husk module logs acme web
  husk module logs -f --tail 10 acme web`;

/** Help of `husk module exec`. */
export const EXEC = `
Exit status: the command's own, 128+N when signal N ended it; 125 when husk itself fails, be it for a wrong option.

Examples:
  husk module exec acme web -- ps
  husk module exec -it acme web -- sh
  husk module exec -i acme db -- sh -c 'cat > /data/dump' < dump
  husk module exec --timeout 5 -e DEBUG=1 acme web -- ./check`;

/** Help of `husk module rm`. */
export const RM = `
Examples:
  husk module rm acme web db
  husk module rm -f --log acme web
  husk module rm --grace 30 acme db`;
