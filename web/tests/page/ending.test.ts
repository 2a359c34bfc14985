import { expect, test, vi } from "vitest";
import { end } from "../../page/sound/ending.ts";

test("a sound is turned down before its sources stop, and then taken off the loudspeaker", () => {
  const gain = { setValueAtTime: vi.fn(), linearRampToValueAtTime: vi.fn() };
  const out = { gain, disconnect: vi.fn(), context: { currentTime: 5 } } as unknown as GainNode;
  const [voice, instrument] = [0, 1].map(() => ({ stop: vi.fn(), onended: null as (() => void) | null }));
  const sources = [voice, instrument] as unknown as AudioBufferSourceNode[];
  end({ sources, out });
  expect(gain.setValueAtTime).toHaveBeenCalledWith(1, 5);
  expect(gain.linearRampToValueAtTime).toHaveBeenCalledWith(0, 5.03);
  for (const source of [voice, instrument]) expect(source?.stop).toHaveBeenCalledWith(5.03);
  expect(out.disconnect).not.toHaveBeenCalled();
  instrument?.onended?.();
  expect(out.disconnect).toHaveBeenCalledOnce();
});
