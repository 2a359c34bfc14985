/** The published instruments, and the chosen one. */

import { computed, signal } from "@preact/signals";
import { BundleError, type Instrument, type InstrumentEntry, listInstruments, loadInstrument } from "swara-engine";
import { fetchAndKeep, forget, keptManifests, networkIsShut } from "./network.ts";
import { report, status } from "./notices.ts";

const ROOT = new URL("pushed/", document.baseURI);

export const entries = signal<readonly InstrumentEntry[]>([]);
/** Name of the instrument that is wanted. */
export const wanted = signal("");
/** The instrument that is loaded, or null. */
export const instrument = signal<Instrument | null>(null);
export const loading = signal(false);
/** ms that fetching and checking it took; 0 where it was at hand. */
export const loadMilliseconds = signal(0);
/** Why there is no catalogue, "" where there is. */
export const absent = signal("");

const loaded = new Map<string, Instrument>();

export const entry = computed(() => entries.value.find((listed) => listed.name === wanted.value) ?? null);

/** Reads `pushed/index.json` and loads the first instrument, or the one that the address names (`?instrument=`). */
export async function openCatalogue(): Promise<void> {
  try {
    entries.value = await listInstruments(ROOT, { fetch: fetchAndKeep });
  } catch (error) {
    absent.value = error instanceof Error ? error.message : String(error);
    return;
  }
  const named = new URLSearchParams(location.search).get("instrument");
  const first = entries.value.find((listed) => listed.name === named) ?? entries.value[0];
  if (first) await choose(first.name);
  else absent.value = "index.json lists no instruments";
}

/** Checks whether an instrument can be chosen now: not one that must be fetched while the microphone is on. */
export function isAtHand(name: string): boolean {
  return loaded.has(name) || !networkIsShut();
}

/** Chooses an instrument. If it cannot be loaded, that is reported and the old one kept. */
export async function choose(name: string): Promise<void> {
  const chosen = entries.value.find((listed) => listed.name === name);
  if (!chosen || name === wanted.value) return;
  const before = wanted.value;
  wanted.value = name;
  loading.value = true;
  try {
    const got = await fetched(chosen);
    if (wanted.value !== name) return; // another one was chosen meanwhile
    instrument.value = got;
    const earlier = got.url.href === chosen.url.href ? "" : ", in an earlier version: the newest cannot be reached now";
    status.value = `${chosen.title} is ready${earlier}.`;
  } catch (error) {
    if (wanted.value === name) wanted.value = before;
    report(error);
  } finally {
    if (wanted.value === name || wanted.value === before) loading.value = false;
  }
}

async function fetched(chosen: InstrumentEntry): Promise<Instrument> {
  const known = loaded.get(chosen.name);
  loadMilliseconds.value = 0;
  if (known) return known;
  status.value = `Fetching ${chosen.title}`;
  const began = performance.now();
  const version = new URL(".", chosen.url);
  try {
    const got = await loadInstrument(chosen.url, { fetch: fetchAndKeep });
    loadMilliseconds.value = performance.now() - began;
    loaded.set(chosen.name, got);
    await forget(new URL("..", version), version); // earlier versions
    return got;
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    await forget(version); // so that the next try fetches it anew
    const kept = isUnreachable(error) ? await keptVersion(new URL("..", version)) : null;
    if (!kept) throw error;
    return kept;
  }
}

/** Checks whether no host answered, as without a network. */
function isUnreachable({ cause }: BundleError): boolean {
  return cause instanceof TypeError;
}

/** Loads the newest version of an instrument that is on this device with all its files, or null. */
async function keptVersion(folder: URL): Promise<Instrument | null> {
  for (const manifest of await keptManifests(folder)) {
    try {
      return await loadInstrument(manifest, { fetch: fetchAndKeep });
    } catch {
      // not all of it was kept
    }
  }
  return null;
}
