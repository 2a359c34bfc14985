/** Swara's engine: loads instruments, analyses voices, and plays the instruments from them. See ../README.md. */

export { BundleError } from "./bundle/errors.ts";
export {
  type Instrument,
  type InstrumentEntry,
  type LoadOptions,
  listInstruments,
  loadInstrument,
} from "./bundle/load.ts";
export type { Manifest, Spread, Statistics } from "./bundle/manifest.ts";
export type { ClipFeatures } from "./clip/controls.ts";
export { type RenderOptions, renderClip } from "./clip/render.ts";
export { adjust } from "./features/adjust.ts";
export { analyse } from "./features/analyse.ts";
export { FLOOR_DB } from "./features/floor.ts";
export { gateGains } from "./features/gate.ts";
export { VOICED_CONFIDENCE } from "./features/pitch_scale.ts";
export { startingOctaves, type VoiceRange } from "./features/register.ts";
export type { AdjustedFeatures, AdjustOptions, Features } from "./features/types.ts";
export { createLiveInstrument, LiveInstrument, type LiveOptions } from "./live/instrument.ts";
export { DEFAULT_SETTINGS, type FrameReport, type Latency, type LiveSettings, SILENCE_DB } from "./live/types.ts";
