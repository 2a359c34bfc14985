// The kernels of the engine: all that runs at the sample or at the weight. Everything works on blocks of memory that
// the caller has from `allocate`; lengths are counts of values. What has to be a multiple of 4 is padded by the
// caller. Nothing here allocates while it computes.

export { convolve, resample } from "./filters";
export { fft, multiplySpectra, weightedPower, windowFrame } from "./fourier";
export { harmonicAmplitudes, renderHarmonics, scaleControls } from "./harmonics";
export { allocate, copy } from "./memory";
export { accumulate, addLeaky, gatedStep, leaky, normalise } from "./network";
export { correlate, sumOfSquares } from "./pitch";
