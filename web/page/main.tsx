/** Starts the page. */

import { render } from "preact";
import { openCatalogue } from "./store/instruments.ts";
import { registerServiceWorker } from "./store/offline.ts";
import { App } from "./views/app.tsx";

const root = document.getElementById("app");
if (root) render(<App />, root);
void openCatalogue().then(registerServiceWorker);
