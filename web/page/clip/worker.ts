/** Analyses and plays takes away from the page's own thread, so that it answers meanwhile. */

import { analyse, type Features, type Instrument, renderClip } from "swara-engine";
import type { Answer, Cancel, PlayRequest, Request, SentInstrument } from "./messages.ts";

interface Scope {
  onmessage: ((event: MessageEvent<Request | Cancel>) => void) | null;
  postMessage(answer: Answer, transfer?: Transferable[]): void;
}

const scope = globalThis as unknown as Scope;
const running = new Map<number, AbortController>();

scope.onmessage = ({ data }) => {
  if (data.kind === "cancel") running.get(data.id)?.abort();
  else void answer(data);
};

scope.postMessage({ kind: "ready" });

async function answer(request: Request): Promise<void> {
  const { id } = request;
  const abort = new AbortController();
  running.set(id, abort);
  try {
    const result: Features | Float32Array<ArrayBufferLike> =
      request.kind === "analyse"
        ? await analyse(request.audio, request.sampleRate, whole(request.instrument))
        : await play(request, abort.signal);
    scope.postMessage({ kind: "done", id, result });
  } catch (error) {
    scope.postMessage({ kind: "failed", id, message: error instanceof Error ? error.message : String(error) });
  } finally {
    running.delete(id);
  }
}

/** Plays with a share of the room: no room and all of it are rendered, what lies between is mixed from the two. */
async function play(request: PlayRequest, signal: AbortSignal): Promise<Float32Array> {
  const { id, features, sampleRate, room } = request;
  const instrument = whole(request.instrument);
  const onProgress = (share: number) => scope.postMessage({ kind: "progress", id, share });
  const render = (reverb: boolean) => renderClip(instrument, features, { sampleRate, reverb, signal, onProgress });
  if (room === 1 || room === 0) return render(room === 1);
  const wet = await render(true);
  const dry = await render(false);
  return wet.map((sample, index) => (1 - room) * (dry[index] ?? 0) + room * sample);
}

/** Completes what was sent to an instrument: all that playing needs; further files of the bundle cannot be fetched. */
function whole(sent: SentInstrument): Instrument {
  const file = (path: string) => Promise.reject(new Error(`${path} cannot be fetched by this worker`));
  return { ...sent, url: new URL("sent:"), file };
}
