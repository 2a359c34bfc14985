import { signal } from "@preact/signals";
import { afterEach, expect, test, vi } from "vitest";
import { connectMidi, down, midiInputs } from "../../page/store/keys.ts";

const live = vi.hoisted(() => ({ noteOn: vi.fn(), noteOff: vi.fn(), bend: vi.fn(), allNotesOff: vi.fn() }));
vi.mock("../../page/store/studio.ts", () => ({ openStudio: async () => ({ live }) }));
vi.mock("../../page/store/instruments.ts", () => ({ instrument: signal(null) }));

afterEach(() => vi.unstubAllGlobals());

interface Input {
  readonly name: string;
  state: string;
  onmidimessage: ((event: { data: Uint8Array }) => void) | null;
}

for (const [how, unplug] of [
  ["is no longer listed", (inputs: Map<string, Input>) => inputs.delete("1")],
  [
    "is listed as gone",
    (inputs: Map<string, Input>) => Object.assign(inputs.get("1") ?? {}, { state: "disconnected" }),
  ],
] as const) {
  test(`a MIDI keyboard that is unplugged, and ${how}, leaves no key down and no wheel turned`, async () => {
    const input: Input = { name: "Keyboard", state: "connected", onmidimessage: null };
    const inputs = new Map([["1", input]]);
    const access = { inputs, onstatechange: () => undefined };
    vi.stubGlobal("navigator", { requestMIDIAccess: async () => access });
    await connectMidi();
    input.onmidimessage?.({ data: Uint8Array.from([0x90, 60, 100]) });
    input.onmidimessage?.({ data: Uint8Array.from([0xe0, 0, 96]) });
    await vi.waitFor(() => expect(live.bend).toHaveBeenLastCalledWith(1));
    expect(down.value).toEqual(new Set([60]));
    access.onstatechange(); // as when another one is plugged in
    expect(down.value).toEqual(new Set([60]));
    unplug(inputs);
    access.onstatechange();
    await vi.waitFor(() => expect(live.bend).toHaveBeenLastCalledWith(0));
    expect(down.value).toEqual(new Set());
    expect(live.allNotesOff).toHaveBeenCalledOnce();
    expect(midiInputs.value).toEqual([]);
    vi.clearAllMocks();
  });
}
