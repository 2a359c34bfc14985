/** The sign of the page: a string that swings, between its two ends. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 48 24" aria-hidden="true">
      <path class="mark-rest" d="M2 12H46" />
      <path class="mark-string" d="M2 12C10 -2 16 -2 24 12S38 26 46 12" />
    </svg>
  );
}
