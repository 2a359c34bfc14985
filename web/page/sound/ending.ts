/** Ends of sounds: cut off in the middle of a wave they would click. */

const FADE_SECONDS = 0.03;

/** Sources that sound together, and a gain of their own, which nothing else changes, on the way to the loudspeaker. */
export interface Sounding {
  readonly sources: readonly AudioScheduledSourceNode[];
  readonly out: GainNode;
}

/** Turns a sound down, then stops its sources and takes it off the loudspeaker. */
export function end({ sources, out }: Sounding): void {
  const { currentTime } = out.context;
  out.gain.setValueAtTime(1, currentTime);
  out.gain.linearRampToValueAtTime(0, currentTime + FADE_SECONDS);
  const last = sources.at(-1);
  if (last) last.onended = () => out.disconnect();
  for (const source of sources) source.stop(currentTime + FADE_SECONDS);
}
