/** The part of Swara's engine that uses TensorFlow.js: `swara-engine/tfjs`. Live playing needs none of it. */

export { type BackendName, chooseBackend, hasGraphicsCard } from "./backend.ts";
export { renderClipTfjs, type TfjsRenderOptions } from "./clip.ts";
export { type ControlsModel, loadControls } from "./controls.ts";
export { type FullModel, loadFull } from "./full.ts";
export { fusedHarmonics, type HarmonicSettings, registerFusedHarmonics } from "./fused_harmonics.ts";
export { registerPhaseCumsum } from "./phase_cumsum.ts";
export { registerScannedHarmonics, scannedHarmonics } from "./scanned_harmonics.ts";
