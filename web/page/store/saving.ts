/** A take as a file: downloaded or handed to another app. */

import { encodeWav } from "../sound/wav.ts";
import { report } from "./notices.ts";
import type { Rendered, Side } from "./take.ts";

const REVOKE_AFTER_MS = 60_000;

function fileOf(what: Rendered, side: Side): File {
  const name = side === "after" ? what.instrument.manifest.instrument.name : "voice";
  const title = what.take.title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-");
  return new File([encodeWav(what[side], what.sampleRate)], `${title}-${name}.wav`, { type: "audio/wav" });
}

/** Downloads one side of a take as a WAV file. */
export function download(what: Rendered, side: Side): void {
  const file = fileOf(what, side);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), REVOKE_AFTER_MS);
}

/** Checks whether this browser can hand a sound to another app. */
export function canShare(): boolean {
  const probe = new File([new Uint8Array(44)], "probe.wav", { type: "audio/wav" });
  return typeof navigator.canShare === "function" && navigator.canShare({ files: [probe] });
}

/** Opens the device's own share sheet: the player chooses where the file goes. */
export async function share(what: Rendered, side: Side): Promise<void> {
  try {
    await navigator.share({ files: [fileOf(what, side)], title: what.take.title });
  } catch (error) {
    const isSecondThought = error instanceof DOMException && error.name === "AbortError";
    if (!isSecondThought) report(error);
  }
}
