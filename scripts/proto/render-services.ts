import type { ProtoFile } from "./parse-proto.ts";
import { comment, type TypeIndex } from "./render-messages.ts";

/** The TypeScript of all services of the files. Not formatted. */
export function renderServices(files: readonly ProtoFile[], index: TypeIndex): string {
  const imports = new Map<string, Set<string>>();
  const nameOf = (type: string, file: ProtoFile): string => {
    const { file: from, name } = index.find(type, file);
    imports.set(from, (imports.get(from) ?? new Set()).add(name));
    return name;
  };
  const services = files.flatMap((file) =>
    file.services.map((service) => {
      const methods = service.methods.map(
        ({ name, comment: words, request, response }) =>
          `${comment(words)}${name}: { request: ${nameOf(request, file)}, response: ${nameOf(response, file)} },`,
      );
      return `export const ${service.name} = {
  name: "${file.package}.${service.name}",
  methods: {
${methods.join("\n")}
  },
} as const satisfies Service;
`;
    }),
  );
  const lines = [...imports].map(
    ([from, names]) => `import { ${[...names].sort().join(", ")} } from "./${from}.ts";`,
  );
  return `// Made from proto/*.proto by scripts/kata-messages.ts: change those, and run this.
import type { Service } from "../../protobuf/index.ts";
${lines.sort().join("\n")}

${services.join("\n")}`;
}
