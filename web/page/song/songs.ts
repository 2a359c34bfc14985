/** The songs that come with the page. */

import alankar from "../songs/alankar.json" with { type: "json" };
import amazingGrace from "../songs/amazing-grace.json" with { type: "json" };
import frereJacques from "../songs/frere-jacques.json" with { type: "json" };
import { parseScore, type Score } from "./score.ts";

export const SONGS: readonly [Score, ...Score[]] = [
  parseScore(alankar),
  parseScore(amazingGrace),
  parseScore(frereJacques),
];
