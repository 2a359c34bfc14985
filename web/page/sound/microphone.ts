/** The microphone, with nothing between it and the page: no echo cancelling, noise suppression or gain control. */

const CONSTRAINTS: MediaStreamConstraints = {
  audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 },
};

const REASONS: Readonly<Record<string, string>> = {
  NotAllowedError: "The microphone was refused. Allow it for this page in the browser's settings, then try again.",
  NotFoundError: "No microphone was found. Connect one, or open a recording instead.",
  NotReadableError: "The microphone is taken by another program. Close that program, then try again.",
};

/**
 * Opens the microphone.
 *
 * @throws Error that states why it cannot be opened and what to do.
 */
export async function openMicrophone(): Promise<MediaStream> {
  if (!navigator.mediaDevices) {
    throw new Error("Browsers give the microphone to pages from https: or localhost only. Open this page from there.");
  }
  try {
    return await navigator.mediaDevices.getUserMedia(CONSTRAINTS);
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    throw new Error(REASONS[name] ?? `The microphone does not start: ${String(error)}`, { cause: error });
  }
}

/** Lets the microphone go. */
export function closeMicrophone(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
