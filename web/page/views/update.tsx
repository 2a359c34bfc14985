/** Whether the page works without a network, and a newer one that waits. */

import { offlineReady, takeUpdate, updateWaits } from "../store/offline.ts";
import { microphone } from "../store/studio.ts";

export function Update() {
  return (
    <p class="offline">
      {updateWaits.value ? (
        <>
          A newer version of this page is here.{" "}
          <button type="button" class="quiet" disabled={microphone.value !== "off"} onClick={takeUpdate}>
            Use it
          </button>
        </>
      ) : offlineReady.value ? (
        "Works without a network from now on."
      ) : (
        ""
      )}
    </p>
  );
}
