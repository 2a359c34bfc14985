// Runs graph models on TensorFlow.js (cpu): node run_graph.cjs WEB REQUESTS. REQUESTS is a JSON file, a list of
// {folder, inputs: {name: {shape, file}}, out}; every output is written to OUT.NAME as raw values.
const fs = require("node:fs");
const path = require("node:path");
const { createRequire } = require("node:module");

const fromWeb = createRequire(path.join(path.resolve(process.argv[2]), "package.json"));
const tf = fromWeb("@tensorflow/tfjs-core");
fromWeb("@tensorflow/tfjs-backend-cpu");
const { loadGraphModel } = fromWeb("@tensorflow/tfjs-converter");

async function run({ folder, inputs, out }) {
  const model = JSON.parse(fs.readFileSync(path.join(folder, "model.json")));
  const [{ paths, weights }] = model.weightsManifest;
  const bytes = Buffer.concat(paths.map((name) => fs.readFileSync(path.join(folder, name))));
  const { modelTopology, signature, userDefinedMetadata } = model;
  const artifacts = {
    modelTopology,
    signature,
    userDefinedMetadata,
    weightSpecs: weights,
    weightData: new Uint8Array(bytes).buffer,
  };
  const loaded = await loadGraphModel({ load: async () => artifacts });
  const feeds = {};
  for (const [name, { shape, file }] of Object.entries(inputs)) {
    feeds[name] = tf.tensor(new Float32Array(new Uint8Array(fs.readFileSync(file)).buffer), shape);
  }
  const outputs = await loaded.predictAsync(feeds);
  const shapes = {};
  for (const [name, tensor] of Object.entries(outputs)) {
    const values = tensor.dataSync();
    fs.writeFileSync(`${out}.${name}`, Buffer.from(values.buffer, values.byteOffset, values.byteLength));
    shapes[name] = { shape: tensor.shape, dtype: tensor.dtype };
  }
  return shapes;
}

(async () => {
  await tf.setBackend("cpu");
  const results = [];
  for (const request of JSON.parse(fs.readFileSync(process.argv[3]))) results.push(await run(request));
  process.stdout.write(JSON.stringify(results));
})();
