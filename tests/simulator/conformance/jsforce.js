// Every Metadata call of jsforce, REST and SOAP. Prints one JSON object a line.
const fs = require('fs');
const { Connection } = require('@jsforce/jsforce-node');

const [url, token, zipFile] = process.argv.slice(2);
const sorted = (list) => [...list].sort();

async function compare(name, expected, call) {
  const began = Date.now();
  let seen;
  try {
    seen = await call();
  } catch (error) {
    seen = `${error.name}: ${error.message}`;
  }
  const took = (Date.now() - began) / 1000;
  console.log(JSON.stringify({ name: `jsforce: ${name}`, seen, expected, took }));
}

async function main() {
  const connection = new Connection({ instanceUrl: url, accessToken: token, version: '64.0' });
  const metadata = connection.metadata;
  metadata.pollInterval = 50;
  const zip = () => fs.readFileSync(zipFile);
  const options = { rollbackOnError: true, singlePackage: true };
  const brief = (r) => [r.status, r.success, r.numberComponentsDeployed, r.numberTestsCompleted];

  await compare('query', 1, async () => (await connection.query('SELECT Id FROM Organization')).totalSize);
  await compare('validate, SOAP', ['Succeeded', true, 2, 1], async () =>
    brief(await metadata.deploy(zip(), { ...options, checkOnly: true, testLevel: 'RunLocalTests' }).complete(true)));
  await compare('deploy, SOAP', ['Succeeded', true, 2, 0], async () =>
    brief(await metadata.deploy(zip(), options).complete(true)));
  await compare('deploy, REST', ['Succeeded', true, 2, 1], async () =>
    brief(await metadata.deployRest(zip(), { ...options, testLevel: 'RunLocalTests' }).complete(true)));
  await compare('list', ['Foo', 'FooTest'], async () =>
    sorted((await metadata.list([{ type: 'ApexClass' }], '64.0')).map((entry) => entry.fullName)));
  await compare('describe', true, async () =>
    (await metadata.describe('64.0')).metadataObjects.some((entry) => entry.xmlName === 'ApexClass'));
  await compare('retrieve', ['unpackaged/classes/Foo.cls', 'unpackaged/classes/FooTest.cls'], async () => {
    const result = await metadata
      .retrieve({ apiVersion: '64.0', unpackaged: { types: [{ members: ['*'], name: 'ApexClass' }], version: '64.0' } })
      .complete();
    return sorted(result.fileProperties.map((entry) => entry.fileName));
  });
  await compare('an expired session', 'INVALID_SESSION_ID', async () => {
    const dead = new Connection({ instanceUrl: url, accessToken: '00Dxx0000000001!dead', version: '64.0' });
    try {
      await dead.query('SELECT Id FROM Organization');
    } catch (error) {
      return error.errorCode;
    }
    return 'no error';
  });
}

main();
