/** WAV files: 16-bit PCM, mono. */

const HEADER_BYTES = 44;
const FULL_SCALE = 32767;

/**
 * Writes a WAV file.
 *
 * @param audio [samples], full scale 1. A sound that would clip is turned down as a whole, so that its peak just fits.
 * @param sampleRate Hz.
 */
export function encodeWav(audio: Float32Array, sampleRate: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + 2 * audio.length);
  const view = new DataView(bytes.buffer);
  writeHeader(view, audio.length, sampleRate);
  const gain = FULL_SCALE * fittingGain(audio);
  audio.forEach((sample, index) => {
    view.setInt16(HEADER_BYTES + 2 * index, Math.round(sample * gain), true);
  });
  return bytes;
}

/** Computes the factor at which a sound does not clip: 1 where it fits. */
export function fittingGain(audio: Float32Array): number {
  let peak = 0;
  for (const sample of audio) peak = Math.max(peak, Math.abs(sample));
  return peak > 1 ? 1 / peak : 1;
}

function writeHeader(view: DataView, samples: number, sampleRate: number): void {
  const ascii = (offset: number, text: string) => {
    for (let index = 0; index < text.length; index++) view.setUint8(offset + index, text.charCodeAt(index));
  };
  ascii(0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + 2 * samples, true);
  ascii(8, "WAVEfmt ");
  view.setUint32(16, 16, true); // bytes of this chunk
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, 2 * sampleRate, true); // bytes a second
  view.setUint16(32, 2, true); // bytes a frame
  view.setUint16(34, 16, true); // bits a sample
  ascii(36, "data");
  view.setUint32(40, 2 * samples, true);
}
