// Usage: npm run check -- FILE...
// Holds dashboards against Grafana's own types; prints what does not fit and exits with 1 then.

import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const here = dirname(fileURLToPath(import.meta.url));
const options = {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  noEmit: true,
  skipLibCheck: true,
  strict: true,
  target: ts.ScriptTarget.ES2022,
  types: [],
};

// Each dashboard becomes a literal of the type: only for literals are unknown keys errors.
const sources = new Map(
  process.argv.slice(2).map((file) => {
    const text = readFileSync(file, "utf8").trimEnd();
    const source = `import type { Checked } from "./dashboard.ts";\nexport const dashboard: Checked = ${text};\n`;
    return [join(here, `${basename(file, ".json")}.checked.ts`), source];
  }),
);
if (sources.size === 0) {
  console.error("no dashboard given");
  process.exit(2);
}

const host = ts.createCompilerHost({ ...options, allowImportingTsExtensions: true });
const { fileExists, getSourceFile, readFile } = host;
host.fileExists = (name) => sources.has(name) || fileExists(name);
host.readFile = (name) => sources.get(name) ?? readFile(name);
host.getSourceFile = (name, version, ...rest) =>
  sources.has(name)
    ? ts.createSourceFile(name, sources.get(name), version)
    : getSourceFile.call(host, name, version, ...rest);

const program = ts.createProgram([...sources.keys()], { ...options, allowImportingTsExtensions: true }, host);
const found = ts.getPreEmitDiagnostics(program);
if (found.length > 0) {
  console.error(ts.formatDiagnostics(found, host));
  process.exit(1);
}
console.log(`${sources.size} dashboards fit Grafana's types`);
