/** The hint to put on headphones, and what the guard against feedback does without them. */

import { headphones } from "../store/settings.ts";
import { guardState, reopenGuard } from "../store/studio.ts";
import { Switch } from "./switch.tsx";

export function Headphones() {
  if (guardState.value === "shut") {
    return (
      <div class="problem" role="alert">
        <p>
          The sound is off: the microphone picked up the loudspeaker, and would have howled. Put on headphones, then go
          on.
        </p>
        <button type="button" onClick={reopenGuard}>
          Sound on
        </button>
      </div>
    );
  }
  return (
    <div class="headphones">
      <Switch setting={headphones}>I am wearing headphones</Switch>
      <p class="hint">
        {headphones.value
          ? "Good: the microphone picks up nothing but you."
          : "Best with headphones, or the microphone picks up the instrument too. A guard shuts it off before it howls."}
      </p>
    </div>
  );
}
