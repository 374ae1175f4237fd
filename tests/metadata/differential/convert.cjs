// Converts a checked-out project with Salesforce's own converter.
// node convert.cjs <node_modules> <project> <output> <package directory>...
// Prints {"manifest": {type: [members]}, "failure": text or null} as JSON.
'use strict';
const path = require('node:path');

const [modules, project, output, ...directories] = process.argv.slice(2);
const load = (name) => require(path.join(modules, name));

async function main() {
  process.chdir(project);
  const { ComponentSet, MetadataConverter, RegistryAccess } = load(
    '@salesforce/source-deploy-retrieve'
  );
  const registry = new RegistryAccess(undefined, project);
  const fsPaths = directories.map((directory) => path.join(project, directory));
  const set = ComponentSet.fromSource({ fsPaths, registry });
  set.sourceApiVersion = '64.0';
  set.projectDirectory = project;
  await new MetadataConverter(registry).convert(set, 'metadata', {
    type: 'directory',
    outputDirectory: output,
    genUniqueDir: false,
  });
  const { types } = (await set.getObject()).Package;
  const manifest = Object.fromEntries(types.map((entry) => [entry.name, entry.members]));
  process.stdout.write(JSON.stringify({ manifest, failure: null }));
}

main().catch((fault) => {
  process.stdout.write(JSON.stringify({ manifest: {}, failure: String(fault.message ?? fault) }));
});
