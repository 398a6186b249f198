// The page begins here.
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { askAhead } from "./api/now";
import { queryClient } from "./api/queries";
import { App } from "./app";
import { fetchParts } from "./lib/lazy-part";
import { watchTheme } from "./lib/preferences";
import { pullPreferences } from "./lib/synced";
import { startConnection } from "./live/connection";
import "./styles.css";

watchTheme();
void pullPreferences();
if (location.pathname === "/") void askAhead(queryClient);
startConnection((key) => void queryClient.invalidateQueries({ queryKey: [key] }));

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);

const IDLE_MS = 5_000; // the first page stands by then
addEventListener("load", () => setTimeout(() => void fetchParts(), IDLE_MS));

if ("serviceWorker" in navigator) {
  addEventListener("load", () => {
    // Without it (an insecure origin, a private window) the page works all the same.
    navigator.serviceWorker.register("/sw.js").catch(() => undefined);
  });
}
