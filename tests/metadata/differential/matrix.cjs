// Converts many small projects with Salesforce's own converter, in one process.
// node matrix.cjs <node_modules> <projects> <output>; every directory below <projects> is one.
// Prints {name: {"manifest": {type: [members]}, "failure": text or null}} as JSON.
'use strict';
const fs = require('node:fs');
const path = require('node:path');

const [modules, projects, output] = process.argv.slice(2);
const sdr = require(path.join(modules, '@salesforce/source-deploy-retrieve'));

async function convert(name) {
  const project = path.join(projects, name);
  const registry = new sdr.RegistryAccess(undefined, project);
  const set = sdr.ComponentSet.fromSource({ fsPaths: [project], registry });
  set.sourceApiVersion = '64.0';
  await new sdr.MetadataConverter(registry).convert(set, 'metadata', {
    type: 'directory',
    outputDirectory: path.join(output, name),
    genUniqueDir: false,
  });
  const { types } = (await set.getObject()).Package;
  return Object.fromEntries(types.map((entry) => [entry.name, entry.members]));
}

async function main() {
  const told = {};
  process.chdir(projects);
  for (const name of fs.readdirSync(projects).sort()) {
    try {
      told[name] = { manifest: await convert(name), failure: null };
    } catch (fault) {
      told[name] = { manifest: {}, failure: String(fault.message ?? fault) };
    }
  }
  process.stdout.write(JSON.stringify(told));
}

main();
