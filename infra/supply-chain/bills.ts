import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import rules from './licences.json' with { type: 'json' };
import { type Bill, billSchema, type LicenceRules, licenceFaults } from './licences.ts';

/*
 * `npm run sbom`: writes bills of materials (CycloneDX) to sbom/, made by npm and by cyclonedx-bom, and checks their
 * licences. Arguments: `npm`, `python`, or both (the default). Exits with 1 if a licence is not allowed.
 */

const root = fileURLToPath(new URL('../..', import.meta.url));
const most = { cwd: root, maxBuffer: 64 * 2 ** 20 };

/** Production packages for all platforms, as in the lock. */
function npmBill(): string {
  const options = ['--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--omit', 'dev', '--package-lock-only'];
  return execFileSync('npm', ['sbom', ...options], most).toString();
}

/**
 * The packages installed here in the locked Python of models/, for exporting bundles and training models; none is part
 * of the product.
 */
function pythonBill(): string {
  const interpreter = execFileSync('sh', ['models/python.sh', '-c', 'import sys; print(sys.executable)'], most);
  const locked = ['models/locked-python.sh', 'infra/supply-chain/cyclonedx.lock', '-m', 'cyclonedx_py'];
  const options = ['environment', '--of', 'JSON', '--output-reproducible', interpreter.toString().trim()];
  return execFileSync('sh', [...locked, ...options], most).toString();
}

const MAKERS = { npm: npmBill, python: pythonBill };

function check(kind: keyof typeof MAKERS): string[] {
  const text = MAKERS[kind]();
  const bill: Bill = billSchema.parse(JSON.parse(text));
  const file = path.join(root, 'sbom', `${kind}.cdx.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(`${path.relative(root, file)}: ${bill.components.length} components`);
  return licenceFaults(bill, (rules as Record<keyof typeof MAKERS, LicenceRules>)[kind]);
}

const asked = process.argv.slice(2);
const kinds = Object.keys(MAKERS) as (keyof typeof MAKERS)[];
const faults = kinds.filter((kind) => asked.length === 0 || asked.includes(kind)).flatMap(check);
for (const fault of faults) console.error(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
