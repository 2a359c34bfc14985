import type { Instrument } from "swara-engine";
import { beforeEach, expect, test, vi } from "vitest";
import { beginVoice, chooseRange, rememberOctaves, startOctaves } from "../../page/store/register.ts";

const store = new Map<string, string>();

beforeEach(() => {
  store.clear();
  vi.stubGlobal(
    "localStorage",
    new Proxy(
      {
        getItem: (key: string) => store.get(key) ?? null,
        setItem: (key: string, value: string) => void store.set(key, value),
        removeItem: (key: string) => void store.delete(key),
      },
      { ownKeys: () => [...store.keys()], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }) },
    ),
  );
});

function instrument(name: string, mean: number): Instrument {
  const pitch = { mean, max: mean + 8, min: mean - 8, mean_max: mean, mean_min: mean, std: 3 };
  return { manifest: { instrument: { name }, statistics: { pitch, pitch_note: pitch } } } as unknown as Instrument;
}

test("a voice begins in the octave of its range, and with what was remembered of this instrument", () => {
  const [flute, cello] = [instrument("flute", 74), instrument("cello", 50)];
  chooseRange("low", flute);
  expect(startOctaves.value).toBe(2);
  chooseRange("high", flute);
  expect(startOctaves.value).toBe(1);
  rememberOctaves(flute, 0);
  beginVoice(cello);
  expect(startOctaves.value).toBe(-1);
  beginVoice(flute);
  expect(startOctaves.value).toBe(0);
});

test("another range forgets what was remembered", () => {
  const flute = instrument("flute", 74);
  beginVoice(flute);
  rememberOctaves(flute, -1);
  beginVoice(flute);
  expect(startOctaves.value).toBe(-1);
  chooseRange("low", flute);
  expect(startOctaves.value).toBe(2);
});
