import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { contentText } from "../../engine/src/bundle/content_hash.ts";
import { listInstruments, loadInstrument, readManifest } from "../../engine/src/bundle/load.ts";
import type { Manifest, Processor } from "../../engine/src/bundle/manifest.ts";
import { type Schema, violation } from "../../engine/src/bundle/schema.ts";
import { decodeFloat16, decodeTensor } from "../../engine/src/bundle/weights.ts";
import { describeChain } from "../../engine/src/synthesis/chain.ts";
import { lateTail } from "../../engine/src/synthesis/late_tail.ts";
import { ROOT } from "./shared.ts";
import { serveFiles, sha256, smallBundle, text, versionOf } from "./small_bundle.ts";

const VERSION = versionOf(smallBundle());
const LATE = { levels: [0.02, -0.01, 0.015], decay_seconds: [0.1, 0.08, 0.03] };

type Loose = { [key: string]: Loose & Loose[] } & { [key: string]: unknown };

/** A small bundle as it is published, at http://bundle/pushed/. */
function published(change: (files: Map<string, Uint8Array<ArrayBuffer>>) => void = () => undefined): typeof fetch {
  const { files, manifest } = smallBundle();
  const stored = new Map([...files].map(([path, bytes]) => [`pushed/small/${VERSION}/${path}`, bytes]));
  const of = `${VERSION}/manifest.json`;
  const latest = { version: VERSION, manifest: of, sha256: sha256(files.get("manifest.json") as Uint8Array) };
  const entry = { name: "small", title: "Small", description: "", version: VERSION, manifest: `small/${of}` };
  const download = { controls: { bytes: 3, gzip_bytes: 2 } };
  stored.set("pushed/small/latest.json", text(JSON.stringify(latest)));
  stored.set("pushed/index.json", text(JSON.stringify({ format_version: 1, instruments: [{ ...entry, download }] })));
  change(stored);
  expect(manifest.format_version).toBe(1);
  return serveFiles(stored);
}

const at = (path: string) => `http://bundle/pushed/small/${VERSION}/${path}`;

test("an instrument is found by its name, by its version, by its manifest, and in the index", async () => {
  const fetch = published();
  const [entry] = await listInstruments("http://bundle/pushed", { fetch });
  expect(entry).toMatchObject({
    name: "small",
    title: "Small",
    version: VERSION,
    download: { controls: { bytes: 3 } },
  });
  const addresses = [
    "http://bundle/pushed/small",
    "http://bundle/pushed/small/",
    at(""),
    at("manifest.json"),
    entry?.url,
  ];
  for (const address of addresses) {
    const { manifest, url, tensors, impulseResponse, bytes } = await loadInstrument(address as string, { fetch });
    expect(url.href).toBe(at("manifest.json"));
    expect(manifest.instrument.name).toBe("small");
    expect(tensors.get("decoder/input/kernel")).toHaveLength(20);
    expect(impulseResponse).toHaveLength(400);
    expect(bytes).toBeGreaterThan(4000);
  }
});

test("only what playing needs is fetched, and any other file on request", async () => {
  const fetched: string[] = [];
  const fetch = published();
  const instrument = await loadInstrument(at(""), {
    fetch: (input, init) => {
      fetched.push(String(input));
      return fetch(input, init);
    },
  });
  expect(fetched.sort()).toEqual([at("controls/weights.bin"), at("manifest.json"), at("reverb.bin")]);
  expect(new TextDecoder().decode(await instrument.file("controls/model.json"))).toBe("{}");
  await expect(instrument.file("secret.txt")).rejects.toThrow("secret.txt: is not among the files of the manifest");
});

test("a room's late tail is made from its parameters", async () => {
  const { manifest, files } = smallBundle();
  withTail(manifest as unknown as Loose, {});
  const fetch = serveFiles(new Map([...files, ["manifest.json", text(JSON.stringify(manifest))]]));
  const { impulseResponse, bytes } = await loadInstrument("http://bundle/manifest.json", { fetch });
  expect(impulseResponse).toHaveLength(900);
  expect([...impulseResponse.subarray(400)]).toEqual([
    ...Float32Array.from(lateTail(LATE, 600, 16000).subarray(0, 500)),
  ]);
  expect(impulseResponse.subarray(0, 400).some((tap) => tap !== 0)).toBe(true);
  const weights = files.get("controls/weights.bin")?.length ?? 0;
  expect(bytes).toBe(text(JSON.stringify(manifest)).length + weights + 800);
});

describe("what is wrong with a bundle is reported", () => {
  const cases: [string, string, (files: Map<string, Uint8Array<ArrayBuffer>>) => void, string, string?][] = [
    [
      "no such instrument",
      "latest.json",
      (files) => files.clear(),
      "no such file at http://bundle/pushed/small/latest",
    ],
    [
      "a file that is missing",
      "reverb.bin",
      (files) => files.delete(`pushed/small/${VERSION}/reverb.bin`),
      "no such file",
    ],
    [
      "a file that is cut short",
      "controls/weights.bin",
      (files) => edit(files, "controls/weights.bin", (bytes) => bytes.slice(1)),
      "bytes, not",
    ],
    [
      "a file with one wrong byte",
      "controls/weights.bin",
      (files) => edit(files, "controls/weights.bin", (bytes) => bytes.with(7, (bytes[7] as number) ^ 1)),
      "is damaged",
    ],
    [
      "a manifest that latest.json does not mean",
      `${VERSION}/manifest.json`,
      (files) => edit(files, "manifest.json", (bytes) => new Uint8Array([...bytes, 32])),
      "is damaged",
    ],
    [
      "latest.json that is a page",
      "latest.json",
      (files) => files.set("pushed/small/latest.json", text("<html>")),
      "is not JSON",
    ],
    [
      "latest.json that names nothing",
      "latest.json",
      (files) => files.set("pushed/small/latest.json", text("{}")),
      "does not name",
    ],
  ];
  for (const [name, file, change, message] of cases) {
    test(name, async () => {
      const loading = loadInstrument("http://bundle/pushed/small/", { fetch: published(change) });
      await expect(loading).rejects.toMatchObject({ name: "BundleError", file });
      await expect(loading).rejects.toThrow(message);
    });
  }

  test("a manifest that was changed with everything that states its hash, but for its version's name", async () => {
    const changed = published((files) => {
      edit(files, "manifest.json", (bytes) => text(new TextDecoder().decode(bytes).replace('"mean":66', '"mean":67')));
      const stored = files.get(`pushed/small/${VERSION}/manifest.json`) as Uint8Array;
      const latest = { version: VERSION, manifest: `${VERSION}/manifest.json`, sha256: sha256(stored) };
      files.set("pushed/small/latest.json", text(JSON.stringify(latest)));
    });
    for (const address of ["http://bundle/pushed/small/", at(""), at("manifest.json")]) {
      const loading = loadInstrument(address, { fetch: changed });
      await expect(loading).rejects.toMatchObject({ name: "BundleError" });
      await expect(loading).rejects.toThrow(/manifest\.json: was changed after it was published: it has the hash/);
    }
  });

  test("a version with an older name, whose hash leaves times, metrics and the card out, once it was changed", async () => {
    const { files } = smallBundle();
    const manifest = new TextDecoder().decode(files.get("manifest.json"));
    const older = `20240101T000000Z-${sha256(text(contentText(manifest))).slice(0, 8)}`;
    const load = (stored: string) => {
      const all = new Map([...files, ["manifest.json", text(stored)] as const]);
      const fetch = serveFiles(new Map([...all].map(([path, bytes]) => [`pushed/small/${older}/${path}`, bytes])));
      return loadInstrument(`http://bundle/pushed/small/${older}/`, { fetch });
    };
    expect((await load(manifest)).manifest).toEqual(JSON.parse(manifest));
    await expect(load(manifest.replace('"mean":66', '"mean":67'))).rejects.toThrow("was changed after");
  });

  test("a weight and a tap that are not finite", async () => {
    for (const [file, bytes, message] of [
      [
        "controls/weights.bin",
        [0, 0, 0xc0, 0x7f],
        "controls/weights.bin: decoder/input/kernel holds a value that is not",
      ],
      ["reverb.bin", [0x00, 0x7c], "reverb.bin: holds a tap that is not finite"],
    ] as const) {
      const { files, manifest } = smallBundle();
      const stored = Uint8Array.from(files.get(file) as Uint8Array);
      stored.set(bytes, 0);
      const parts = manifest.files.map((part) => (part.path === file ? { ...part, sha256: sha256(stored) } : part));
      const changed = new Map([...files, [file, stored] as const]);
      changed.set("manifest.json", text(JSON.stringify({ ...manifest, files: parts })));
      const loading = loadInstrument("http://bundle/manifest.json", { fetch: serveFiles(changed) });
      await expect(loading).rejects.toThrow(message);
    }
  });

  test("an answer that is larger than the manifest states, or without end", async () => {
    const { files } = smallBundle();
    let sent = 0;
    const endless = (): Response =>
      new Response(
        new ReadableStream({
          pull(controller) {
            sent += 2 ** 20;
            controller.enqueue(new Uint8Array(2 ** 20));
          },
        }),
      );
    const served = serveFiles(files);
    for (const [name, most] of [
      ["manifest.json", 2 ** 24],
      ["controls/weights.bin", 2 ** 13],
      ["reverb.bin", 800],
    ] as const) {
      const fetch = async (url: RequestInfo | URL) => (String(url).endsWith(name) ? endless() : served(url));
      sent = 0;
      const loading = loadInstrument("http://bundle/manifest.json", { fetch });
      await expect(loading).rejects.toThrow(`${name}: has more than`);
      expect(sent).toBeLessThan(most + 2 ** 22);
    }
    const endlessIndex = listInstruments("http://bundle/", { fetch: async () => endless() });
    await expect(endlessIndex).rejects.toThrow("index.json: has more than 16777216 bytes");
  });

  test("a file that is larger than any bundle's by the manifest is not fetched", async () => {
    const { files, manifest } = smallBundle();
    const parts = manifest.files.map((part) => (part.path.startsWith("controls/w") ? { ...part, bytes: 1e12 } : part));
    const changed = new Map([
      ...files,
      ["manifest.json", text(JSON.stringify({ ...manifest, files: parts }))] as const,
    ]);
    const loading = loadInstrument("http://bundle/manifest.json", { fetch: serveFiles(changed) });
    await expect(loading).rejects.toThrow("controls/weights.bin: has 1000000000000 bytes by the manifest");
  });

  const hash = "0".repeat(64);
  for (const latest of [
    ...["null", "[]", "3", '"x"', '{"manifest": 3, "sha256": ""}', `{"manifest": "http://[", "sha256": "${hash}"}`],
    ...[`{"manifest": "../x.json", "sha256": "${hash}"}`, `{"manifest": "//evil/m.json", "sha256": "${hash}"}`],
    ...['{"manifest": "a/m.json", "sha256": "0"}', `{"manifest": "", "sha256": "${hash}"}`],
  ]) {
    test(`latest.json that is ${latest}`, async () => {
      const fetch = serveFiles(new Map([["x/latest.json", text(latest)]]));
      const loading = loadInstrument("http://bundle/x/", { fetch });
      await expect(loading).rejects.toThrow(/^latest\.json: does not name a manifest and its sha256: [^\n]+$/);
    });
  }

  const entry = { name: "x", title: "X", description: "", version: "1", manifest: "x/m.json", download: {} };
  for (const [change, message] of [
    [{ manifest: "http://[" }, "instruments/0/manifest must match"],
    [{ manifest: "//evil/m.json" }, "instruments/0/manifest must match"],
    [{ manifest: "../m.json" }, "instruments/0/manifest must match"],
    [{ title: null }, "instruments/0/title must be string"],
    [{ download: [3] }, "instruments/0/download must be object"],
  ] as const) {
    test(`an index whose line has ${JSON.stringify(change)}`, async () => {
      const index = { format_version: 1, instruments: [{ ...entry, ...change }] };
      const fetch = serveFiles(new Map([["index.json", text(JSON.stringify(index))]]));
      await expect(listInstruments("http://bundle/", { fetch })).rejects.toThrow(`index.json: ${message}`);
    });
  }

  test("a server that cannot be reached, and one that fails", async () => {
    const away = async () => Promise.reject(new TypeError("fetch failed"));
    await expect(loadInstrument(at(""), { fetch: away })).rejects.toThrow(
      `manifest.json: cannot be reached at ${at("")}`,
    );
    const fails = async () => new Response("", { status: 503 });
    await expect(loadInstrument(at(""), { fetch: fails })).rejects.toThrow("HTTP 503");
  });

  test("an index of another format, and one with a line that lacks something", async () => {
    for (const [stored, message] of [
      ["", "index.json: is not JSON"],
      ['{"format_version": 2}', "not an index of format 1"],
      ['{"format_version": 1, "instruments": [{"name": "x"}]}', "instruments/0 lacks title, description, version"],
    ] as const) {
      const fetch = serveFiles(new Map([["pushed/index.json", text(stored)]]));
      await expect(listInstruments("http://bundle/pushed/", { fetch })).rejects.toThrow(message);
    }
  });

  test("an abort is an abort, not a damaged bundle", async () => {
    const signal = AbortSignal.abort(new Error("changed my mind"));
    await expect(loadInstrument(at(""), { fetch: published(), signal })).rejects.toThrow("changed my mind");
  });
});

describe("a manifest is refused", () => {
  const cases: [string, (manifest: Loose) => void, string][] = [
    ["of a later format", (m) => Object.assign(m, { format_version: 2 }), "has format version 2, this engine reads 1"],
    ["of something else", (m) => Object.assign(m, { format: "zip" }), "is not the manifest of a Swara bundle"],
    ["without a part", (m) => Reflect.deleteProperty(m, "audio"), "(root) lacks audio"],
    ["with a part too many", (m) => Object.assign(m.audio as Loose, { bits: 3 }), "audio has no bits"],
    [
      "with a rate out of range",
      (m) => Object.assign(m.audio as Loose, { sample_rate: 44100 }),
      "audio/sample_rate must be one of",
    ],
    [
      "with a path that leaves the bundle",
      (m) => Object.assign(m.files?.[0] as Loose, { path: "../x" }),
      "files/0/path must match",
    ],
    ["with half a reverb", (m) => Reflect.deleteProperty(m.reverb as Loose, "taps"), "reverb fits no form"],
    ["with rates that differ", (m) => Object.assign(m.audio as Loose, { hop: 80 }), "audio: 250 frames of 80 samples"],
    [
      "of an unknown network",
      (m) => Object.assign(m.network as Loose, { architecture: "lstm" }),
      'architecture: "lstm" is neither',
    ],
    [
      "with a tensor of another shape",
      (m) => Object.assign(m.network?.tensors?.[0] as Loose, { shape: [3] }),
      "decoder/input/kernel is [3], not [2,10]",
    ],
    [
      "with a control that nothing makes",
      (m) => Object.assign(m.network?.outputs?.[0] as Loose, { name: "x" }),
      "amplitude is absent wide",
    ],
    [
      "with a feature in a unit of its own",
      (m) => Object.assign(m.network?.inputs?.[0] as Loose, { unit: "hz" }),
      "f0_scaled is f0_hz in hz",
    ],
    [
      "with a chain that ends in no reverb",
      (m) => Object.assign(m.synthesiser as Loose, { audio: "noise" }),
      "noise is not the reverb of dry",
    ],
  ];
  const absurd: [string, (manifest: Loose) => void, string][] = [
    [
      "a number that is none",
      (m) => Object.assign(m.network?.inputs?.[0] as Loose, { mean: 1 / 0 }),
      "network/inputs/0/",
    ],
    [
      "a billion channels",
      (m) => Object.assign(m.network as Loose, { channels: 1e9 }),
      "network/channels must be a whole",
    ],
    ["half a channel", (m) => Object.assign(m.network as Loose, { channels: 2.5 }), "network/channels must be a whole"],
    ["no kernel", (m) => Reflect.deleteProperty(m.network as Loose, "kernel"), "network/kernel must be a whole number"],
    ["a huge dilation", (m) => Object.assign(m.network as Loose, { dilations: [1, 2, 1e9] }), "network/dilations must"],
    ["no dilations", (m) => Object.assign(m.network as Loose, { dilations: 3 }), "network/dilations must be array"],
    ["many dilations", (m) => Object.assign(m.network as Loose, { dilations: Array(1000).fill(1) }), "their number"],
    [
      "sizes that are too large together",
      (m) => Object.assign(m.network as Loose, { channels: 512, kernel: 9, dilations: Array(32).fill(2048) }),
      "the frames that it remembers are",
    ],
    [
      "layers without end",
      (m) => Object.assign(m.network as Loose, { architecture: "gru", units: 4, stack_units: 4, stack_layers: 1e12 }),
      "network/stack_layers must be a whole number from 0 to 5",
    ],
    ["no inputs", (m) => Reflect.deleteProperty(m.network as Loose, "inputs"), "network lacks inputs"],
    ["outputs that are none", (m) => Object.assign(m.network as Loose, { outputs: [3] }), "network/outputs/0 must be"],
    ["no nodes", (m) => Reflect.deleteProperty(m.synthesiser as Loose, "nodes"), "synthesiser lacks nodes"],
    [
      "harmonics without end",
      (m) => Object.assign(m.synthesiser?.nodes?.[0] as Loose, { harmonics: 1e9 }),
      "harmonics of harmonic must be a whole number from 1 to 200",
    ],
    [
      "an hour of reverb",
      (m) => Object.assign(m.reverb as Loose, { taps: 1e8 }),
      "reverb/taps must be a whole number from 1 to 64000",
    ],
    [
      "a tail without early taps",
      (m) => Object.assign(m.reverb as Loose, { late: LATE }),
      "one of early_taps and late",
    ],
    ["early taps without a tail", (m) => Object.assign(m.reverb as Loose, { early_taps: 400 }), "early_taps and late"],
    [
      "a tail of no length",
      (m) => withTail(m, { taps: 400 }),
      "reverb/early_taps must be a whole number from 1 to 399",
    ],
    ["a tail that was never trained", (m) => withTail(m, { trained_taps: 800 }), "reverb/trained_taps must be"],
    ["an hour of a tail", (m) => withTail(m, { trained_taps: 1e8 }), "trained_taps must be a whole number from 900 to"],
    [
      "more levels than decay times",
      (m) => withTail(m, { late: { levels: [1, 1], decay_seconds: [1] } }),
      "reverb/late/decay_seconds: their number must be a whole number from 2 to 2",
    ],
    [
      "bands without end",
      (m) => withTail(m, { late: { levels: Array(65).fill(1), decay_seconds: Array(65).fill(1) } }),
      "reverb/late/levels: their number must be a whole number from 1 to 64",
    ],
    [
      "a decay in no time",
      (m) => withTail(m, { late: { levels: [1], decay_seconds: [0] } }),
      "reverb/late/decay_seconds: 0 s is no decay time",
    ],
    ["more taps than bytes", (m) => Object.assign(m.reverb as Loose, { taps: 401 }), "401 taps are not the 800 bytes"],
    [
      "a tensor beyond its file",
      (m) => Object.assign(m.network?.tensors?.[1] as Loose, { offset: 1e15 }),
      "ends at byte 1000000000000040 of controls/weights.bin",
    ],
    [
      "a tensor twice",
      (m) => (m.network as Loose).tensors?.push(m.network?.tensors?.[0] as Loose),
      "decoder/input/kernel is none of this network, or there twice",
    ],
    [
      "a window without end",
      (m) => Object.assign((m.audio as Loose).loudness as Loose, { fft_size: 2 ** 30 }),
      "audio/loudness/fft_size must be a whole number",
    ],
    ["a rate of its own", (m) => Object.assign(m.network as Loose, { frame_rate: 0.25 }), "from 1 to 1/8"],
  ];
  for (const [name, change, message] of [...cases, ...absurd]) {
    test(name, () => {
      const manifest = structuredClone(smallBundle().manifest) as unknown as Loose;
      change(manifest);
      const stored = JSON.stringify(manifest, (_, value) => (value === 1 / 0 ? "INFINITE" : value));
      expect(() => readManifest(text(stored.replace('"INFINITE"', "1e999")), "manifest.json")).toThrow(message);
    });
  }

  test("with mixes of mixes, which double the sum with every node", () => {
    const { manifest } = smallBundle();
    const mixes = Array.from({ length: 60 }, (_, i) => ({
      name: `mix${i}`,
      type: "mix" as const,
      inputs: i ? [`mix${i - 1}`, `mix${i - 1}`] : ["harmonic", "noise"],
    }));
    const nodes = [...manifest.synthesiser.nodes.slice(0, 2), ...mixes];
    const doubled = { ...manifest, synthesiser: { ...manifest.synthesiser, nodes, dry: "mix59", audio: "mix59" } };
    const began = performance.now();
    expect(describeChain(doubled as Manifest).noises[0]?.gain).toBe(2 ** 59);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  test("that is not JSON", () => {
    expect(() => readManifest(text("<html>"), "manifest.json")).toThrow("manifest.json: is not JSON");
    expect(() => readManifest(text("null"), "manifest.json")).toThrow("is not the manifest of a Swara bundle");
  });
});

test("the schema that is checked is the repository's, and all of its keywords are known", () => {
  const path = join(ROOT, "bundles/manifest.schema.json");
  const schema = JSON.parse(readFileSync(path, "utf8")) as Schema;
  expect(violation(smallBundle().manifest, schema)).toBeNull();
  // Every part of the schema is walked by a value that has every part.
  const whole = { ...smallBundle().manifest, metrics: { loss: 1 } } as Manifest;
  expect(violation({ ...whole, optimisation: { full: {} } }, schema)).toContain("optimisation/full lacks");
  const keywords = new Set<string>();
  const collect = (value: unknown, isSchema: boolean): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (isSchema) keywords.add(key);
      if (key === "properties" || key === "$defs") for (const one of Object.values(inner)) collect(one, true);
      else if (key === "items" || key === "additionalProperties") collect(inner, true);
      else if (key === "oneOf") for (const one of inner) collect(one, true);
    }
  };
  collect(schema, true);
  for (const keyword of keywords)
    expect(() => violation({}, { [keyword]: schema[keyword] ?? [] } as Schema)).not.toThrow("does not check");
});

test("a keyword that is not known is an error, not a check that is left out", () => {
  expect(() => violation(3, { maximum: 2 })).toThrow("the schema uses maximum, which this engine does not check");
});

test("the text of a manifest is hashed as Python hashes its values, without times, metrics and the card", () => {
  // Of bundles.manifest.dumps; the hash is of bundles.manifest.content_hash.
  const manifest = String.raw`{"audio":{"hop":64.0},"created":"2025","empty":{},"files":[{"path":"README.md",\
"sha256":"x"},{"bytes":3,"path":"a{b],\"c"}],"metrics":{"loss":1.0},"small":1e-07,"title":"स्वर \\\" } ,",\
"training":{"seconds":3.5,"steps":1e+22,"x":[[],{}]}}`.replaceAll("\\\n", "");
  expect(sha256(text(contentText(manifest)))).toBe("8d4f7b8c49dde772bc6fcd896308eeba06f3b74295ff50537a6d69af91a683d5");
});

test("stored numbers are read as they were meant", () => {
  const halves = new Uint16Array([0x3c00, 0xc000, 0x3555, 0x0001, 0x7c00, 0x8000]).buffer;
  const [one, minusTwo, third, least, infinite, minusZero] = decodeFloat16(halves);
  expect([one, minusTwo, infinite]).toEqual([1, -2, Number.POSITIVE_INFINITY]);
  expect(third).toBeCloseTo(0.333252, 6);
  expect(least).toBe(2 ** -24);
  expect(Object.is(minusZero, -0)).toBe(true);
  const tensor = { name: "x", role: "kernel", file: "w.bin", shape: [2], offset: 1 } as const;
  const bytes = new Uint8Array([9, 0, 10]).buffer;
  expect([...decodeTensor(bytes, { ...tensor, dtype: "uint8", scale: 0.5, min: -1 })]).toEqual([-1, 4]);
  expect(() => decodeTensor(bytes, { ...tensor, dtype: "float32" })).toThrow(
    "w.bin: x should end at byte 9, the file at 3",
  );
});

test("a chain of several synthesisers is the sum of them", async () => {
  const processors: Processor[] = [
    { name: "low", type: "harmonic", harmonics: 4, envelope: "window" },
    { name: "high", type: "harmonic", harmonics: 8, envelope: "linear" },
    { name: "noise", type: "filtered_noise", bands: 9 },
    { name: "both", type: "mix", inputs: ["low", "high"] },
    { name: "all", type: "mix", inputs: ["both", "noise", "low"] },
  ];
  const { manifest } = smallBundle({ processors, taps: 0 });
  expect(describeChain(manifest)).toEqual({
    harmonics: [
      {
        harmonics: 4,
        envelope: "window",
        amplitude: "low_amplitude",
        distribution: "low_harmonic_distribution",
        gain: 2,
      },
      {
        harmonics: 8,
        envelope: "linear",
        amplitude: "high_amplitude",
        distribution: "high_harmonic_distribution",
        gain: 1,
      },
    ],
    noises: [{ bands: 9, spacing: "linear", magnitudes: "noise_magnitudes", gain: 1 }],
  });
});

function edit(
  files: Map<string, Uint8Array<ArrayBuffer>>,
  path: string,
  change: (bytes: Uint8Array) => Uint8Array,
): void {
  const whole = `pushed/small/${VERSION}/${path}`;
  files.set(whole, Uint8Array.from(change(files.get(whole) as Uint8Array)));
}

/** Makes the bundle's 400 taps those before a late tail. */
function withTail(manifest: Loose, change: object): void {
  Object.assign(manifest.reverb as Loose, { taps: 900, trained_taps: 1000, early_taps: 400, late: LATE, ...change });
}
