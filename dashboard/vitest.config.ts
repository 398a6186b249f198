import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { environment: "jsdom", include: ["tests/**/*.test.{ts,tsx}"], isolate: false, maxWorkers: 2, restoreMocks: true, unstubGlobals: true, env: { TZ: "UTC" } },
});
