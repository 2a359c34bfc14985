import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { contentText } from "../../engine/src/bundle/content_hash.ts";
import { listInstruments, loadInstrument, readManifest } from "../../engine/src/bundle/load.ts";
import type { Manifest, Processor } from "../../engine/src/bundle/manifest.ts";
import { type Schema, violation } from "../../engine/src/bundle/schema.ts";
import { decodeFloat16, decodeTensor } from "../../engine/src/bundle/weights.ts";
import { describeChain } from "../../engine/src/synthesis/chain.ts";
import { ROOT } from "./shared.ts";
import { serveFiles, sha256, smallBundle, text, versionOf } from "./small_bundle.ts";

const VERSION = versionOf(smallBundle());

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
      await expect(loading).rejects.toThrow(/manifest\.json: was changed after it was published: its content has the/);
    }
  });

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
  type Loose = { [key: string]: Loose & Loose[] } & { [key: string]: unknown };
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
  for (const [name, change, message] of cases) {
    test(name, () => {
      const manifest = structuredClone(smallBundle().manifest) as unknown as Loose;
      change(manifest);
      expect(() => readManifest(text(JSON.stringify(manifest)), "manifest.json")).toThrow(message);
    });
  }

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
    noises: [{ bands: 9, magnitudes: "noise_magnitudes", gain: 1 }],
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
