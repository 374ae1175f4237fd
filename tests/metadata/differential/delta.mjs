// Runs sfdx-git-delta over ranges of one repository, in one process.
// node delta.mjs <sfdx-git-delta> <work tree> <ranges>
// Each line of the file of ranges is {"from", "to", "source", "ignore", "output"} as JSON; its manifests
// are written below "output", and one line with what went wrong (or null) is printed for it.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [tool, repo, ranges] = process.argv.slice(2);
const { main } = JSON.parse(readFileSync(join(tool, 'package.json'), 'utf8'));
const module = await import(pathToFileURL(join(tool, main ?? 'lib/main.js')).href);
const run = module.default?.default ?? module.default;
const lines = readFileSync(ranges, 'utf8').split('\n').filter(Boolean);
process.chdir(repo);

for (const range of lines.map((line) => JSON.parse(line))) {
  mkdirSync(range.output, { recursive: true });
  let failure = null;
  try {
    const done = await run({ generateDelta: false, ...range, repo, apiVersion: 64 });
    failure = done.error ? String(done.error.message ?? done.error) : null;
  } catch (fault) {
    failure = String(fault.message ?? fault);
  }
  process.stdout.write(JSON.stringify(failure) + '\n');
}
