/** Credits of the recordings that the instrument learned from. */

import type { Manifest } from "swara-engine";

export function Credits({ manifest }: { readonly manifest: Manifest }) {
  const { title, licence, credits } = manifest.instrument;
  const { seconds } = manifest.data as { readonly seconds: number };
  return (
    <section class="credits" aria-label="Credits">
      <p>
        {title} · {licence} · learned from {minutes(seconds)} of recordings
      </p>
      {credits.map((credit) => (
        <p key={credit.work}>
          {credit.work}. {credit.by}, {credit.licence}. {credit.source}
        </p>
      ))}
    </section>
  );
}

function minutes(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds / 60));
  return whole === 1 ? "a minute" : `${whole} minutes`;
}
